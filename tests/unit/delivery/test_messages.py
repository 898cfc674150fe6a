"""What is posted: words and the files behind them, a reply that waits and can be taken back."""

from datetime import timedelta

from dpobot.delivery.messages import StaffPlace, forward, post_staff
from dpobot.errors import Unavailable
from dpobot.model.records import Attachment, Reply
from dpobot.store import outbox
from dpobot.store.outbox import Relation
from tests.unit.delivery.conftest import ANNA, BOT, World


async def test_files_follow_the_words(world: World) -> None:
    """Each is a message of its own, in order, with a name that can't hide what it is."""
    files = [world.uploaded(b"one", "a\u202efdp.exe"), world.uploaded(b"two", "picture.png", "image/png")]
    await world.say("your answer", "k", files=files)
    assert await world.send() == ["your answer", "afdp.exe", "picture.png"]
    contents = [event.content for event in world.said(world.direct)][1:]
    assert [(content["msgtype"], content["info"]) for content in contents] == [
        ("m.file", {"mimetype": "application/pdf", "size": 3}),
        ("m.image", {"mimetype": "image/png", "size": 3}),
    ]
    assert [content["filename"] for content in contents] == ["afdp.exe", "picture.png"]
    assert [content["m.mentions"] for content in contents] == [{}, {}]


async def test_a_drawing_that_may_hold_a_program_is_no_picture(world: World) -> None:
    """Only what clients show as a picture is sent as one."""
    await world.say("your answer", "k", files=[world.uploaded(b"<svg/>", "x.svg", "image/svg+xml")])
    await world.send()
    assert world.said(world.direct)[-1].content["msgtype"] == "m.file"


async def test_posting_again_says_nothing_twice(world: World) -> None:
    """Neither the words nor the files."""
    file = world.uploaded(b"one")
    for _ in range(2):
        await world.say("your answer", "k", files=[file])
    assert await world.send() == ["your answer", "orders.pdf"]


async def test_a_reply_that_waits_lets_others_pass(world: World) -> None:
    """What is held back on purpose delays nobody, and its files wait with it."""
    await world.say("later", "k1", not_before=world.now + timedelta(seconds=10), files=[world.uploaded(b"one")])
    await world.say("now", "k2")
    assert await world.send() == ["now"]
    assert await world.send(seconds=10) == ["now", "later", "orders.pdf"]


async def test_a_reply_can_be_taken_back_while_it_waits(world: World) -> None:
    """Nothing of it is ever said; another one is left alone, also if its key begins like it."""
    later = world.now + timedelta(seconds=10)
    await world.say("later", "k1", not_before=later, files=[world.uploaded(b"one")])
    await world.say("other", "k12", not_before=later)
    taken = await world.database.write(lambda tx: outbox.take_back(tx, "k1", world.now))
    assert (taken, await world.send(seconds=10)) == (True, ["other"])


async def test_what_is_said_can_not_be_taken_back(world: World) -> None:
    """Nor what may have been said: the server got it, though its answer was lost."""
    await world.say("later", "k", not_before=world.now + timedelta(seconds=10))
    world.server.now += timedelta(seconds=10)
    too_late = await world.database.write(lambda tx: outbox.take_back(tx, "k", world.now))
    world.server.lost_answers["send"] = [Unavailable("timeout")]
    await world.send()
    tried = await world.database.write(lambda tx: outbox.take_back(tx, "k", world.now))
    assert (too_late, tried, await world.send(minutes=1)) == (False, False, ["later"])


async def test_files_of_the_staff_room_stand_in_the_thread(world: World) -> None:
    """A report that the bot has made, behind its words; a file is never the card."""
    report = Attachment("register.csv", "text/csv", b"a,b\r\n")
    await world.tell("card", "k1", Relation.CARD)
    await world.tell("here it is", "k2", Relation.THREAD, attachment=report)
    await world.tell("new card", "k3", Relation.EDIT, attachment=report)
    await world.send()
    card = await world.card()
    assert card is not None
    assert [event.content["body"] for event in world.server.thread(card)] == [
        "here it is",
        "register.csv",
        "register.csv",
    ]
    assert world.server.shown(card) == "new card"
    file = world.server.thread(card)[1].content["file"]
    assert world.server.media[file["url"]] == b"a,b\r\n"


async def test_files_of_the_main_time_line_stand_there(world: World) -> None:
    """Without a relation there is none."""
    await world.tell("stats", "k", attachment=Attachment("chart.png", "image/png", b"png"))
    await world.send()
    assert ["m.relates_to" in event.content for event in world.said(world.office)] == [False, False]


async def test_a_mention_is_staff_s_own(world: World) -> None:
    """Words notify whom the reply names; files nobody."""
    report = Attachment("register.csv", "text/csv", b"a,b\r\n")
    await world.tell("look", "k", mentions=(ANNA,), attachment=report)
    await world.send()
    assert [event.content["m.mentions"] for event in world.said(world.office)] == [{"user_ids": [ANNA]}, {}]


async def test_a_person_s_file_is_copied_into_the_thread(world: World) -> None:
    """The bot owns its bytes: the person may delete theirs."""
    file = world.uploaded(b"evidence")
    place = StaffPlace(world.office, "en", world.case.id, Relation.THREAD)
    await world.tell("card", "card", Relation.CARD)
    for _ in range(2):
        await world.database.write(lambda tx: forward(tx, world.now, place, file, "file"))
    await world.send()
    card = await world.card()
    assert card is not None
    (shown,) = world.server.thread(card)
    assert (shown.sender, shown.encrypted) == (BOT, True)
    assert shown.content["file"]["url"] != file.file.url
    assert world.server.media[shown.content["file"]["url"]] == b"evidence"


async def test_the_staff_room_speaks_its_own_language(world: World) -> None:
    """Not that of whoever asked."""
    place = StaffPlace(world.office, "xx", None, None)  # not known: English
    await world.database.write(
        lambda tx: post_staff(tx, world.renderer, world.now, place, Reply("staff/words", {"text": "hello"}), "k")
    )
    await world.send()
    assert world.server.bodies(world.office, BOT) == ["hello"]

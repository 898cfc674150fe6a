"""What is sent, where, and what becomes of what can't be."""

from dpobot.delivery.attachments import Attachments
from dpobot.errors import Rejected, Unavailable
from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.store import staff_threads
from dpobot.store.outbox import Relation
from tests.fakes.matrix import FakeMatrix
from tests.unit.delivery.conftest import ANNA, BOT, LARGEST, World

EVE = UserId("@eve:dpobot.test")


async def test_a_card_has_a_thread_and_is_edited(world: World) -> None:
    """The relation is made when it is sent: by then the card has an ID."""
    await world.tell("card", "k1", Relation.CARD)
    await world.tell("a note", "k2", Relation.THREAD)
    await world.tell("new card", "k3", Relation.EDIT)
    await world.send()
    card = await world.card()
    first, note, edit = world.said(world.office)
    assert (first.event_id, "m.relates_to" in first.content) == (card, False)
    assert note.content["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": card,
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": card},
    }
    assert edit.content["m.relates_to"] == {"rel_type": "m.replace", "event_id": card}
    assert (edit.content["m.new_content"]["body"], edit.content["body"]) == ("new card", "* new card")


async def test_a_lost_answer_makes_no_second_card(world: World) -> None:
    """The server had it: sending again gives the same event, and that one is the card."""
    world.server.lost_answers["send"] = [Unavailable("timeout")]
    await world.tell("card", "k1", Relation.CARD)
    await world.tell("a note", "k2", Relation.THREAD)
    await world.send()
    before = await world.card()
    await world.send(seconds=3)
    card, note = world.said(world.office)
    assert (before, await world.card(), note.content["m.relates_to"]["event_id"]) == (
        None,
        card.event_id,
        card.event_id,
    )


async def test_without_a_card_nothing_is_lost(world: World) -> None:
    """What belongs into a thread stands in the main time line, and the next edit is the card."""
    world.fail("send", Rejected("M_TOO_LARGE", 413))
    await world.tell("card", "k1", Relation.CARD)
    await world.tell("a note", "k2", Relation.THREAD)
    await world.tell("new card", "k3", Relation.EDIT)
    await world.tell("another note", "k4", Relation.THREAD)
    await world.send()
    note, card, another = world.said(world.office)
    assert ["m.relates_to" in event.content for event in (note, card, another)] == [False, False, True]
    assert await world.card() == card.event_id == another.content["m.relates_to"]["event_id"]


async def test_a_second_card_is_an_edit(world: World) -> None:
    """A case has one thread in a room."""
    await world.tell("card", "k1", Relation.CARD)
    await world.tell("new card", "k2", Relation.CARD)
    await world.send()
    card = await world.card()
    assert card is not None
    assert [world.server.shown(card), len(world.said(world.office))] == ["new card", 2]


async def test_a_card_of_another_room_is_not_related_to(world: World) -> None:
    """When the staff room has moved, the case gets a new card there."""
    old = EventId("$old")
    await world.database.write(lambda tx: staff_threads.noted(tx, world.case.id, RoomId("!old:dpobot.test"), old))
    await world.tell("card", "k1", Relation.CARD)
    await world.tell("a note", "k2", Relation.THREAD)
    await world.send()
    card, note = world.said(world.office)
    assert note.content["m.relates_to"]["event_id"] == card.event_id == await world.card()


async def test_staff_need_not_be_two(world: World) -> None:
    """Any number of members, but an unencrypted room hears nothing."""
    world.server.rooms[world.office].encrypted = False
    await world.tell("secret", "k1", Relation.CARD)
    await world.send()
    silent = world.said(world.office)
    world.server.rooms[world.office].encrypted = True
    await world.tell("card", "k2", Relation.CARD)
    await world.send(days=1)
    assert (silent, world.server.bodies(world.office, BOT)) == ([], ["card"])
    assert await world.states() == {"k1": "failed", "k2": "sent"}


async def test_a_staff_room_that_shuts_us_out_is_waited_for(world: World) -> None:
    """For a day; then its messages are given up one after the other."""
    world.server.member(world.office, BOT, "leave")
    await world.tell("card", "k1", Relation.CARD)
    await world.send()
    waiting = await world.states()
    world.server.member(world.office, BOT, "join")
    await world.send(minutes=10)
    world.server.member(world.office, BOT, "leave")
    await world.tell("new card", "k2", Relation.EDIT)
    await world.send()
    await world.send(days=1)
    assert (waiting, await world.states()) == ({"k1": "new"}, {"k1": "sent", "k2": "failed"})


async def test_staff_s_trouble_does_not_delay_people(world: World) -> None:
    """The staff room is a line of its own."""
    world.server.member(world.office, BOT, "leave")
    await world.tell("card", "k1", Relation.CARD)
    await world.say("hello", "k2")
    assert await world.send() == ["hello"]


async def test_a_token_that_is_not_known_loses_nothing(world: World) -> None:
    """It says nothing of the message, which waits."""
    world.fail("send", Rejected("M_UNKNOWN_TOKEN", 401))
    await world.say("hello", "k", world.direct)
    assert await world.send() == []
    assert await world.send(minutes=1) == ["hello"]


async def test_who_comes_in_meanwhile_gets_no_key(world: World) -> None:
    """Between the look and the sending: an answer stays where it was asked, or is not said."""
    world.meanwhile["send"] = lambda: world.server.member(world.direct, EVE, "join")
    await world.say("personal", "k", world.direct)
    assert await world.send() == []
    assert await world.states() == {"k": "failed"}


async def test_what_was_not_asked_in_a_room_finds_another(world: World) -> None:
    """A message to a person, wherever they are, is sent into the next safe room."""
    world.meanwhile["send"] = lambda: world.server.member(world.direct, EVE, "join")
    await world.say("personal", "k")
    assert await world.send() == []
    await world.send(minutes=1)
    other = next(room for room in world.server.rooms if room not in (world.direct, world.office))
    assert (world.server.bodies(world.direct, BOT), world.server.bodies(other, BOT)) == ([], ["personal"])
    assert world.server.rooms[other].members == {BOT: "join", ANNA: "invite"}


async def test_a_sentence_without_personal_data_may_be_said_to_others(world: World) -> None:
    """Such as that the bot speaks with one person at a time."""
    world.server.member(world.direct, EVE, "join")
    await world.say("not here", "k", world.direct, cleartext=True)
    assert await world.send() == ["not here"]
    assert world.said(world.direct)[-1].encrypted


async def test_staff_hear_that_their_answer_did_not_arrive(world: World) -> None:
    """In the thread of the case, once; of other messages they hear nothing."""
    world.fail("create_direct", *[Rejected("M_FORBIDDEN", 403)] * 2)
    world.server.member(world.direct, ANNA, "leave")
    await world.tell("card", "card", Relation.CARD)
    await world.say("your answer", "k1", case_id=world.case.id)
    await world.say("a reminder", "k2")
    await world.send()
    card = await world.card()
    assert card is not None
    assert [event.content["body"] for event in world.server.thread(card)] == ["not delivered"]


async def test_plain_bytes_are_gone_after_an_upload(world: World) -> None:
    """They lie in a private folder for as long as the upload takes; what a crash left is removed at the start."""
    file = world.uploaded(b"secret")
    modes: list[int] = []
    world.meanwhile["upload_encrypted"] = lambda: modes.extend(
        path.stat().st_mode & 0o777 for path in (world.folder, *world.folder.iterdir())
    )
    await world.say("your answer", "k", files=[file])
    await world.send()
    assert (modes, list(world.folder.iterdir())) == ([0o700, 0o700], [])
    (world.folder / "left").mkdir()
    (world.folder / "left" / "file").write_bytes(b"secret")
    Attachments(FakeMatrix(world.server, BOT), world.folder, LARGEST)
    assert list(world.folder.iterdir()) == []


async def test_a_file_that_can_not_be_had_is_named_in_the_thread(world: World) -> None:
    """Deleted, altered, too large, refused: a sentence stands in its place."""
    files = {key: world.uploaded(b"bytes", f"{key}.pdf") for key in ("gone", "altered", "too_large", "refused")}
    world.server.media[files["altered"].file.url] = b"other"
    world.server.media[files["too_large"].file.url] = b"x" * (LARGEST + 1)
    del world.server.media[files["gone"].file.url]
    await world.tell("card", "card", Relation.CARD)
    for key, file in files.items():
        await world.evidence(file, key)
    world.meanwhile["upload_encrypted"] = lambda: world.fail("upload_encrypted", Rejected("M_FORBIDDEN", 403))
    await world.send()
    card = await world.card()
    assert card is not None
    assert [event.content["body"] for event in world.server.thread(card)] == [
        "failed: gone.pdf, gone",
        "failed: altered.pdf, altered",
        "failed: too_large.pdf, too_large",
        "failed: refused.pdf, refused",
    ]
    assert list(world.folder.iterdir()) == []


async def test_a_server_that_is_away_loses_no_file(world: World) -> None:
    """It is fetched when the server is back; also a token that is not known says nothing of the file."""
    world.fail("upload_encrypted", Unavailable("connection"), Rejected("M_UNKNOWN_TOKEN", 401))
    await world.say("your answer", "k", files=[world.uploaded(b"one")])
    assert await world.send() == ["your answer"]
    assert await world.send(minutes=1) == ["your answer"]
    assert await world.send(minutes=1) == ["your answer", "orders.pdf"]


async def test_a_file_from_a_server_that_hangs_keeps_nothing_up(world: World) -> None:
    """What staff are told goes on; after some ten minutes a sentence stands in the file's place."""
    world.fail("download_encrypted", *[Unavailable("http_504")] * 9)
    await world.tell("card", "card", Relation.CARD)
    await world.evidence(world.uploaded(b"one"), "file")
    await world.tell("a note", "note", Relation.THREAD)
    await world.send()
    card = await world.card()
    assert card is not None
    before = [event.content["body"] for event in world.server.thread(card)]
    for attempt in range(8):
        await world.send(seconds=3 * 2**attempt)
    after = [event.content["body"] for event in world.server.thread(card)]
    assert (before, after) == (["a note"], ["a note", "failed: orders.pdf, unreachable"])


async def test_a_file_waits_for_the_card_above_it(world: World) -> None:
    """Its line is another one, yet it does not overtake."""
    world.fail("send", Unavailable("connection"))
    await world.tell("card", "card", Relation.CARD)
    await world.evidence(world.uploaded(b"one"), "file")
    await world.send()
    early = world.said(world.office)
    await world.send(seconds=3)
    card = await world.card()
    assert card is not None
    assert (early, len(world.server.thread(card))) == ([], 1)


async def test_a_person_and_staff_hear_of_a_file_that_is_not_sent(world: World) -> None:
    """The person in its place, staff in the thread with the reason."""
    file = world.uploaded(b"one")
    del world.server.media[file.file.url]
    await world.tell("card", "card", Relation.CARD)
    await world.say("your answer", "k", files=[file], case_id=world.case.id)
    assert await world.send() == ["your answer", "not sent: orders.pdf"]
    await world.send()
    card = await world.card()
    assert card is not None
    assert [event.content["body"] for event in world.server.thread(card)] == ["not sent: orders.pdf, gone"]


async def test_a_file_goes_to_the_person_and_the_bot_alone(world: World) -> None:
    """Whoever comes in while it is being uploaded does not get it."""
    world.meanwhile["upload_encrypted"] = lambda: world.server.member(world.direct, EVE, "join")
    await world.say("your answer", "k", world.direct, files=[world.uploaded(b"one")])
    assert await world.send() == ["your answer"]
    assert await world.states() == {"k": "sent", "k.1": "failed"}


async def test_a_defect_is_not_tried_without_end(world: World) -> None:
    """Ten times; then what waits behind it is said."""
    world.server.faults["send"] = [ValueError("defect")] * 10
    await world.say("broken", "k1")
    await world.say("hello", "k2")
    for _ in range(9):
        assert await world.send(minutes=10) == []
    assert await world.send(minutes=10) == ["hello"]
    assert await world.states() == {"k1": "failed", "k2": "sent"}

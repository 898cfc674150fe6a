"""A complaint, from its first word to its end: what Anna sees, what the team sees, and that the two stay apart."""

from datetime import timedelta

from dpobot.audit import chain
from tests.flow.conftest import ANNA
from tests.flow.planted import BODY
from tests.flow.stage import reference
from tests.flow.team import DORA, EMIL, Team


async def test_a_complaint_from_first_word_to_closed(team: Team) -> None:
    """Anna complains; Dora takes it, asks, answers and closes; Anna hears only what is meant for her."""
    stage = team.stage
    room_id = await stage.meet(ANNA)

    acknowledgement = await stage.ask(room_id, ANNA, f"complaint {BODY} it took a month")
    case = reference(acknowledgement)
    assert "With this message your complaint is acknowledged" in acknowledgement[0]
    assert "22 December 2026 at the latest" in acknowledgement[0]
    assert "https://ico.org.uk/make-a-complaint/" in acknowledgement[0]

    assert "complaint (Art. 77)" in team.card(case)
    assert "Assigned to: nobody" in team.card(case)
    assert f"{BODY} it took a month" in team.thread(case)[0]

    await team.says(DORA, "claim", case)
    assert f"Assigned to: `{DORA}`" in team.card(case)

    assert await team.says(EMIL, "secretly, I think she is right", case) == []  # an internal note
    await team.says(DORA, "pause Which month was it?", case)
    assert "waits for the person" in team.card(case)
    (question,) = stage.said(room_id)[-1:]
    assert "Which month was it?" in question

    await stage.pass_time(days=3)
    await stage.ask(room_id, ANNA, f"{BODY} it was March")
    assert "waits for a decision" in team.card(case)
    # three days of waiting make it the 25th, a holiday, before a week-end and the day off for the 26th
    assert "due 29 December 2026" in team.card(case)

    before = stage.said(room_id)
    await team.says(DORA, "reply We are sorry. It will not happen again.", case)
    assert stage.said(room_id) == before  # so long it can be taken back
    await stage.pass_time(seconds=11)
    assert "We are sorry. It will not happen again." in stage.said(room_id)[-1]

    await team.says(DORA, "close", case)
    assert await stage.states() == ["closed"]
    assert "closed" in team.card(case)
    assert "closed" in stage.said(room_id)[-1]
    heard = "\n".join(stage.said(room_id))
    assert [word for word in ("secretly", str(DORA), str(EMIL), "Assigned") if word in heard] == []
    assert (await stage.database.read(chain.verify)).holds


async def test_a_reply_can_be_taken_back_for_ten_seconds(team: Team) -> None:
    """What Dora regrets at once is never said."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    case = reference(await stage.ask(room_id, ANNA, f"complaint {BODY}"))
    before = stage.said(room_id)
    await team.says(DORA, "reply regrettable words", case)
    stage.server.now += timedelta(seconds=5)
    await team.says(DORA, "undo", case)
    await stage.pass_time(minutes=5)
    assert stage.said(room_id) == before
    await team.says(DORA, "reply better words", case)
    await stage.pass_time(seconds=11)
    assert "better words" in stage.said(room_id)[-1]
    assert "regrettable" not in "\n".join(stage.said(room_id))


async def test_last_words_do_not_overtake_the_reply(team: Team) -> None:
    """Dora replies and closes at once: Anna reads the reply first, and it can't be taken back any more."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    case = reference(await stage.ask(room_id, ANNA, f"complaint {BODY}"))
    await team.says(DORA, "reply We are sorry.", case)
    await team.says(DORA, "close", case)
    answer, farewell = stage.said(room_id)[-2:]
    assert "We are sorry." in answer
    assert "closed" in farewell
    (refused,) = await team.says(DORA, "undo", case)
    assert "It is too late" in refused
    await stage.pass_time(minutes=1)
    assert stage.said(room_id)[-1] == farewell


async def test_evidence_reaches_the_thread(team: Team) -> None:
    """A picture that Anna sends into her case arrives under the card, as a copy of the bot's own."""
    stage = team.stage
    room_id = await stage.meet(ANNA)
    case = reference(await stage.ask(room_id, ANNA, f"complaint {BODY}"))
    sent = stage.server.attach(room_id, ANNA, b"pixels", "screen.png", media_type="image/png")
    await stage.settle()
    original = stage.server.event(sent).content["file"]["url"]
    root = team.cards()[case]
    (shown,) = [event for event in stage.server.thread(root) if event.content.get("msgtype") == "m.image"]
    assert shown.content["file"]["url"] != original
    assert stage.server.media[shown.content["file"]["url"]] == b"pixels"
    assert "1 file" in team.card(case)

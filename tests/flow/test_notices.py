"""Anna leaves, and the other servers that have copies are asked to erase them, too; theirs ask us the same."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest

from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.federation.support import Support
from dpobot.matrix.api import Received
from dpobot.model.ids import RoomId, UserId
from dpobot.model.notices import ANSWER, NOTICE, Contact, SupportContacts
from dpobot.model.words import Trust
from tests.flow.conftest import ANNA, BERT
from tests.flow.leaving import at_home, confirmed, receipt_code, shown
from tests.flow.stage import BOT, Stage
from tests.flow.team import DORA, Team

OTHER = UserId("@dpo:other.test")
CARL = UserId("@carl:other.test")
SENDING = {"notices": {"send": "staff"}}
_ADMIN = "m.role.admin"


@pytest.fixture
def published() -> dict[str, SupportContacts | Exception]:
    """Whom each server names."""
    return {"other.test": SupportContacts((Contact(_ADMIN, OTHER, None),))}


@pytest.fixture(autouse=True)
def support(published: dict[str, SupportContacts | Exception]) -> Iterator[None]:
    """What other servers publish, without a network."""

    async def contacts(self: Support, server: str) -> SupportContacts:
        found = published.get(server, Rejected("http_404", 404))
        if isinstance(found, Exception):
            raise found
        return found

    with patch.object(Support, "contacts", contacts):
        yield


async def _erased(
    team: Team, *others: UserId, words: str = "erase redact tell without copy", room: RoomId | None = None
) -> tuple[str, RoomId]:
    """Let Anna, who shares a room with these people, be erased; return the case and the room where she asked."""
    stage = team.stage
    shared = stage.room("club", ANNA, "one", "two")
    for other in others:
        stage.homeserver.set_membership(shared, other, "join")
    room_id = room or await at_home(stage)
    case = await confirmed(stage, room_id, words)
    await team.decides(DORA, "approve", case)
    for _ in range(3):
        await stage.pass_time(hours=25)
    return case, room_id


async def _ledger(stage: Stage) -> dict[str, tuple[str, str | None]]:
    return {row["server"]: (row["state"], row["error"]) for row in await stage.rows("erasure_notice")}


def _room_with(stage: Stage, person: UserId) -> RoomId:
    """Return the direct message that the bot has opened with somebody."""
    (room_id,) = [each for each, room in stage.server.rooms.items() if set(room.members) == {BOT, person}]
    return room_id


def _told(stage: Stage, room_id: RoomId, member: str) -> list[Any]:
    return [event.content[member] for event in stage.server.heard(room_id, BOT) if member in event.content]


async def _notified(team: Team, case: str) -> RoomId:
    """Let Dora have the servers told, and the contact come; return the room."""
    await team.decides(DORA, "notify", case)
    room_id = _room_with(team.stage, OTHER)
    team.stage.server.join(room_id, OTHER)
    await team.stage.settle()
    return room_id


@pytest.mark.parametrize("sections", [SENDING])
async def test_from_the_persons_word_to_done(team: Team) -> None:
    """She asks for it, reads it in the plan, staff let it go out, and what comes back is seen by staff and by her."""
    stage = team.stage
    shared = stage.room("garden", ANNA, "zero")
    stage.homeserver.set_membership(shared, CARL, "join")
    room = await at_home(stage)
    await shown(stage, room, "erase redact without copy")
    assert "`erase redact tell`: ask the other servers to erase their copies, too" in stage.said(room)[-1]
    case, room = await _erased(team, CARL, room=room)
    assert [text for text in stage.said(room) if "ask them to erase their copies. For that I name your user ID" in text]
    assert await _ledger(stage) == {"other.test": ("found", None)}
    assert any("and 1 has copies" in text for text in team.thread(case))

    (listed,) = await team.says(DORA, "notices", case)
    assert "`other.test`: has copies" in listed
    assert "The account `@anna:dpobot.test` was erased here" in listed
    (plan,) = await team.says(DORA, "notify", case)
    assert "1 server would be told" in plan
    room_id = await _notified(team, case)
    (notice,) = _told(stage, room_id, NOTICE)
    assert {**notice, "erased_at": ""} == {
        "version": 1, "reference": case, "user_id": ANNA, "erased_at": "", "requested": ["forget", "redact"],
    }  # fmt: skip
    assert await _ledger(stage) == {"other.test": ("sent", None)}

    for state in ("acknowledged", "done"):
        _answer(stage, room_id, OTHER, {"version": 1, "reference": case, "case": "X-1", "state": state})
        await stage.settle()
        assert await _ledger(stage) == {"other.test": (state, None)}
    assert "`other.test` says that it has done what we asked for" in team.thread(case)[-1]
    assert "says that it is done (1)" in team.card(case)
    bert = await stage.meet(BERT)
    said = await stage.ask(bert, BERT, f"receipt {receipt_code(stage.said(room))}")
    assert "says that it is done (1)" in said[0]
    (row,) = [row for row in await stage.rows("case") if row["reference"] == case]
    assert row["state"] == "closed"


@pytest.mark.parametrize("sections", [SENDING])
async def test_nobody_is_told_whom_the_person_does_not_want_told(team: Team) -> None:
    """Without her word there is no ledger, and nothing that staff could send."""
    case, _ = await _erased(team, CARL, words="erase redact without copy")
    assert await team.stage.rows("erasure_notice") == []
    (answer,) = await team.says(DORA, "notify", case)
    assert "There is nobody to be told" in answer


async def test_a_service_that_tells_nobody_says_so(stage: Stage) -> None:
    """What can't be kept is not promised."""
    room = await at_home(stage)
    (answer,) = await stage.ask(room, ANNA, "erase tell")
    assert "this service does not pass erasures on to other servers" in answer
    assert await stage.rows("case") == []


@pytest.mark.parametrize("sections", [SENDING])
async def test_servers_that_name_nobody(team: Team, published: dict[str, SupportContacts | Exception]) -> None:
    """No file, an e-mail address only, a server that is away for days, one with a name that is none: each is said."""
    published["mail.test"] = SupportContacts((Contact(_ADMIN, None, "dpo@mail.test"),))
    published["empty.test"] = SupportContacts(())
    published["away.test"] = Unavailable("connection_lost")
    people = [UserId(f"@carl:{name}") for name in ("none.test", "mail.test", "empty.test", "away.test", "not/a/name")]
    case, _ = await _erased(team, *people)
    await team.decides(DORA, "notify", case)
    for _ in range(2):
        await team.stage.pass_time(days=2)
    assert await _ledger(team.stage) == {
        "none.test": ("no_contact", "http_404"),
        "empty.test": ("no_contact", "nobody"),
        "mail.test": ("email", None),
        "away.test": ("failed", "connection_lost"),
    }
    (listed,) = await team.says(DORA, "notices", case)
    assert "`dpo@mail.test`" in listed
    assert "is yours to write to" in listed
    assert "I have tried all servers" in team.thread(case)[-2]
    published["away.test"] = published["empty.test"] = SupportContacts((Contact(_ADMIN, None, "a@b.test"),))
    await team.decides(DORA, "notify", case)
    assert (await _ledger(team.stage))["away.test"] == ("email", None)


@pytest.mark.parametrize("sections", [SENDING])
async def test_a_contact_who_never_comes(team: Team) -> None:
    """It is waited for two weeks, then the invitation is withdrawn; nothing of the person was said in the room."""
    case, _ = await _erased(team, CARL)
    await team.decides(DORA, "notify", case)
    room_id = _room_with(team.stage, OTHER)
    for _ in range(2):
        await team.stage.pass_time(days=8)
    assert await _ledger(team.stage) == {"other.test": ("failed", "not_joined")}
    assert team.stage.said(room_id) == []
    assert team.stage.server.rooms[room_id].members[BOT] == "leave"


@pytest.mark.parametrize("sections", [{"notices": {"send": "staff", "per_hour": 1}}])
async def test_no_more_within_an_hour_than_configured(
    team: Team, published: dict[str, SupportContacts | Exception]
) -> None:
    """The second server is told when the hour is over."""
    second = UserId("@dpo:second.test")
    published["second.test"] = SupportContacts((Contact(_ADMIN, second, None),))
    case, _ = await _erased(team, CARL, UserId("@dirk:second.test"))
    await team.decides(DORA, "notify", case)
    for person in (OTHER, second):
        team.stage.server.join(_room_with(team.stage, person), person)
    await team.stage.settle()
    assert sorted(state for state, _ in (await _ledger(team.stage)).values()) == ["approved", "sent"]
    await team.stage.pass_time(minutes=61)
    assert sorted(state for state, _ in (await _ledger(team.stage)).values()) == ["sent", "sent"]


_WRONG: tuple[dict[str, Any], ...] = (
    {"reference": "DPO-2026-9999"}, {"version": 2}, {"state": "sent"}, {"state": []}, {"case": 7},
)  # fmt: skip


@pytest.mark.parametrize("sections", [SENDING])
async def test_answers_that_are_none(team: Team) -> None:
    """From another room, another account, for another case, from an unsigned device, malformed, or back in time."""
    stage = team.stage
    case, _ = await _erased(team, CARL)
    room_id = await _notified(team, case)
    right = {"version": 1, "reference": case, "case": "X-1", "state": "done"}
    elsewhere = await stage.meet(OTHER)
    _answer(stage, elsewhere, OTHER, right)
    stranger = await stage.meet(CARL)
    _answer(stage, stranger, CARL, right)
    for wrong in _WRONG:
        _answer(stage, room_id, OTHER, {**right, **wrong})
    stage.server.devices[OTHER] = Trust.UNSIGNED
    _answer(stage, room_id, OTHER, right)
    await stage.settle()
    assert await _ledger(stage) == {"other.test": ("sent", None)}
    del stage.server.devices[OTHER]
    for state in ("done", "acknowledged"):
        _answer(stage, room_id, OTHER, {**right, "state": state})
    await stage.settle()
    assert await _ledger(stage) == {"other.test": ("done", None)}


@pytest.mark.parametrize("sections", [SENDING])
async def test_two_bots_never_talk_without_end(team: Team) -> None:
    """What the other side says in words is shown to staff, and answered by them alone."""
    stage = team.stage
    case, _ = await _erased(team, CARL)
    room_id = await _notified(team, case)
    before = stage.said(room_id)
    stage.server.text(room_id, OTHER, "Sorry, I don't know that command. Try help.")
    stage.server.text(room_id, OTHER, "help")
    await stage.settle()
    assert stage.said(room_id) == before
    assert [text for text in team.thread(case) if "`@dpo:other.test` wrote" in text]
    assert "You can write any of these" in "\n".join(await stage.ask(room_id, OTHER, "!dpo help"))


# --- the other way round ---------------------------------------------------------------------------------------------

GONE = UserId("@gone:other.test")


def _notice(**changed: Any) -> dict[str, Any]:
    return {
        "version": 1, "reference": "OTH-7", "user_id": GONE, "erased_at": "2026-11-20",
        "requested": ["forget", "redact"], "something": {"new": True},
    } | changed  # fmt: skip


async def _write(stage: Stage, room_id: RoomId, sender: UserId, notice: Any) -> list[Received]:
    """Let somebody send a notice, and return what the bot says."""
    before = len(stage.server.heard(room_id, BOT))
    stage.server.say(room_id, sender, {"msgtype": "m.text", "body": "notice", NOTICE: notice})
    await stage.settle()
    return stage.server.heard(room_id, BOT)[before:]


def _answer(stage: Stage, room_id: RoomId, sender: UserId, answer: Any) -> None:
    stage.server.say(room_id, sender, {"msgtype": "m.notice", "body": "answer", ANSWER: answer})


async def test_a_notice_opens_a_case_and_is_answered(team: Team) -> None:
    """Acknowledged at once, decided by staff, and whoever asked hears how it ended; a repeat changes nothing."""
    stage = team.stage
    room_id = await stage.meet(OTHER)
    (answer,) = await _write(stage, room_id, OTHER, _notice())
    (row,) = await stage.rows("case")
    case = row["reference"]
    assert answer.content["msgtype"] == "m.notice"
    assert answer.content[ANSWER] == {"version": 1, "reference": "OTH-7", "state": "acknowledged", "case": case}
    known = {name: row[name] for name in ("person", "kind", "state", "channel", "trust")}
    assert known == {
        "person": GONE, "kind": "erasure", "state": "review", "channel": "federation", "trust": "signed",
    }  # fmt: skip
    assert "the contact that `other.test` names for its people" in team.card(case)
    assert "reference `OTH-7`" in team.card(case)
    (again,) = await _write(stage, room_id, OTHER, _notice())
    assert again.content[ANSWER] == answer.content[ANSWER]
    assert len(await stage.rows("case")) == 1

    await team.says(DORA, "claim", case)
    await team.says(DORA, "close: Our media cache is empty now.", case)
    await stage.pass_time(minutes=2)
    assert any("Our media cache is empty now." in text for text in stage.said(room_id))
    assert _told(stage, room_id, ANSWER)[-1]["state"] == "done"
    (late,) = await _write(stage, room_id, OTHER, _notice())
    assert late.content[ANSWER]["state"] == "done"
    await stage.pass_time(minutes=2)
    assert stage.server.heard(room_id, BOT)[-1] == late


async def test_a_refusal_is_told(team: Team) -> None:
    """With staff's words, and in a form that a program reads."""
    stage = team.stage
    room_id = await stage.meet(OTHER)
    await _write(stage, room_id, OTHER, _notice())
    (row,) = await stage.rows("case")
    await team.decides(DORA, "refuse no_data We hold nothing of that account.", row["reference"])
    await stage.pass_time(minutes=2)
    assert _told(stage, room_id, ANSWER)[-1]["state"] == "refused"
    assert any("We hold nothing of that account." in text for text in stage.said(room_id))


NOT_TAKEN: list[tuple[UserId, dict[str, Any], str | None]] = [
    (OTHER, {"user_id": ANNA}, "local"),
    (OTHER, {"user_id": "@x:third.test"}, "other_server"),
    (BERT, {"user_id": GONE}, "other_server"),
    (OTHER, {"user_id": "@gone:other.test\u200b"}, None),
    (OTHER, {"user_id": "@g\u043ene:other.test"}, None),
    (OTHER, {"user_id": ["@gone:other.test"]}, None),
    (OTHER, {"erased_at": "2026-13-01"}, None),
    (OTHER, {"version": True}, None),
    (OTHER, {"requested": []}, None),
    (OTHER, {"requested": "forget"}, None),
    (OTHER, {"reference": "a b"}, None),
]


async def test_what_is_no_notice(stage: Stage) -> None:
    """A sentence, no case; where it could be read at all its program is told as well."""
    rooms = {sender: await stage.meet(sender) for sender in (OTHER, BERT)}
    for sender, changed, reason in NOT_TAKEN:
        (answer,) = await _write(stage, rooms[sender], sender, _notice(**changed))
        assert str(answer.content["body"]).startswith("I have not taken this erasure notice")
        said = answer.content.get(ANSWER)
        assert (said and (said["state"], said["reason"])) == (reason and ("refused", reason)), changed
    assert await stage.rows("case") == []


async def test_a_device_that_nobody_has_signed(stage: Stage) -> None:
    """Who sent it is not known: refused."""
    stage.server.devices[OTHER] = Trust.UNSIGNED
    (answer,) = await _write(stage, await stage.meet(OTHER), OTHER, _notice())
    assert answer.content[ANSWER]["reason"] == "untrusted"


async def test_a_room_without_encryption(stage: Stage) -> None:
    """It is turned away as every message there is."""
    room_id = stage.server.room(OTHER, BOT, encrypted=False, direct=False)
    stage.server.rooms[room_id].powers = {OTHER}
    await stage.settle()
    await _write(stage, room_id, OTHER, _notice())
    assert await stage.rows("case") == []
    assert _told(stage, room_id, ANSWER) == []


@pytest.mark.parametrize("found", [SupportContacts(()), Rejected("private_address"), Unavailable("timeout")])
async def test_a_sender_whom_the_server_does_not_name(
    team: Team, published: dict[str, SupportContacts | Exception], found: SupportContacts | Exception
) -> None:
    """A case, marked: staff see that it is not proven, and can't approve it as it is."""
    published["other.test"] = found
    stage = team.stage
    await _write(stage, await stage.meet(OTHER), OTHER, _notice())
    (row,) = await stage.rows("case")
    assert "not verified: `other.test` does not name the sender as its contact" in team.card(row["reference"])
    (refused,) = await team.says(DORA, "approve", row["reference"])
    assert "verify" in refused


@pytest.mark.parametrize("sections", [{"notices": {"per_hour": 3}}])
async def test_a_flood_of_one_server(team: Team, published: dict[str, SupportContacts | Exception]) -> None:
    """So many an hour and no more; another server is served all the same."""
    stage = team.stage
    room_id = await stage.meet(OTHER)
    answers = [await _write(stage, room_id, OTHER, _notice(reference=f"OTH-{n}")) for n in range(5)]
    states = [answer[0].content[ANSWER]["state"] for answer in answers]
    assert states == ["acknowledged"] * 3 + ["refused"] * 2
    assert answers[-1][0].content[ANSWER]["reason"] == "too_many"
    second = UserId("@dpo:second.test")
    published["second.test"] = SupportContacts((Contact(_ADMIN, second, None),))
    notice = _notice(user_id="@gone:second.test", reference="OTH-1")
    (answer,) = await _write(stage, await stage.meet(second), second, notice)
    assert answer.content[ANSWER]["state"] == "acknowledged"


async def test_what_became_of_a_case_is_told_to_who_asked(stage: Stage) -> None:
    """Somebody else of that server who knows the reference learns nothing."""
    await _write(stage, await stage.meet(OTHER), OTHER, _notice())
    (answer,) = await _write(stage, await stage.meet(CARL), CARL, _notice())
    assert answer.content[ANSWER] == {
        "version": 1, "reference": "OTH-7", "state": "refused", "reason": "reference_taken",
    }  # fmt: skip


@pytest.mark.parametrize("sections", [{"notices": {"receive": "never"}}])
async def test_a_service_that_takes_none(team: Team) -> None:
    """It says whom to write to instead."""
    (answer,) = await _write(team.stage, await team.stage.meet(OTHER), OTHER, _notice())
    assert "does not take them from programs" in answer.content["body"]
    assert await team.stage.rows("case") == []

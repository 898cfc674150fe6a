"""The staff room on a real homeserver: made or adopted, refused where it is not safe, and who counts as staff in it."""

import csv
import hashlib
import io
import json
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.demo.world import Resident
from dpobot.matrix.http import path
from dpobot.store import tables
from dpobot.store.database import Tx
from tests.live.bot import RunningBot, StartBot
from tests.live.conftest import Register
from tests.live.guest import COMPLETE, HELP, Arrive, Guest
from tests.live.received import Archive
from tests.live.staffer import Employ, Staffer, body

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

REFERENCE = re.compile(r"DPO-\d{4}-\d{4,}")
NOT_STAFF = "the power level in this room that makes somebody staff"
NOT_BY_REACTION = "is not approved by one"


async def _in_its_room(start_bot: StartBot, *members: Staffer, **sections: dict[str, Any]) -> RunningBot:
    """Start a bot that makes its staff room, and let everybody in."""
    staff = {"members": [member.user_id for member in members], "reply_delay_seconds": 0}
    bot = await start_bot(**({"staff": staff} | sections))
    for member in members:
        await member.enter(bot.user_id)
    return bot


async def _opened(guest: Guest, words: str) -> str:
    """Ask for something; return the reference of the new case."""
    known = set(REFERENCE.findall("\n".join(body(event) for event in guest.messages())))
    await guest.say(words)
    while True:
        found = set(REFERENCE.findall("\n".join(body(event) for event in guest.messages()))) - known
        if found:
            return str(found.pop())
        await guest.listen()


async def _state(member: Staffer, type_: str) -> dict[str, Any]:
    endpoint = path("rooms", member.room, "state", type_, "", base="")
    content: dict[str, Any] = await member.resident.call("GET", endpoint)
    return content


async def test_the_bot_makes_a_room_by_invitation_only(start_bot: StartBot, employ: Employ) -> None:
    """Encrypted from its first event, closed, its members have the level; the bot takes up the same one again."""
    one, other = await employ("dora"), await employ("emil")
    bot = await _in_its_room(start_bot, one, other)
    await one.hear("This is the staff room")
    powers = await _state(one, "m.room.power_levels")
    assert (await _state(one, "m.room.encryption"))["algorithm"] == "m.megolm.v1.aes-sha2"
    assert (await _state(one, "m.room.join_rules"))["join_rule"] == "invite"
    assert (await _state(one, "m.room.history_visibility"))["history_visibility"] != "world_readable"
    assert [powers["users"][member.user_id] for member in (one, other)] == [50, 50]
    await bot.restart()
    await one.answered("queue")
    await other.listen()
    assert {invite.room_id for invite in one.client.invites} == {one.room}
    assert len([event for event in other.main() if "This is the staff room" in body(event)]) == 1
    assert one.unread() == other.unread() == []


async def test_a_given_room_is_adopted(register: Register, start_bot: StartBot, employ: Employ, arrive: Arrive) -> None:
    """The bot accepts the invitation to the configured room, and works there for whoever has the level."""
    boss, account = await employ("boss"), await register("dpo")
    room = await boss.furnish(account.user_id)
    bot = await start_bot(account, staff={"room_id": room})
    await boss.hear("This is the staff room")
    guest = await arrive(bot, await register("ann"))
    reference = await _opened(guest, "complaint nobody answers")
    card = await boss.card(reference)
    await boss.say("claim", card.event_id)
    await boss.card(reference, f"Assigned to: `{boss.user_id}`")


@pytest.mark.parametrize(
    ("room", "sentence"),
    [({"initial_state": []}, "not encrypted"), ({"preset": "public_chat"}, "lets strangers in")],
    ids=["unencrypted", "public"],
)
async def test_a_room_that_is_not_safe_is_not_used(
    register: Register, start_bot: StartBot, employ: Employ, arrive: Arrive, room: dict[str, Any], sentence: str
) -> None:
    """It says so there in a sentence, names no case and obeys nobody, and serves people all the same."""
    boss, account = await employ("boss"), await register("dpo")
    room_id = await boss.furnish(account.user_id, **room)
    bot = await start_bot(account, staff={"room_id": room_id})
    await boss.hear(sentence)
    guest = await arrive(bot, await register("ann"))
    reference = await _opened(guest, "complaint nobody answers")
    await boss.resident.say(room_id, "queue")
    await guest.say("help")
    await guest.hear(HELP)
    await boss.quiet(3)
    said = [body(event) for event in boss.heard()]
    assert [text for text in said if reference in text or guest.client.session.user_id in text] == []
    assert len(said) == 1
    assert bot.running


async def test_a_room_that_becomes_unsafe_is_left_alone(
    register: Register, start_bot: StartBot, employ: Employ, arrive: Arrive
) -> None:
    """An admin opens the room to everybody: nothing about people is said there any more."""
    boss, account = await employ("boss"), await register("dpo")
    room_id = await boss.furnish(account.user_id)
    bot = await start_bot(account, staff={"room_id": room_id})
    await boss.hear("This is the staff room")
    endpoint = path("rooms", room_id, "state", "m.room.join_rules", "", base="")
    await boss.resident.call("PUT", endpoint, {"join_rule": "public"})
    await bot.restart()
    guest = await arrive(bot, await register("ann"))
    reference = await _opened(guest, "complaint nobody answers")
    await boss.hear("lets strangers in")
    await boss.quiet(3)
    assert [text for text in map(body, boss.heard()) if reference in text] == []


async def test_a_bot_that_was_removed_goes_on_when_it_is_invited_again(
    register: Register, start_bot: StartBot, employ: Employ, arrive: Arrive
) -> None:
    """Out of its room it serves people; back in it, what came meanwhile has its card, and the old thread works."""
    boss, account = await employ("boss"), await register("dpo")
    room = await boss.furnish(account.user_id)
    bot = await start_bot(account, staff={"room_id": room, "reply_delay_seconds": 0})
    ann, ben = await arrive(bot, await register("ann")), await arrive(bot, await register("ben"))
    before = await _opened(ann, "complaint nobody answers")
    card = (await boss.card(before)).event_id
    await boss.kick(bot.user_id)
    meanwhile = await _opened(ben, "complaint nobody answers me either")
    await boss.resident.call("POST", path("rooms", room, "invite", base=""), {"user_id": bot.user_id})
    await boss.card(meanwhile)
    await boss.say("reply we are back", card)
    await ann.hear("we are back")
    assert [len(boss.cards(reference)) for reference in (before, meanwhile)] == [1, 1]
    assert boss.unread() == []


async def test_who_lost_power_or_was_removed_is_refused_at_the_next_command(
    register: Register, start_bot: StartBot, employ: Employ, arrive: Arrive
) -> None:
    """The level is asked for at each command; who was removed and comes back without it is nobody."""
    boss, dora, account = await employ("boss"), await employ("dora"), await register("dpo")
    room = await boss.furnish(account.user_id, dora.user_id, powers={dora.user_id: 50})
    await dora.client.session.join(room)
    bot = await start_bot(account, staff={"room_id": room})
    await dora.enter(bot.user_id, room)
    guest = await arrive(bot, await register("ann"))
    reference = await _opened(guest, "complaint nobody answers")
    card = (await dora.card(reference)).event_id
    await dora.say("claim", card)
    await dora.card(reference, f"Assigned to: `{dora.user_id}`")
    await boss.set_power(dora.user_id, 49)
    await dora.answered("reply this must not arrive", card, NOT_STAFF)
    await dora.say("this is no note of staff", card)
    await boss.answered("queue")  # by then the bot has dealt with it
    await dora.quiet(1)
    await boss.set_power(dora.user_id, 50)
    await dora.say("reply this arrives", card)
    await guest.hear("this arrives")
    await boss.kick(dora.user_id)
    meanwhile = await boss.answered("help")
    await boss.set_power(dora.user_id, 0)
    await boss.resident.call("POST", path("rooms", room, "invite", base=""), {"user_id": dora.user_id})
    await dora.client.session.join(room)
    await dora.quiet(1)
    await dora.say("reply this must not arrive", card)
    await boss.say("reply the last word", card)
    await guest.hear("the last word")
    assert guest.heard("must not arrive") == []
    assert meanwhile not in [body(event) for event in dora.main()]
    await bot.stop()
    async with bot.database() as database:
        assert await database.read(_notes) == 0


async def _notes(tx: Tx) -> int:
    """Count the internal notes of all cases."""
    query = sa.select(sa.func.count()).where(tables.case_message.c.direction == "note")
    return int(await tx.conn.scalar(query) or 0)


async def test_what_a_server_admin_forges_does_nothing(
    synapse: Synapse, admin: Credentials, register: Register, start_bot: StartBot, employ: Employ, arrive: Arrive
) -> None:
    """A puppet of a member of staff approves by a reaction, and by a command in the clear: answered, not done."""
    dora = await employ("dora")
    bot = await _in_its_room(start_bot, dora, policy={"approve": []})
    guest = await arrive(bot, await register("ann"))
    reference = await _opened(guest, "export account")
    card = (await dora.card(reference)).event_id
    puppet = await _puppet(synapse, admin, dora)
    annotation = {"rel_type": "m.annotation", "event_id": card, "key": "✅"}
    await puppet.send(dora.room, {"m.relates_to": annotation}, "m.reaction")
    await dora.hear(NOT_BY_REACTION, card)
    thread = {"rel_type": "m.thread", "event_id": card}
    await puppet.send(dora.room, {"msgtype": "m.text", "body": "approve", "m.relates_to": thread})
    await dora.hear("your message was not encrypted", card)
    code = await dora.code("approve", card)
    await puppet.send(dora.room, {"msgtype": "m.text", "body": f"approve {code}", "m.relates_to": thread})
    await guest.quiet(3)
    assert "State: waits for a decision" in dora.shown(await dora.card(reference))
    assert guest.files() == []
    await dora.say(f"approve {code}", card)
    await guest.hear(COMPLETE)


async def _puppet(synapse: Synapse, admin: Credentials, member: Staffer) -> Resident:
    """Return what a server admin can be: the member of staff, without their keys."""
    endpoint = f"/_synapse/admin/v1/users/{member.user_id}/login"
    answer = await synapse.request("POST", endpoint, admin.access_token, {})
    token = str(answer["access_token"])
    return Resident(synapse, Credentials(str(member.user_id), "", token, ""))


async def test_files_go_both_ways(
    register: Register, start_bot: StartBot, employ: Employ, arrive: Arrive, tmp_path: Path
) -> None:
    """Evidence of a person arrives in the thread as it was sent; a file of staff goes with the reply, once."""
    dora = await employ("dora")
    bot = await _in_its_room(start_bot, dora)
    guest = await arrive(bot, await register("ann"))
    reference = await _opened(guest, "complaint you lost my letter")
    card = (await dora.card(reference)).event_id
    evidence, answer = secrets.token_bytes(300_001), secrets.token_bytes(200_001)
    (tmp_path / "evidence").write_bytes(evidence)
    (tmp_path / "answer").write_bytes(answer)
    await guest.send_file(tmp_path / "evidence", "letter.pdf")
    relayed = await dora.hear("letter.pdf", card)
    while relayed.content.get("msgtype") != "m.file":
        await dora.listen()
        relayed = next((event for event in dora.thread(card) if event.content.get("msgtype") == "m.file"), relayed)
    await dora.hand_in(tmp_path / "answer", "our answer.pdf", card)
    await dora.answered("attach", card, "goes to the person with the next")
    await dora.say("reply here is the letter", card)
    await guest.hear("here is the letter")
    await guest.hear("our answer.pdf")
    await dora.say("reply and nothing more", card)
    await guest.hear("and nothing more")
    await guest.quiet(2)
    (file,) = guest.files()
    await guest.client.fetch(dict(file.content), tmp_path / "got")
    assert hashlib.sha256(await dora.fetch(relayed, tmp_path / "seen")).digest() == hashlib.sha256(evidence).digest()
    assert hashlib.sha256((tmp_path / "got").read_bytes()).digest() == hashlib.sha256(answer).digest()
    assert relayed.content["file"]["url"] != file.content["file"]["url"]
    assert bot.leaks("letter.pdf", "our answer.pdf", "you lost my letter") == []


async def test_a_reply_that_is_taken_back_gives_its_files_back(
    register: Register, start_bot: StartBot, employ: Employ, arrive: Arrive, tmp_path: Path
) -> None:
    """Undone in time: the person gets neither words nor file, and the file goes with the next reply."""
    dora = await employ("dora")
    bot = await start_bot(staff={"members": [dora.user_id], "reply_delay_seconds": 4})
    await dora.enter(bot.user_id)
    guest = await arrive(bot, await register("ann"))
    reference = await _opened(guest, "complaint you lost my letter")
    card = (await dora.card(reference)).event_id
    (tmp_path / "answer").write_bytes(b"the answer")
    await dora.hand_in(tmp_path / "answer", "answer.txt", card)
    await dora.answered("attach", card, "goes to the person with the next")
    await dora.answered("reply too early", card, "undo")
    await dora.answered("undo", card, "taken back")
    await dora.say("reply now it is right", card)
    await guest.hear("now it is right")
    await guest.hear("answer.txt")
    assert guest.heard("too early") == []
    assert len(guest.files()) == 1


async def test_a_file_of_staff_goes_into_the_archive(
    register: Register, start_bot: StartBot, employ: Employ, arrive: Arrive, tmp_path: Path
) -> None:
    """What another system holds is sent into the thread, attached, and is in the archive that the approval delivers."""
    dora = await employ("dora")
    bot = await _in_its_room(start_bot, dora, policy={"approve": []})
    guest = await arrive(bot, await register("ann"))
    reference = await _opened(guest, "export account")
    card = (await dora.card(reference)).event_id
    (tmp_path / "shop").write_bytes(b"order;amount\n17;3")
    await dora.hand_in(tmp_path / "shop", "shop.csv", card)
    await dora.answered("attach", card, "goes into the archive")
    code = await dora.code("approve", card)
    await dora.say(f"approve {code}", card)
    await guest.hear(COMPLETE)
    archive = Archive.read(await guest.fetch(tmp_path / "volumes"))
    assert [name for name, data in archive.entries() if data == b"order;amount\n17;3"] != []
    assert archive.wrong_digests() == []


async def test_the_register_arrives_and_parses(
    register: Register, start_bot: StartBot, employ: Employ, arrive: Arrive, tmp_path: Path
) -> None:
    """One line for each request received in that time, without a name of anybody."""
    dora = await employ("dora")
    bot = await _in_its_room(start_bot, dora)
    guest = await arrive(bot, await register("ann"))
    references = [await _opened(guest, words) for words in ("complaint =1+1", "object to @all of it")]
    year = datetime.now(UTC).year
    await dora.say(f"register {year}-01-01 {year}-12-31")
    await dora.until(lambda: any(event.content.get("msgtype") == "m.file" for event in dora.main()), "the register")
    file = next(event for event in dora.main() if event.content.get("msgtype") == "m.file")
    text = (await dora.fetch(file, tmp_path / "register.csv")).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert sorted(row["reference"] for row in rows) == sorted(references)
    assert [cell for row in rows for cell in row.values() if cell[:1] in ("=", "+", "-", "@")] == []
    assert guest.client.session.user_id not in text
    assert dora.user_id not in json.dumps(rows)

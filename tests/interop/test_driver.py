"""The ring itself: two people with foreign clients understand each other: a failure with the bot is the bot's."""

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from dpobot.demo.synapse import Synapse
from tests.interop.conftest import MakePerson
from tests.interop.driver import JsError, JsPerson
from tests.live.conftest import Register

pytestmark = [pytest.mark.live, pytest.mark.interop]


async def direct_message(one: JsPerson, other: JsPerson, *, encrypted: bool = True) -> str:
    room = await one.create_dm(other.user_id, encrypted=encrypted)
    assert await other.wait_invite(one.user_id) == room
    await other.join(room)
    await one.wait_membership(room, other.user_id)
    return room


@pytest.mark.parametrize("mode", ["all", "signed"])
async def test_two_people_talk(js_person: MakePerson, mode: str) -> None:
    """Two cross-signed people read each other in both modes: text, edit, thread, reaction, redaction, no shield."""
    ann, ben = await asyncio.gather(js_person("ann", mode=mode), js_person("ben", mode=mode))
    room = await direct_message(ann, ben)
    first = await ann.send(room, "how do you do")
    seen = await ben.wait_for(room, "^how do you do$", sender=ann.user_id)
    answer = await ben.reply_in_thread(room, first, "very well")
    threaded = await ann.wait_for(room, "very well", sender=ben.user_id)
    edit = await ann.edit(room, first, "how are you")
    edited = await ben.wait_for(room, "^how are you$", replaces=first)
    await ben.react(room, first, "\U0001f44d\ufe0f")
    reaction = await ann.wait_for(room, type="m.reaction", sender=ben.user_id)
    await ben.redact(room, answer)
    await ann.wait_for(room, redacts=answer)
    assert (seen.event_id, seen.encrypted, seen.shield, seen.failure) == (first, True, "none", None)
    assert (threaded.event_id, threaded.thread_root, threaded.shield) == (answer, first, "none")
    assert (edited.event_id, edited.shield) == (edit, "none")
    assert reaction.content["m.relates_to"]["key"] == "\U0001f44d\ufe0f"
    assert [message.event_id for message in await ann.messages(room) if message.redacted] == [answer]


async def test_a_message_sent_with_the_invitation_is_readable_after_joining(js_person: MakePerson) -> None:
    """The first text goes out before the other one has joined, as Element does it, and is read afterwards."""
    ann, ben = await asyncio.gather(js_person("ann"), js_person("ben"))
    room = await ann.create_dm(ben.user_id)
    first = await ann.send(room, "before you came")
    await ben.join(await ben.wait_invite(ann.user_id))
    seen = await ben.wait_for(room, "before you came", sender=ann.user_id)
    assert (seen.event_id, seen.shield) == (first, "none")


async def test_a_room_without_encryption_is_one(js_person: MakePerson) -> None:
    """A direct message made without encryption carries cleartext and no shield."""
    ann, ben = await asyncio.gather(js_person("ann"), js_person("ben"))
    room = await direct_message(ann, ben, encrypted=False)
    await ann.send(room, "everybody may read this")
    seen = await ben.wait_for(room, "everybody", sender=ann.user_id)
    assert (seen.encrypted, seen.shield, seen.body) == (False, None, "everybody may read this")


async def test_a_file_arrives_as_it_was_sent(js_person: MakePerson, synapse: Synapse, tmp_path: Path) -> None:
    """An encrypted file comes back with the same SHA-256; the server holds other bytes; a wrong hash is refused."""
    ann, ben = await asyncio.gather(js_person("ann"), js_person("ben"))
    room = await direct_message(ann, ben)
    plain = os.urandom(300_001)
    (tmp_path / "plain").write_bytes(plain)
    sent = await ann.send_file(room, tmp_path / "plain", "letter.bin")
    message = await ben.wait_for(room, msgtype="m.file", sender=ann.user_id)
    got = await ben.download(message, tmp_path / "got")
    assert (message.event_id, message.body, message.shield) == (sent.event_id, "letter.bin", "none")
    assert hashlib.sha256(got.path.read_bytes()).hexdigest() == got.sha256 == hashlib.sha256(plain).hexdigest()
    assert plain not in [path.read_bytes() for path in synapse.folder.rglob("media/**/*") if path.is_file()]
    forged = {**message.content["file"], "hashes": {"sha256": "A" * 43}}
    with pytest.raises(JsError) as refused:
        await ben.call("download", file=forged, path=str(tmp_path / "forged"))
    assert (refused.value.code, (tmp_path / "forged").exists()) == ("BAD_HASH", False)
    gone = {**message.content["file"], "url": f"mxc://{synapse.server_name}/{'x' * 24}"}
    with pytest.raises(JsError) as missing:
        await ben.call("download", file=gone, path=str(tmp_path / "gone"))
    assert missing.value.status == 404


async def test_signed_mode_reads_nothing_from_an_unsigned_device(js_person: MakePerson) -> None:
    """Who excludes insecure devices can't read a sender without cross-signing; who does not sees a red shield."""
    strict, lax, unsigned = await asyncio.gather(
        js_person("strict", mode="signed"),
        js_person("lax", mode="all"),
        js_person("unsigned", mode="all", cross_sign=False),
    )
    room = await direct_message(unsigned, strict)
    await unsigned.invite(room, lax.user_id)
    await lax.join(await lax.wait_invite(unsigned.user_id))
    await unsigned.wait_membership(room, lax.user_id)
    secret = await unsigned.send(room, "trust me")
    refused = await strict.wait_for(room, event_id=secret, failure="UNSIGNED_SENDER_DEVICE")
    warned = await lax.wait_for(room, event_id=secret, type="m.room.message")
    assert (refused.body, refused.shield) == (None, None)
    assert (warned.body, warned.shield, warned.shield_reason) == ("trust me", "red", "unsigned_device")


async def test_a_recovery_key_makes_the_next_login_a_verified_one(
    js_node: str, synapse: Synapse, register: Register, js_person: MakePerson
) -> None:
    """A second device with the recovery key is cross-signed: who excludes insecure devices reads it."""
    account = await register("ann")
    ben = await js_person("ben", mode="signed")
    first, second = await asyncio.gather(JsPerson.launch(js_node), JsPerson.launch(js_node))
    try:
        made = await first.start(synapse.url, account.user_id, account.password, backup=True)
        key = made.recovery_key
        again = await second.start(synapse.url, account.user_id, account.password, recovery_key=key)
        room = await direct_message(second, ben)
        await second.send(room, "it is me")
        seen = await ben.wait_for(room, "it is me", sender=account.user_id)
        assert (made.cross_signed, again.cross_signed, seen.shield) == (True, True, "none")
        assert made.device_id != again.device_id
    finally:
        await asyncio.gather(first.stop(), second.stop())


async def test_a_thread_is_read_as_a_reader_sees_it(js_person: MakePerson, tmp_path: Path) -> None:
    """A root that was edited twice shows its newest text; its thread holds text, edit and file, in order."""
    ann, ben = await asyncio.gather(js_person("ann"), js_person("ben"))
    room = await ann.create_room("The office", ben.user_id, powers={ben.user_id: 50})
    await ben.join(await ben.wait_invite(ann.user_id))
    await ann.wait_membership(room, ben.user_id)
    card = await ann.send(room, "state: open")
    line = await ben.reply_in_thread(room, card, "a nite")
    await ann.edit(room, card, "state: claimed")
    await ben.edit(room, line, "a note")
    (tmp_path / "list").write_bytes(b"1;2;3")
    file = await ann.send_file(room, tmp_path / "list", "list.csv", "text/csv", root=card)
    await ann.edit(room, card, "state: closed")
    shown = await ben.wait_shown(card, "^state: closed$")
    await ben.wait_for(room, msgtype="m.file", thread_root=card)
    await ben.wait_shown(line, "^a note$")
    thread = await ben.thread(room, card)
    assert (shown.event_id, shown.edited, shown.failure, shown.thread_root) == (card, True, None, None)
    assert [(message.event_id, message.body, message.edited) for message in thread] == [
        (line, "a note", True),
        (file.event_id, "list.csv", False),
    ]
    assert [message.body for message in await ben.read(room) if message.thread_root is None] == ["state: closed"]
    with pytest.raises(JsError) as missing:
        await ben.wait_shown(card, "never said", timeout=0.5)
    assert missing.value.code == "TIMEOUT"


async def test_an_edit_of_somebody_else_changes_nothing_for_a_reader(js_person: MakePerson) -> None:
    """The client applies edits of the sender only: what is shown is never what another one wrote over it."""
    ann, ben = await asyncio.gather(js_person("ann"), js_person("ben"))
    room = await direct_message(ann, ben)
    said = await ann.send(room, "my own words")
    await ann.wait_for(room, "my own words")
    forged = await ben.edit(room, said, "not hers")
    await ann.wait_for(room, event_id=forged)
    assert [(message.body, message.edited) for message in await ann.read(room)] == [("my own words", False)]


async def test_power_is_given_taken_and_seen(js_person: MakePerson) -> None:
    """Levels are set with the room and afterwards; who is removed is out."""
    ann, ben = await asyncio.gather(js_person("ann"), js_person("ben"))
    room = await ann.create_room("The office", ben.user_id, powers={ben.user_id: 50})
    await ben.join(await ben.wait_invite(ann.user_id))
    first = (await ben.power_levels(room))[ben.user_id]
    await ann.set_power(room, ben.user_id, 0)
    await ann.send(room, "lowered")
    await ben.wait_for(room, "lowered")
    second = (await ben.power_levels(room)).get(ben.user_id, 0)
    await ann.kick(room, ben.user_id)
    await ben.wait_membership(room, ben.user_id, "leave")
    assert (first, second) == (50, 0)

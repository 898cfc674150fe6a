"""Two real sessions on a real homeserver: the account under test and a person."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.errors import ConfigurationError, Gone, Rejected, Unavailable
from dpobot.matrix.folder import Folder
from dpobot.matrix.http import Http
from dpobot.matrix.identity import Bootstrap, Identity
from dpobot.matrix.login import device
from dpobot.matrix.secret_storage import recovery_key
from dpobot.matrix.session import Session
from dpobot.matrix.signatures import decode, encode
from dpobot.model.ids import Mxc, RoomId
from dpobot.model.words import Trust
from tests.live.conftest import Register
from tests.live.people import Client, joined, opened

pytestmark = pytest.mark.live

Meet = Callable[..., Awaitable[Client]]


@pytest.fixture
async def meet(synapse: Synapse, register: Register, tmp_path: Path) -> AsyncIterator[Meet]:
    """Make a client of a new account; all are closed at the end."""
    async with AsyncExitStack() as stack:

        async def make(name: str, account: Credentials | None = None, recovery_key: str | None = None) -> Client:
            session = await opened(synapse, account or await register(name), tmp_path / name, recovery_key)
            stack.push_async_callback(session.close)
            client = Client(session)
            await client.sync()
            return client

        yield make


async def test_both_sides_read_each_other(meet: Meet) -> None:
    """A person writes before and after the account has joined, and both read everything."""
    bot, vic = await meet("bot"), await meet("vic")
    room = await vic.session.create_direct(bot.user_id)
    await vic.say(room, "before")
    invites = (await bot.sync()).invites
    assert [(invite.room_id, invite.inviter, invite.direct, invite.encrypted) for invite in invites] == [
        (room, vic.user_id, True, True)
    ]
    await bot.session.join(room)
    await bot.session.join(room)
    await vic.say(room, "after")
    await bot.until("before", "after")
    assert all(event.encrypted for event in bot.messages())
    await bot.say(room, "answer")
    await vic.until("answer")


async def test_the_same_transaction_sends_once(meet: Meet) -> None:
    """A send that is repeated with its transaction ID gives the same event."""
    bot, vic = await meet("bot"), await meet("vic")
    room = await joined(vic, bot)
    first = await bot.session.send(room, {"msgtype": "m.text", "body": "once"}, txn_id="same")
    again = await bot.session.send(room, {"msgtype": "m.text", "body": "once"}, txn_id="same")
    await vic.until("once")
    await vic.sync()
    assert (first, vic.bodies()) == (again, ["once"])


async def test_a_restart_keeps_device_and_keys(
    meet: Meet, synapse: Synapse, register: Register, tmp_path: Path
) -> None:
    """After a restart it is the same device and identity, and what came meanwhile is read."""
    account, vic = await register("bot"), await meet("vic")
    bot = Client(await opened(synapse, account, tmp_path / "restarted"))
    await bot.sync()
    room = await joined(vic, bot)
    await vic.say(room, "one")
    await bot.until("one")
    before = (bot.session.device_id, bot.session.master_key)
    await bot.session.close()
    await vic.say(room, "two")
    bot.session = await opened(synapse, account, tmp_path / "restarted")
    try:
        await bot.until("one", "two")
        assert (bot.session.device_id, bot.session.master_key) == before
        await bot.say(room, "back")
        await vic.until("back")
    finally:
        await bot.session.close()


async def test_nothing_is_lost_when_a_batch_was_not_committed(
    meet: Meet, synapse: Synapse, register: Register, tmp_path: Path
) -> None:
    """A batch that was received but not committed comes again after a restart, decrypted."""
    account, vic = await register("bot"), await meet("vic")
    bot = Client(await opened(synapse, account, tmp_path / "killed"))
    await bot.sync()
    room = await joined(vic, bot)
    committed = bot.token
    await vic.say(room, "command")
    await bot.until("command")
    await bot.session.close()
    again = Client(await opened(synapse, account, tmp_path / "killed"), committed)
    try:
        await again.until("command")
    finally:
        await again.session.close()


async def test_two_processes_may_not_share_a_device(synapse: Synapse, register: Register, tmp_path: Path) -> None:
    """A second start on the same folder is refused."""
    account = await register("bot")
    first = await opened(synapse, account, tmp_path / "one")
    with pytest.raises(ConfigurationError, match="another dpobot"):
        await opened(synapse, account, tmp_path / "one")
    await first.close()
    again = await opened(synapse, account, tmp_path / "one")
    assert again.device_id == first.device_id
    await again.close()


async def test_a_wrong_password_is_the_operators_matter(synapse: Synapse, register: Register, tmp_path: Path) -> None:
    """The operator hears which setting is wrong."""
    account = await register("bot")
    with pytest.raises(ConfigurationError, match=r"matrix\.password_file"):
        await opened(synapse, replace(account, password="wrong"), tmp_path / "x")


async def test_a_limited_timeline_is_filled(meet: Meet) -> None:
    """130 messages while the account was away all arrive, once and in order."""
    bot, vic = await meet("bot"), await meet("vic")
    room = await joined(vic, bot)
    bodies = [f"m{number}" for number in range(130)]
    for body in bodies:
        await vic.say(room, body)
    await bot.sync()
    assert bot.bodies() == bodies


async def test_a_late_key_opens_what_was_shut(meet: Meet) -> None:
    """An event whose key is missing says so, and opens when the key has come."""
    bot, vic = await meet("bot"), await meet("vic")
    room = await joined(vic, bot)
    machine = vic.session._machine
    await vic.session._directory.ensure({bot.user_id})
    device = next(iter(machine.device_store.active_user_devices(bot.user_id)))
    session = machine.outbound(room, [device])
    key = {"algorithm": "m.megolm.v1.aes-sha2", "room_id": room, "session_id": session.id}
    key["session_key"] = session.session_key
    session.mark_as_shared()
    sealed = machine.group_encrypt(room, {"type": "m.room.message", "content": {"msgtype": "m.text", "body": "late"}})
    await vic.session._put(room, "m.room.encrypted", sealed, "late")
    await bot.sync()
    shut = next(event for event in bot.heard if event.type == "m.room.encrypted")
    assert shut.undecryptable == "no_session"
    assert await bot.session.decrypt(shut) == shut
    await vic.session._sharing.open_sessions([device])
    await vic.session._sharing.to_devices([device], "m.room_key", key)
    assert (await bot.sync()).new_sessions == {session.id}
    opened_event = await bot.session.decrypt(shut)
    assert (opened_event.content["body"], opened_event.undecryptable) == ("late", None)


async def test_a_withheld_key_tells_why(meet: Meet) -> None:
    """The code that a sender's client gave is what the event says; other people's codes do not count."""
    bot, vic = await meet("bot"), await meet("vic")
    room = await joined(vic, bot)
    sealed = {"algorithm": "m.megolm.v1.aes-sha2", "session_id": "s" * 43, "ciphertext": "AwgA", "device_id": "X"}
    withheld = {"room_id": room, "session_id": "s" * 43, "code": "m.unverified", "algorithm": sealed["algorithm"]}
    await vic.session._http.call(
        "PUT",
        f"/_matrix/client/v3/sendToDevice/m.room_key.withheld/{secrets.token_hex(8)}",
        {"messages": {bot.user_id: {"*": withheld}}},
    )
    await vic.session._put(room, "m.room.encrypted", sealed, "withheld")
    await bot.sync()
    await bot.sync()
    shut = next(event for event in bot.heard if event.type == "m.room.encrypted")
    assert (await bot.session.decrypt(shut)).undecryptable == "m.unverified"


async def test_nothing_is_sent_in_clear(meet: Meet, synapse: Synapse, register: Register) -> None:
    """A room that is not encrypted gets the warning only; once encryption is on, everything."""
    bot, admin = await meet("bot"), await register("host")
    created = await synapse.request(
        "POST", "/_matrix/client/v3/createRoom", admin.access_token, {"invite": [bot.user_id]}
    )
    room = RoomId(created["room_id"])
    await bot.session.join(room)
    with pytest.raises(Rejected, match="not_encrypted"):
        await bot.session.send(room, {"msgtype": "m.text", "body": "secret"}, txn_id="a")
    await bot.session.send_cleartext_warning(room, {"msgtype": "m.notice", "body": "please"}, txn_id="b")
    with pytest.raises(Rejected, match="M_FORBIDDEN"):
        await bot.session.enable_encryption(room)
    await synapse.request(
        "PUT",
        f"/_matrix/client/v3/rooms/{room}/state/m.room.encryption",
        admin.access_token,
        {"algorithm": "m.megolm.v1.aes-sha2"},
    )
    sent = await bot.session.send(room, {"msgtype": "m.text", "body": "secret"}, txn_id="c")
    raw = await synapse.request("GET", f"/_matrix/client/v3/rooms/{room}/event/{sent}", admin.access_token)
    assert raw["type"] == "m.room.encrypted"


async def test_a_third_person_is_seen_and_can_read(meet: Meet) -> None:
    """`room` shows an invited third person at once; once joined they read what follows, and after leaving no more."""
    bot, vic, eve = await meet("bot"), await meet("vic"), await meet("eve")
    room = await joined(vic, bot)
    assert (await bot.session.room(room)).is_exactly(bot.user_id, vic.user_id)
    assert list(await bot.session.direct_rooms(vic.user_id)) == [room]
    await vic.session._http.call("POST", f"/_matrix/client/v3/rooms/{room}/invite", {"user_id": eve.user_id})
    facts = await bot.session.room(room)
    assert (set(facts.invited), facts.is_exactly(bot.user_id, vic.user_id)) == ({eve.user_id}, False)
    assert list(await bot.session.direct_rooms(vic.user_id)) == []
    await eve.session.join(room)
    await bot.sync()
    await bot.say(room, "for three")
    await eve.until("for three")
    shared = bot.session._machine.outbound_group_sessions[room].id
    await eve.session.leave(room)
    await eve.session.leave(room)
    await bot.sync()
    await bot.say(room, "for two")
    await vic.until("for three", "for two")
    assert bot.session._machine.outbound_group_sessions[room].id != shared


async def test_trust_follows_the_signatures(meet: Meet) -> None:
    """Signed, forged, cleartext, and an identity other than the pinned one are told apart."""
    bot, vic, eve = await meet("bot"), await meet("vic"), await meet("eve")
    room = await joined(vic, bot)
    await vic.say(room, "hello")
    origin = (await bot.until("hello")).origin
    signed = await bot.session.trust(vic.user_id, origin, None)
    assert (signed.trust, signed.master_key) == (Trust.SIGNED, vic.session.master_key)
    assert (await bot.session.trust(vic.user_id, origin, signed.master_key)).trust is Trust.SIGNED
    assert (await bot.session.trust(vic.user_id, origin, eve.session.master_key)).trust is Trust.IDENTITY_CHANGED
    assert (await bot.session.trust(eve.user_id, origin, None)).trust is Trust.MISMATCH
    assert (await bot.session.trust(vic.user_id, None, None)).trust is Trust.CLEARTEXT


async def test_a_device_is_signed_only_once_its_owner_has_signed_it(
    meet: Meet, synapse: Synapse, register: Register, tmp_path: Path
) -> None:
    """A second device is unsigned until its owner signs it; a signature that comes within seconds is waited for."""
    bot, account = await meet("bot"), await register("vic")
    vic = await meet("vic", account)
    room = await joined(vic, bot)
    http, folder = Http(synapse.url), Folder(tmp_path / "second").open()
    second = Client(Session(http, folder, await device(http, folder, vic.user_id, lambda: account.password, "second")))
    try:
        await second.session._upkeep.upload(0, True)
        await second.say(room, "unsigned")
        origin = (await bot.until("unsigned")).origin
        assert (await bot.session.trust(vic.user_id, origin, None)).trust is Trust.UNSIGNED
        bootstrap = Bootstrap(http, folder, second.session._machine, second.session._directory)
        seeds = json.loads((tmp_path / "vic" / "cross-signing.json").read_text())
        signer = Identity(vic.user_id, {usage: decode(seed) for usage, seed in seeds.items()})
        answer = asyncio.create_task(bot.session.trust(vic.user_id, origin, None))
        await asyncio.sleep(1)
        await bootstrap._sign_device(signer)
        assert (await answer).trust is Trust.SIGNED
    finally:
        await second.session.close()


async def test_a_reset_identity_is_noticed(meet: Meet, register: Register) -> None:
    """Whoever resets the cross-signing keys with the password is signed again, but by another master key."""
    bot, account = await meet("bot"), await register("vic")
    vic = await meet("vic", account)
    room = await joined(vic, bot)
    await vic.say(room, "hello")
    origin = (await bot.until("hello")).origin
    pinned = (await bot.session.trust(vic.user_id, origin, None)).master_key
    session = vic.session
    bootstrap = Bootstrap(session._http, session._folder, session._machine, session._directory)
    identity = Identity.new(vic.user_id)
    await bootstrap._publish(identity, lambda: account.password)
    await bootstrap._sign_device(identity)
    await bot.sync()
    answer = await bot.session.trust(vic.user_id, origin, pinned)
    assert (answer.trust, answer.master_key) == (Trust.IDENTITY_CHANGED, identity.master)


async def test_a_lost_folder_is_recovered_with_the_recovery_key(
    meet: Meet, synapse: Synapse, register: Register, tmp_path: Path
) -> None:
    """Without the seeds nothing is reset; with the recovery key a new device is signed by the same identity."""
    account, vic = await register("bot"), await meet("vic")
    first = await opened(synapse, account, tmp_path / "first")
    recovery = (tmp_path / "first" / "recovery-key.txt").read_text()
    await first.close()
    with pytest.raises(ConfigurationError, match="recovery key"):
        await opened(synapse, account, tmp_path / "second")
    wrong = recovery_key(secrets.token_bytes(32))
    with pytest.raises(ConfigurationError, match="does not open"):
        await opened(synapse, account, tmp_path / "second", wrong)
    bot = await meet("second", account, recovery)
    room = await joined(vic, bot)
    await bot.say(room, "I am back")
    origin = (await vic.until("I am back")).origin
    assert bot.session.device_id != first.device_id
    assert (await vic.session.trust(bot.user_id, origin, first.master_key)).trust is Trust.SIGNED


async def test_an_identity_is_never_replaced_silently(synapse: Synapse, register: Register, tmp_path: Path) -> None:
    """If the server shows another master key than ours, the start is refused with what to do."""
    account = await register("bot")
    session = await opened(synapse, account, tmp_path / "bot")
    await session.close()
    seeds = {usage: encode(seed) for usage, seed in Identity.new(account.user_id).seeds().items()}
    (tmp_path / "bot" / "cross-signing.json").write_text(json.dumps(seeds))
    with pytest.raises(ConfigurationError, match="another cross-signing identity"):
        await opened(synapse, account, tmp_path / "bot")


async def test_secrets_are_private_files(meet: Meet, tmp_path: Path) -> None:
    """Nobody else on the machine may read what is in the folder."""
    await meet("bot")
    folder = tmp_path / "bot"
    names = {"device.json", "keys.sqlite", "pickle.key", "cross-signing.json", "recovery-key.txt"}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {name: oct((folder / name).stat().st_mode & 0o777) for name in names} == dict.fromkeys(names, "0o600")


async def test_an_attachment_arrives_whole(meet: Meet, tmp_path: Path) -> None:
    """5 MB come back equal; altered ciphertext is refused; what is gone is said to be gone."""
    bot = await meet("bot")
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(secrets.token_bytes(5_000_000))
    file = await bot.session.upload_encrypted(source, "application/zip")
    assert (file.size, await bot.session.media_exists(file.url)) == (5_000_000, True)
    await bot.session.download_encrypted(file, target)
    assert target.read_bytes() == source.read_bytes()
    altered = replace(file, hashes={"sha256": encode(secrets.token_bytes(32))})
    with pytest.raises(Rejected, match="bad_hash"):
        await bot.session.download_encrypted(altered, tmp_path / "altered")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bot", "source", "target"]
    missing = Mxc("mxc://dpobot.test/aaaaaaaaaaaaaaaaaaaaaaaa")
    assert not await bot.session.media_exists(missing)
    with pytest.raises(Gone):
        await bot.session.download_encrypted(replace(file, url=missing), target)
    assert await bot.session.upload_limit() == 100 * 1024 * 1024


async def test_drained_one_time_keys_lock_nobody_out(meet: Meet, synapse: Synapse, register: Register) -> None:
    """After 60 claims by one account a new device is still served, and the next sync fills the keys up again."""
    bot, eve = await meet("bot"), await register("eve")
    claim = {"one_time_keys": {bot.user_id: {bot.session.device_id: "signed_curve25519"}}}
    for _ in range(60):
        await synapse.request("POST", "/_matrix/client/v3/keys/claim", eve.access_token, claim)
    vic = await meet("vic")
    room = await vic.session.create_direct(bot.user_id)
    await vic.say(room, "served")
    await bot.session.join(room)
    await bot.until("served")
    await bot.sync()
    counts = await bot.session._http.call("POST", "/_matrix/client/v3/keys/upload", {})
    assert counts["one_time_key_counts"]["signed_curve25519"] == 50


async def test_a_server_that_is_away_is_a_transient_error(meet: Meet) -> None:
    """No connection means `Unavailable`, not a crash and not a refusal."""
    bot = await meet("bot")
    bot.session._http.url = "http://127.0.0.1:9"
    with pytest.raises(Unavailable, match="connection"):
        await bot.session.sync(bot.token, 0)

"""Each fault of matrix-nio 0.26.0 that strangers can reach, cured: without a server, with libolm as the other side."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import olm.account
import olm.group_session
import olm.session
import pytest
import vodozemac

from dpobot.clock import from_millis
from dpobot.errors import ConfigurationError
from dpobot.matrix.api import Received
from dpobot.matrix.decryption import Decryption, Withheld
from dpobot.matrix.hardening import Machine, Store, require_nio, sound_devices
from dpobot.matrix.signatures import canonical
from dpobot.model.ids import EventId, RoomId, UserId

ME, VIC = "@dpo:example.org", "@vic:example.org"
ROOM = RoomId("!room:example.org")
MEGOLM = "m.megolm.v1.aes-sha2"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = reopened(tmp_path)
    yield made
    made.store.database.close()


def reopened(folder: Path) -> Machine:
    return Machine(ME, "BOT", Store(ME, "BOT", str(folder), "pickle", "keys.sqlite"))


class Libolm:
    """A person's device made with libolm."""

    def __init__(self) -> None:
        self.account = olm.account.Account()
        self.keys = self.account.identity_keys
        self.session: olm.session.OutboundSession | None = None

    def device(self) -> dict[str, Any]:
        value: dict[str, Any] = {
            "user_id": VIC,
            "device_id": "PHONE",
            "keys": {f"{name}:PHONE": key for name, key in self.keys.items()},
        }
        return value | {"signatures": {VIC: {"ed25519:PHONE": self.account.sign(canonical(value).decode())}}}

    def sends(self, machine: Machine, type_: str, content: object) -> dict[str, Any]:
        """One to-device message through Olm; the first takes a one-time key."""
        own = machine.account.identity_keys
        if self.session is None:
            one_time = next(iter(machine.account.one_time_keys["curve25519"].values()))
            self.session = olm.session.OutboundSession(self.account, own["curve25519"], one_time)
        payload = {
            "sender": VIC,
            "sender_device": "PHONE",
            "keys": {"ed25519": self.keys["ed25519"]},
            "recipient": ME,
            "recipient_keys": {"ed25519": own["ed25519"]},
            "type": type_,
            "content": content,
        }
        message = self.session.encrypt(json.dumps(payload))
        ciphertext = {own["curve25519"]: {"type": message.message_type, "body": message.ciphertext}}
        olm_content = {"algorithm": "m.olm.v1.curve25519-aes-sha2", "sender_key": self.keys["curve25519"]}
        return {"type": "m.room.encrypted", "sender": VIC, "content": olm_content | {"ciphertext": ciphertext}}


def room_key(session: olm.group_session.OutboundGroupSession, **changes: object) -> dict[str, object]:
    key = {"algorithm": MEGOLM, "room_id": ROOM, "session_id": session.id, "session_key": session.session_key}
    return key | changes


def sealed(session_id: str, ciphertext: str, event_id: str = "$one") -> Received:
    content = {"algorithm": MEGOLM, "session_id": session_id, "ciphertext": ciphertext, "device_id": "PHONE"}
    return Received(EventId(event_id), ROOM, UserId(VIC), from_millis(0), "m.room.encrypted", content, True)


def payload(body: str, **changes: object) -> str:
    return json.dumps({"room_id": ROOM, "type": "m.room.message", "content": {"body": body}} | changes)


def test_another_release_of_nio_is_refused() -> None:
    """The hardening leans on the inside of one release; with any other the start is refused with the cure."""
    require_nio()
    with pytest.raises(ConfigurationError, match=r"pip install matrix-nio==0\.26\.0"):
        require_nio("0.26.1")


def test_libolm_writes_and_we_read(machine: Machine) -> None:
    """A room key and a message that libolm encrypted are opened, and say whose keys they came from."""
    machine.upload_body(0, True)
    vic, group = Libolm(), olm.group_session.OutboundGroupSession()
    assert machine.receive(vic.sends(machine, "m.room_key", room_key(group))) == group.id
    event = Decryption(machine, Withheld()).open(sealed(group.id, group.encrypt(payload("hello"))))
    assert event.content == {"body": "hello"}
    assert event.origin is not None
    assert (event.origin.sender_key, event.origin.signing_key) == (vic.keys["curve25519"], vic.keys["ed25519"])


def test_we_write_and_libolm_reads(machine: Machine) -> None:
    """The Megolm session that is shared and the message that is sealed are readable by libolm."""
    vic = Libolm()
    vic.account.generate_one_time_keys(1)
    machine.learn_devices({VIC: {"PHONE": vic.device()}})
    device = machine.device_store[VIC]["PHONE"]
    claimed: dict[str, Any] = {"key": next(iter(vic.account.one_time_keys["curve25519"].values()))}
    claimed["signatures"] = {VIC: {"ed25519:PHONE": vic.account.sign(canonical(claimed).decode())}}
    assert machine.start_session(device, {"signed_curve25519:AAAAAQ": claimed})
    group = machine.outbound(ROOM, [device])
    sent = machine.olm_encrypt(device, "m.room_key", room_key_of(group))
    group.mark_as_shared()
    event = machine.group_encrypt(ROOM, {"type": "m.room.message", "content": {"body": "answer"}})

    wire = sent["ciphertext"][vic.keys["curve25519"]]
    inbound = olm.session.InboundSession(vic.account, olm.session.OlmPreKeyMessage(wire["body"]))
    received = json.loads(inbound.decrypt(olm.session.OlmPreKeyMessage(wire["body"])))
    plain, _ = olm.group_session.InboundGroupSession(received["content"]["session_key"]).decrypt(event["ciphertext"])
    assert json.loads(plain)["content"] == {"body": "answer"}


def room_key_of(session: Any) -> dict[str, object]:
    return {"algorithm": MEGOLM, "room_id": ROOM, "session_id": session.id, "session_key": session.session_key}


def test_the_account_is_saved_before_its_keys_leave(tmp_path: Path) -> None:
    """A crash between the upload and its answer: the next start uploads the very same keys again."""
    machine = reopened(tmp_path)
    body = machine.upload_body(0, True)
    machine.store.database.close()
    again = reopened(tmp_path)
    repeated = again.upload_body(0, True)
    again.store.database.close()
    assert {name: key["key"] for name, key in repeated["one_time_keys"].items()} == {
        name: key["key"] for name, key in body["one_time_keys"].items()
    }
    assert repeated["fallback_keys"].keys() == body["fallback_keys"].keys()


def test_a_count_of_zero_means_fifty_new_keys(machine: Machine) -> None:
    """0 on the server is a number; a full server gets nothing; a used fallback key is renewed, but not in a flood."""
    first = machine.upload_body(0, True)
    assert (len(first["one_time_keys"]), len(first["fallback_keys"])) == (50, 1)
    machine.uploaded()
    assert machine.upload_body(50, False) == {}
    second = machine.upload_body(0, True)
    assert (len(second["one_time_keys"]), second.get("fallback_keys"), second.get("device_keys")) == (50, None, None)
    assert first["one_time_keys"].keys() & second["one_time_keys"].keys() == set()


def test_a_consumed_one_time_key_stays_consumed(tmp_path: Path) -> None:
    """After a restart the first message of a session can't be replayed into a second one."""
    machine = reopened(tmp_path)
    machine.upload_body(0, True)
    machine.uploaded()
    before = machine.account._account.pickle(bytes(32))
    assert before
    machine.account.generate_one_time_keys(1)
    vic, group = Libolm(), olm.group_session.OutboundGroupSession()
    message = vic.sends(machine, "m.room_key", room_key(group))
    assert machine.receive(message) == group.id
    machine.store.database.close()
    again = reopened(tmp_path)
    again.session_store._entries.clear()
    assert again.receive(message) is None
    again.store.database.close()


def test_an_unknown_one_time_key_asks_for_a_new_session(machine: Machine) -> None:
    """nio crashed at each start over this natural event; now the device is marked, also if it is learnt later."""
    own = machine.account.identity_keys
    vic = Libolm()
    vic.session = olm.session.OutboundSession(
        vic.account, own["curve25519"], olm.account.Account().identity_keys["curve25519"]
    )
    assert machine.receive(vic.sends(machine, "m.dummy", {})) is None
    assert machine.suspects == {(VIC, vic.keys["curve25519"])}
    machine.learn_devices({VIC: {"PHONE": vic.device()}})
    machine.recheck_suspects()
    assert [device.device_id for device in machine.wedged_devices] == ["PHONE"]


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"algorithm": "m.olm.v1.curve25519-aes-sha2"},
        {"algorithm": [], "sender_key": {}, "ciphertext": 7},
        {
            "algorithm": "m.olm.v1.curve25519-aes-sha2",
            "sender_key": "é",
            "ciphertext": {"ME": {"type": 0, "body": "!"}},
        },
        {
            "algorithm": "m.olm.v1.curve25519-aes-sha2",
            "sender_key": "A",
            "ciphertext": {"ME": {"type": 0, "body": "AAAA"}},
        },
        {
            "algorithm": "m.olm.v1.curve25519-aes-sha2",
            "sender_key": "A",
            "ciphertext": {"ME": {"type": 1, "body": "AAAA"}},
        },
    ],
)
def test_malformed_olm_messages_are_dropped(machine: Machine, content: dict[str, Any]) -> None:
    """They give no session, and nothing is raised."""
    own = machine.account.identity_keys["curve25519"]
    text = json.loads(json.dumps(content).replace("ME", own))
    assert machine.receive({"type": "m.room.encrypted", "sender": VIC, "content": text}) is None


def test_a_room_key_never_reaches_the_log(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    """nio quotes the whole message that it can't read; nothing of it may be written."""
    caplog.set_level(logging.NOTSET)
    machine.upload_body(0, True)
    group = olm.group_session.OutboundGroupSession()
    key = room_key(group)
    del key["room_id"]  # so that the whole rest is quoted
    machine.receive(Libolm().sends(machine, "m.room_key", key))
    assert group.session_key not in caplog.text


@pytest.mark.parametrize("changes", [{"session_key": "AAAA"}, {"session_id": "x"}, {"room_id": []}, {"algorithm": 7}])
def test_malformed_room_keys_are_dropped(machine: Machine, changes: dict[str, object]) -> None:
    """A key that is not what it says is not kept."""
    machine.upload_body(0, True)
    group = olm.group_session.OutboundGroupSession()
    machine.receive(Libolm().sends(machine, "m.room_key", room_key(group, **changes)))
    assert list(machine.inbound_group_store) == []


def test_nobody_takes_over_another_ones_session(machine: Machine) -> None:
    """Whoever was given a session can't bring it again as their own."""
    machine.upload_body(0, True)
    vic, eve, group = Libolm(), Libolm(), olm.group_session.OutboundGroupSession()
    machine.receive(vic.sends(machine, "m.room_key", room_key(group)))
    machine.receive(eve.sends(machine, "m.room_key", room_key(group)))
    found = machine.group_session(ROOM, group.id)
    assert found is not None
    assert (found.sender_key, len(list(machine.inbound_group_store))) == (vic.keys["curve25519"], 1)


def test_a_later_copy_of_a_key_does_not_hide_earlier_messages(machine: Machine) -> None:
    """The session key with the lowest index is kept, whichever comes last."""
    machine.upload_body(0, True)
    vic, group = Libolm(), olm.group_session.OutboundGroupSession()
    machine.receive(vic.sends(machine, "m.room_key", room_key(group)))
    first = group.encrypt(payload("first"))
    machine.receive(vic.sends(machine, "m.room_key", room_key(group)))
    assert Decryption(machine, Withheld()).open(sealed(group.id, first)).content == {"body": "first"}


@pytest.mark.parametrize(
    ("plain", "code"),
    [
        ("not json", "failed"),
        ("[]", "failed"),
        ("[" * 30_000, "failed"),
        (payload("x", room_id="!other"), "failed"),
        (payload("x", type=[]), "failed"),
        (payload("x", content=[]), "failed"),
    ],
)
def test_malformed_payloads_are_undecryptable(machine: Machine, plain: str, code: str) -> None:
    """Whatever is inside, the event says that it could not be opened."""
    machine.upload_body(0, True)
    group = olm.group_session.OutboundGroupSession()
    machine.receive(Libolm().sends(machine, "m.room_key", room_key(group)))
    event = Decryption(machine, Withheld()).open(sealed(group.id, group.encrypt(plain)))
    assert (event.undecryptable, event.origin) == (code, None)


def test_a_replayed_message_is_refused(machine: Machine) -> None:
    """The same ciphertext under another event ID is not opened; under the same ID it is."""
    machine.upload_body(0, True)
    group = olm.group_session.OutboundGroupSession()
    machine.receive(Libolm().sends(machine, "m.room_key", room_key(group)))
    ciphertext = group.encrypt(payload("transfer"))
    decryption = Decryption(machine, Withheld())
    codes = [decryption.open(sealed(group.id, ciphertext, name)).undecryptable for name in ("$one", "$two", "$one")]
    assert codes == [None, "failed", None]


@pytest.mark.parametrize("ciphertext", ["", "!", "AAAA", "é", "A" * 400])
def test_malformed_ciphertexts_are_undecryptable(machine: Machine, ciphertext: str) -> None:
    """vodozemac's exceptions end here."""
    machine.upload_body(0, True)
    group = olm.group_session.OutboundGroupSession()
    machine.receive(Libolm().sends(machine, "m.room_key", room_key(group)))
    assert Decryption(machine, Withheld()).open(sealed(group.id, ciphertext)).undecryptable == "failed"


def test_devices_with_bad_keys_are_ignored_and_good_ones_are_kept() -> None:
    """One device of three bytes made nio's key query raise for ever, for everybody in the room."""
    good = Libolm().device()
    bad: list[object] = [
        None,
        [],
        {},
        good | {"user_id": "@eve:example.org"},
        good | {"device_id": "OTHER"},
        good | {"keys": []},
        good | {"keys": {"ed25519:PHONE": "AAAA", "curve25519:PHONE": good["keys"]["curve25519:PHONE"]}},
        good | {"keys": {"ed25519:PHONE": good["keys"]["ed25519:PHONE"], "curve25519:PHONE": "é"}},
    ]
    assert [sound_devices(VIC, {"PHONE": device}) for device in bad] == [{}] * len(bad)
    assert sound_devices(VIC, {"PHONE": good, "BAD": []}) == {"PHONE": good}
    assert sound_devices(VIC, "no object") == {}


def test_bad_one_time_keys_start_no_session(machine: Machine) -> None:
    """Wrong signature, short key, wrong type: the device is skipped."""
    vic = Libolm()
    machine.learn_devices({VIC: {"PHONE": vic.device()}})
    device = machine.device_store[VIC]["PHONE"]
    key = vodozemac.Curve25519SecretKey().public_key().to_base64()
    unsigned = {"key": key, "signatures": {VIC: {"ed25519:PHONE": "AAAA"}}}
    short: dict[str, Any] = {"key": "AAAA"}
    short["signatures"] = {VIC: {"ed25519:PHONE": vic.account.sign(canonical(short).decode())}}
    answers: list[object] = [None, [], {}, {"x": None}, {"x": unsigned}, {"x": short}, {"x": {"key": []}}]
    assert [machine.start_session(device, answer) for answer in answers] == [False] * len(answers)


def test_a_device_that_left_gets_a_new_megolm_session(machine: Machine) -> None:
    """Whoever is no longer in the room must not read what follows."""
    vic = Libolm()
    machine.learn_devices({VIC: {"PHONE": vic.device()}})
    device = machine.device_store[VIC]["PHONE"]
    first = machine.outbound(ROOM, [device])
    first.users_shared_with.add((VIC, "PHONE"))
    assert machine.outbound(ROOM, [device]).id == first.id
    assert machine.outbound(ROOM, []).id != first.id

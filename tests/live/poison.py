"""Malformed input that any ordinary account can send through the homeserver, as a list of named attacks.

Each attack gets the attacker's own session (for what must be Olm-encrypted) and its plain HTTP connection.
"""

import base64
import contextlib
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import vodozemac
from nio.crypto import OlmDevice

from dpobot.errors import Rejected, Unavailable
from dpobot.matrix.http import path
from dpobot.matrix.session import Session
from dpobot.model.ids import RoomId, UserId

Json = dict[str, Any]
OLM = "m.olm.v1.curve25519-aes-sha2"
MEGOLM = "m.megolm.v1.aes-sha2"


@dataclass
class Attack:
    """Who attacks whom, in which encrypted room of both."""

    eve: Session
    victim: UserId
    room: RoomId

    accepted: int = 0  # what the server took; it refuses some shapes itself

    async def call(self, method: str, endpoint: str, body: Json) -> Json:
        answer = await self.eve._http.call(method, endpoint, body)
        self.accepted += 1
        return answer

    async def attempt(self, method: str, endpoint: str, body: Json) -> None:
        """Make a request that the server may refuse, or stumble over."""
        with contextlib.suppress(Rejected, Unavailable):
            await self.call(method, endpoint, body)

    async def to_device(self, type_: str, content: object) -> None:
        endpoint = path("sendToDevice", type_, secrets.token_hex(8))
        await self.call("PUT", endpoint, {"messages": {self.victim: {"*": content}}})

    async def event(self, content: Json, type_: str = "m.room.encrypted") -> None:
        await self.attempt("PUT", path("rooms", self.room, "send", type_, secrets.token_hex(8)), content)

    async def device(self) -> OlmDevice:
        await self.eve._directory.ensure({self.victim})
        found = next(iter(self.eve._machine.device_store.active_user_devices(self.victim)))
        await self.eve._sharing.open_sessions([found])
        return found

    async def olm(self, message_type: object, body: object, sender_key: object = None) -> None:
        """Send an Olm message of this shape, addressed to the victim's key."""
        key = (await self.device()).curve25519
        own = self.eve._machine.account.identity_keys["curve25519"]
        ciphertext = {key: {"type": message_type, "body": body}}
        content = {"algorithm": OLM, "sender_key": sender_key or own, "ciphertext": ciphertext}
        await self.to_device("m.room.encrypted", content)

    async def olm_plaintext(self, plaintext: bytes) -> None:
        """Send any bytes through a good Olm session."""
        session = self.eve._machine.session_store.get((await self.device()).curve25519)
        assert session is not None
        message_type, ciphertext = session._session.encrypt(plaintext).to_parts()
        await self.olm(message_type, _base64(ciphertext))

    async def olm_event(self, type_: str, content: object) -> None:
        """Send a decrypted event of any content, in a good Olm envelope."""
        found = await self.device()
        machine = self.eve._machine
        payload = {
            "sender": machine.user_id,
            "sender_device": machine.device_id,
            "keys": {"ed25519": machine.account.identity_keys["ed25519"]},
            "recipient": self.victim,
            "recipient_keys": {"ed25519": found.ed25519},
            "type": type_,
            "content": content,
        }
        await self.olm_plaintext(json.dumps(payload).encode())

    async def megolm_plaintext(self, plaintext: bytes) -> None:
        """Send any bytes through a good Megolm session whose key the victim has."""
        session = vodozemac.GroupSession()
        key = {"algorithm": MEGOLM, "room_id": self.room, "session_id": session.session_id}
        await self.olm_event("m.room_key", key | {"session_key": session.session_key.to_base64()})
        await self.event(self.sealed(session.session_id, session.encrypt(plaintext).to_base64()))

    def sealed(self, session_id: object, ciphertext: object) -> Json:
        machine = self.eve._machine
        own = {"sender_key": machine.account.identity_keys["curve25519"], "device_id": machine.device_id}
        return {"algorithm": MEGOLM, "session_id": session_id, "ciphertext": ciphertext, **own}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def shapes(*values: Any) -> tuple[Any, ...]:
    """Return values of whatever types."""
    return values


def _nested(depth: int) -> object:
    value: object = "x"
    for _ in range(depth):
        value = [value]
    return value


Poison = Callable[[Attack], Awaitable[None]]
POISONS: list[Poison] = []


def poison(attack: Poison) -> Poison:
    POISONS.append(attack)
    return attack


# --- Olm envelopes ---


@poison
async def olm_body_not_base64(attack: Attack) -> None:
    await attack.olm(0, "!!! not base64 !!!")
    await attack.olm(1, "!!! not base64 !!!")


@poison
async def olm_body_garbage(attack: Attack) -> None:
    for size in shapes(0, 1, 16, 200):
        await attack.olm(0, _base64(secrets.token_bytes(size)))
        await attack.olm(1, _base64(secrets.token_bytes(size)))


@poison
async def olm_unknown_one_time_key(attack: Attack) -> None:
    account = vodozemac.Account()
    identity = vodozemac.Curve25519PublicKey.from_base64((await attack.device()).curve25519)
    session = account.create_outbound_session(identity, vodozemac.Curve25519SecretKey().public_key())
    message_type, ciphertext = session.encrypt(b"hello").to_parts()
    await attack.olm(message_type, _base64(ciphertext), account.curve25519_key.to_base64())


@poison
async def olm_unknown_one_time_key_of_a_known_device(attack: Attack) -> None:
    account = attack.eve._machine.account._account
    identity = vodozemac.Curve25519PublicKey.from_base64((await attack.device()).curve25519)
    session = account.create_outbound_session(identity, vodozemac.Curve25519SecretKey().public_key())
    message_type, ciphertext = session.encrypt(b"hello").to_parts()
    await attack.olm(message_type, _base64(ciphertext))


@poison
async def olm_message_type_wrong(attack: Attack) -> None:
    for message_type in shapes(2, -1, "0", None, [], 1e300, True):
        await attack.olm(message_type, _base64(secrets.token_bytes(64)))


@poison
async def olm_body_wrong_type(attack: Attack) -> None:
    for body in shapes(None, 7, [], {}, "é\x00"):
        await attack.olm(0, body)


@poison
async def olm_sender_key_wrong(attack: Attack) -> None:
    for key in shapes("AAAA", "!", "é", [1], {"a": 1}, 7):
        await attack.olm(0, _base64(secrets.token_bytes(64)), key)


@poison
async def olm_ciphertext_wrong(attack: Attack) -> None:
    for ciphertext in shapes([], "text", 7, None, {"key": []}, {"key": "text"}, {"": {"type": 0, "body": "AAAA"}}):
        content = {"algorithm": OLM, "sender_key": "A" * 43, "ciphertext": ciphertext}
        await attack.to_device("m.room.encrypted", content)


@poison
async def olm_algorithm_wrong(attack: Attack) -> None:
    for algorithm in shapes(None, [], {}, "m.none", MEGOLM):
        await attack.to_device("m.room.encrypted", {"algorithm": algorithm, "sender_key": "A", "ciphertext": "A"})
    await attack.to_device("m.room.encrypted", {})


# --- what is inside an Olm message ---


@poison
async def olm_plaintext_not_json(attack: Attack) -> None:
    for plaintext in shapes(b"", b"not json", b"\xff\xfe\x00", b"[]", b"null", b"7", b'"text"'):
        await attack.olm_plaintext(plaintext)


@poison
async def olm_plaintext_nested(attack: Attack) -> None:
    await attack.olm_plaintext(b"[" * 20_000 + b"]" * 20_000)


@poison
async def olm_payload_wrong_types(attack: Attack) -> None:
    for payload in shapes({"type": []}, {"sender": 7, "keys": [], "recipient_keys": "x", "type": "m.room_key"}):
        await attack.olm_plaintext(json.dumps(payload).encode())


@poison
async def room_key_not_a_key(attack: Attack) -> None:
    good = {"algorithm": MEGOLM, "room_id": attack.room, "session_id": "A" * 43}
    for key in shapes("", "AAAA", "!!!", "é", _base64(secrets.token_bytes(229)), 7, None, []):
        await attack.olm_event("m.room_key", good | {"session_key": key})


@poison
async def room_key_wrong_types(attack: Attack) -> None:
    session_key = vodozemac.GroupSession().session_key.to_base64()
    for content in shapes(
        {"algorithm": MEGOLM, "room_id": [], "session_id": {}, "session_key": session_key},
        {"algorithm": [], "room_id": attack.room, "session_id": "x", "session_key": session_key},
        {"algorithm": MEGOLM, "room_id": attack.room, "session_id": "other", "session_key": session_key},
        {},
        [],
        "text",
        None,
    ):
        await attack.olm_event("m.room_key", content)


@poison
async def forwarded_room_key_junk(attack: Attack) -> None:
    content = {
        "algorithm": MEGOLM,
        "room_id": attack.room,
        "session_id": "A" * 43,
        "session_key": "AAAA",
        "sender_key": "A",
        "sender_claimed_ed25519_key": "A",
        "forwarding_curve25519_key_chain": "no list",
    }
    await attack.olm_event("m.forwarded_room_key", content)
    await attack.olm_event("m.forwarded_room_key", content | {"forwarding_curve25519_key_chain": []})


@poison
async def olm_events_of_other_types(attack: Attack) -> None:
    for type_ in shapes("m.dummy", "m.secret.send", "m.secret.request", "org.example", "", "m.room.encrypted"):
        await attack.olm_event(type_, {"secret": [], "request_id": 7})


# --- to-device messages in clear ---


@poison
async def withheld_junk(attack: Attack) -> None:
    for content in shapes(
        {},
        {"code": []},
        {"code": "m.unverified", "room_id": [], "session_id": {}},
        {"code": "x" * 20_000},
    ):
        await attack.to_device("m.room_key.withheld", content)
    await attack.to_device("m.room_key", {"session_key": 7})
    await attack.to_device("m.dummy", {"x": _nested(30)})


@poison
async def verification_junk(attack: Attack) -> None:
    start = {
        "from_device": attack.eve.device_id,
        "method": "m.sas.v1",
        "transaction_id": "t",
        "key_agreement_protocols": ["curve25519"],
        "hashes": ["sha256"],
        "message_authentication_codes": ["hkdf-hmac-sha256"],
        "short_authentication_string": ["decimal"],
    }
    await attack.to_device("m.key.verification.start", start)
    await attack.to_device("m.key.verification.key", {"transaction_id": "t", "key": "AAAA"})
    await attack.to_device("m.key.verification.mac", {"transaction_id": "t", "mac": {"ed25519:X": "é"}, "keys": "!"})
    for step in shapes("request", "ready", "start", "accept", "key", "mac", "cancel", "done"):
        await attack.to_device(f"m.key.verification.{step}", {"transaction_id": [], "from_device": {}})


@poison
async def key_request_junk(attack: Attack) -> None:
    for content in shapes({"action": []}, {"action": "request", "body": []}, {"action": "request_cancellation"}, {}):
        await attack.to_device("m.room_key_request", content)


@poison
async def to_device_huge(attack: Attack) -> None:
    await attack.olm(0, "A" * 60_000)
    await attack.to_device("org.example.huge", {"x": "é" * 25_000})


@poison
async def to_device_nested(attack: Attack) -> None:
    await attack.to_device("m.room.encrypted", {"algorithm": OLM, "ciphertext": _nested(800)})
    await attack.to_device("m.room_key.withheld", {"code": _nested(500)})


@poison
async def to_device_flood(attack: Attack) -> None:
    for _ in range(250):
        await attack.to_device("m.room.encrypted", {"algorithm": OLM, "sender_key": "A" * 43, "ciphertext": {}})


# --- keys on the server ---


async def _keys_of_a_new_device(attack: Attack, shape: Callable[[str], Json]) -> None:
    """Log in again and upload the keys that ``shape`` makes of the device ID; the server may refuse some shapes."""
    first = attack.eve._http.token
    body = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": attack.eve.user_id},
        "password": "attacker",
    }
    answer = await attack.call("POST", path("login"), body)
    attack.eve._http.token = answer["access_token"]
    try:
        await attack.call("POST", path("keys", "upload"), shape(answer["device_id"]))
    except Rejected:
        return
    finally:
        attack.eve._http.token = first
    await attack.event({"msgtype": "m.text", "body": "makes the victim look up my devices"}, "m.room.message")


def _device(attack: Attack, device_id: str, ed25519: object, curve25519: object) -> Json:
    keys = {f"ed25519:{device_id}": ed25519, f"curve25519:{device_id}": curve25519}
    return {
        "device_keys": {
            "user_id": attack.eve.user_id,
            "device_id": device_id,
            "algorithms": [OLM, MEGOLM],
            "keys": keys,
            "signatures": {attack.eve.user_id: {f"ed25519:{device_id}": "AAAA"}},
        }
    }


@poison
async def device_with_short_signing_key(attack: Attack) -> None:
    await _keys_of_a_new_device(attack, lambda name: _device(attack, name, "AAAA", _base64(bytes(32))))


@poison
async def device_with_short_identity_key(attack: Attack) -> None:
    account = vodozemac.Account()

    def shape(name: str) -> Json:
        return _device(attack, name, account.ed25519_key.to_base64(), "AAAA")

    await _keys_of_a_new_device(attack, shape)


@poison
async def device_with_keys_that_are_no_base64(attack: Attack) -> None:
    await _keys_of_a_new_device(attack, lambda name: _device(attack, name, "é!", "\x00"))


@poison
async def device_with_other_ids(attack: Attack) -> None:
    def shape(name: str) -> Json:
        keys = _device(attack, name, "A" * 43, "A" * 43)
        keys["device_keys"]["keys"] = {"ed25519:OTHER": "A" * 43, "curve25519:OTHER": "A" * 43}
        return keys

    await _keys_of_a_new_device(attack, shape)


@poison
async def device_with_bad_one_time_keys(attack: Attack) -> None:
    """A device in good order whose one-time key is no key and whose signature is wrong."""
    account = vodozemac.Account()

    def shape(name: str) -> Json:
        upload = _device(attack, name, account.ed25519_key.to_base64(), account.curve25519_key.to_base64())
        keys = upload["device_keys"]
        bare = {item: value for item, value in keys.items() if item != "signatures"}
        text = json.dumps(bare, sort_keys=True, separators=(",", ":")).encode()
        signature = account.sign(text).to_base64()
        keys["signatures"] = {attack.eve.user_id: {f"ed25519:{name}": signature}}
        bad = {"key": "AAAA", "signatures": {attack.eve.user_id: {f"ed25519:{name}": "AAAA"}}}
        return upload | {"one_time_keys": {"signed_curve25519:AAAAAQ": bad}}

    await _keys_of_a_new_device(attack, shape)


# --- Megolm ---


@poison
async def megolm_not_base64(attack: Attack) -> None:
    for ciphertext in shapes("", "!!!", "AAAA", "é", _base64(secrets.token_bytes(300))):
        await attack.event(attack.sealed("A" * 43, ciphertext))


@poison
async def megolm_wrong_types(attack: Attack) -> None:
    for content in shapes(
        attack.sealed([], {}),
        attack.sealed(None, 7),
        {"algorithm": [], "ciphertext": "A"},
        {"algorithm": OLM, "ciphertext": {}, "sender_key": "A"},
        {"ciphertext": []},
        {"x": 1},
    ):
        await attack.event(content)


@poison
async def megolm_garbage_in_a_known_session(attack: Attack) -> None:
    session = vodozemac.GroupSession()
    key = {"algorithm": MEGOLM, "room_id": attack.room, "session_id": session.session_id}
    await attack.olm_event("m.room_key", key | {"session_key": session.session_key.to_base64()})
    for ciphertext in shapes("!!!", "AAAA", _base64(secrets.token_bytes(300)), session.encrypt(b"{}").to_base64()[:-8]):
        await attack.event(attack.sealed(session.session_id, ciphertext))


@poison
async def megolm_plaintext_not_json(attack: Attack) -> None:
    for plaintext in shapes(b"", b"not json", b"\xff\xfe\x00", b"[]", b"null", b"7"):
        await attack.megolm_plaintext(plaintext)


@poison
async def megolm_plaintext_nested(attack: Attack) -> None:
    await attack.megolm_plaintext(b"[" * 20_000 + b"]" * 20_000)
    good = {"room_id": attack.room, "type": "m.room.message", "content": {"body": _nested(300)}}
    await attack.megolm_plaintext(json.dumps(good).encode())


@poison
async def megolm_payload_wrong_types(attack: Attack) -> None:
    for payload in shapes(
        {"room_id": attack.room, "type": [], "content": {}},
        {"room_id": attack.room, "type": "m.room.message", "content": []},
        {"room_id": [], "type": "m.room.message", "content": {}},
        {"room_id": "!other:server", "type": "m.room.message", "content": {"body": "x"}},
        {"room_id": attack.room, "type": "m.room.message", "content": {"body": "\ud800\x00", "n": float("inf")}},
        {"room_id": attack.room, "type": "m.room.message", "content": {"body": 10**400, "format": {}}},
        {},
    ):
        await attack.megolm_plaintext(json.dumps(payload).encode())


# --- events in clear, in a room that is encrypted, and the same encrypted ---

WRONG_MESSAGES: tuple[Json, ...] = (
    {"msgtype": "m.text", "body": ["a", "list"]},
    {"msgtype": [], "body": {}, "format": {}, "formatted_body": 7},
    {"msgtype": "m.text", "body": "x", "format": {}, "formatted_body": ["x"]},
    {"msgtype": "m.text", "body": "x", "m.relates_to": "a string"},
    {"msgtype": "m.text", "body": "x", "m.relates_to": {"rel_type": [], "event_id": {}}},
    {"msgtype": "m.file", "body": "x", "file": "no object", "info": [], "url": 7},
    {"msgtype": "m.text", "body": "x", "m.mentions": "everybody", "m.new_content": []},
    {},
)


@poison
async def message_with_wrong_types(attack: Attack) -> None:
    for content in WRONG_MESSAGES:
        await attack.event(content, "m.room.message")


@poison
async def encrypted_message_with_wrong_types(attack: Attack) -> None:
    for content in WRONG_MESSAGES:
        event = {"room_id": attack.room, "type": "m.room.message", "content": content}
        await attack.megolm_plaintext(json.dumps(event).encode())


@poison
async def message_with_odd_texts(attack: Attack) -> None:
    for body in shapes("\x00", "\u202e" * 1000, "\U0001f600" * 5000, "<script>" * 100, "a" * 60_000):
        await attack.event({"msgtype": "m.text", "body": body}, "m.room.message")


@poison
async def message_nested(attack: Attack) -> None:
    for depth in shapes(20, 70, 150, 250, 400, 900):
        await attack.event({"msgtype": "m.text", "body": "x", "org.example": _nested(depth)}, "m.room.message")


@poison
async def other_events_with_wrong_types(attack: Attack) -> None:
    for type_ in shapes(
        "m.reaction", "m.sticker", "m.call.invite", "m.room.encryption", "m.room.member", "x" * 200, "\x00"
    ):
        await attack.event({"m.relates_to": [], "users": 7, "membership": [], "algorithm": {}}, type_)


@poison
async def state_with_wrong_types(attack: Attack) -> None:
    states: list[tuple[str, Json]] = [
        ("m.room.name", {"name": ["x"]}),
        ("m.room.topic", {"topic": {}}),
        ("m.room.encryption", {"algorithm": ["x"], "rotation_period_msgs": "never"}),
        ("m.room.encryption", {}),
        ("m.room.encryption", {"algorithm": MEGOLM, "rotation_period_ms": -1}),
        ("m.room.canonical_alias", {"alt_aliases": "x"}),
        ("m.room.pinned_events", {"pinned": {}}),
    ]
    for type_, content in states:
        await attack.attempt("PUT", path("rooms", attack.room, "state", type_, ""), content)
    member = {"membership": "join", "displayname": ["x"], "avatar_url": {}}
    await attack.attempt("PUT", path("rooms", attack.room, "state", "m.room.member", attack.eve.user_id), member)


@poison
async def invitation_with_wrong_types(attack: Attack) -> None:
    odd = [{"type": "m.room.name", "state_key": "", "content": {"name": {}}}]
    await attack.attempt("POST", path("createRoom"), {"invite": [attack.victim], "initial_state": odd})
    for member in shapes({"is_direct": ["yes"]}, {"displayname": 7}, {"reason": _nested(30)}):
        created = await attack.call("POST", path("createRoom"), {})
        endpoint = path("rooms", created["room_id"], "state", "m.room.member", attack.victim)
        await attack.attempt("PUT", endpoint, {"membership": "invite", **member})

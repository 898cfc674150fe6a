"""Malformed keys on the server, Megolm messages, events, state and invitations."""

import json
import secrets
from collections.abc import Callable

import vodozemac

from dpobot.errors import Rejected
from dpobot.matrix.http import path
from tests.live.attack import MEGOLM, OLM, Attack, Json, base64_of, nested, poison, shapes

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
    await _keys_of_a_new_device(attack, lambda name: _device(attack, name, "AAAA", base64_of(bytes(32))))


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
    for ciphertext in shapes("", "!!!", "AAAA", "é", base64_of(secrets.token_bytes(300))):
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
    for ciphertext in shapes(
        "!!!", "AAAA", base64_of(secrets.token_bytes(300)), session.encrypt(b"{}").to_base64()[:-8]
    ):
        await attack.event(attack.sealed(session.session_id, ciphertext))


@poison
async def megolm_plaintext_not_json(attack: Attack) -> None:
    for plaintext in shapes(b"", b"not json", b"\xff\xfe\x00", b"[]", b"null", b"7"):
        await attack.megolm_plaintext(plaintext)


@poison
async def megolm_plaintextnested(attack: Attack) -> None:
    await attack.megolm_plaintext(b"[" * 20_000 + b"]" * 20_000)
    good = {"room_id": attack.room, "type": "m.room.message", "content": {"body": nested(300)}}
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
async def messagenested(attack: Attack) -> None:
    for depth in shapes(20, 70, 150, 250, 400, 900):
        await attack.event({"msgtype": "m.text", "body": "x", "org.example": nested(depth)}, "m.room.message")


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
    for member in shapes({"is_direct": ["yes"]}, {"displayname": 7}, {"reason": nested(30)}):
        created = await attack.call("POST", path("createRoom"), {})
        endpoint = path("rooms", created["room_id"], "state", "m.room.member", attack.victim)
        await attack.attempt("PUT", endpoint, {"membership": "invite", **member})

"""Malformed to-device messages: Olm envelopes, what is inside them, and what comes in clear."""

import json
import secrets

import vodozemac

from tests.live.attack import MEGOLM, OLM, Attack, base64_of, nested, poison, shapes

# --- Olm envelopes ---


@poison
async def olm_body_not_base64(attack: Attack) -> None:
    await attack.olm(0, "!!! not base64 !!!")
    await attack.olm(1, "!!! not base64 !!!")


@poison
async def olm_body_garbage(attack: Attack) -> None:
    for size in shapes(0, 1, 16, 200):
        await attack.olm(0, base64_of(secrets.token_bytes(size)))
        await attack.olm(1, base64_of(secrets.token_bytes(size)))


@poison
async def olm_unknown_one_time_key(attack: Attack) -> None:
    account = vodozemac.Account()
    identity = vodozemac.Curve25519PublicKey.from_base64((await attack.device()).curve25519)
    session = account.create_outbound_session(identity, vodozemac.Curve25519SecretKey().public_key())
    message_type, ciphertext = session.encrypt(b"hello").to_parts()
    await attack.olm(message_type, base64_of(ciphertext), account.curve25519_key.to_base64())


@poison
async def olm_unknown_one_time_key_of_a_known_device(attack: Attack) -> None:
    account = attack.eve._machine.account._account
    identity = vodozemac.Curve25519PublicKey.from_base64((await attack.device()).curve25519)
    session = account.create_outbound_session(identity, vodozemac.Curve25519SecretKey().public_key())
    message_type, ciphertext = session.encrypt(b"hello").to_parts()
    await attack.olm(message_type, base64_of(ciphertext))


@poison
async def olm_message_type_wrong(attack: Attack) -> None:
    for message_type in shapes(2, -1, "0", None, [], 1e300, True):
        await attack.olm(message_type, base64_of(secrets.token_bytes(64)))


@poison
async def olm_body_wrong_type(attack: Attack) -> None:
    for body in shapes(None, 7, [], {}, "é\x00"):
        await attack.olm(0, body)


@poison
async def olm_sender_key_wrong(attack: Attack) -> None:
    for key in shapes("AAAA", "!", "é", [1], {"a": 1}, 7):
        await attack.olm(0, base64_of(secrets.token_bytes(64)), key)


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
async def olm_plaintextnested(attack: Attack) -> None:
    await attack.olm_plaintext(b"[" * 20_000 + b"]" * 20_000)


@poison
async def olm_payload_wrong_types(attack: Attack) -> None:
    for payload in shapes({"type": []}, {"sender": 7, "keys": [], "recipient_keys": "x", "type": "m.room_key"}):
        await attack.olm_plaintext(json.dumps(payload).encode())


@poison
async def room_key_not_a_key(attack: Attack) -> None:
    good = {"algorithm": MEGOLM, "room_id": attack.room, "session_id": "A" * 43}
    for key in shapes("", "AAAA", "!!!", "é", base64_of(secrets.token_bytes(229)), 7, None, []):
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
    await attack.to_device("m.dummy", {"x": nested(30)})


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
async def to_devicenested(attack: Attack) -> None:
    await attack.to_device("m.room.encrypted", {"algorithm": OLM, "ciphertext": nested(800)})
    await attack.to_device("m.room_key.withheld", {"code": nested(500)})


@poison
async def to_device_flood(attack: Attack) -> None:
    for _ in range(250):
        await attack.to_device("m.room.encrypted", {"algorithm": OLM, "sender_key": "A" * 43, "ciphertext": {}})

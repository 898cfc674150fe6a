"""How far a sender is known: master key -> self-signing key -> device -> Megolm session (spec 11.12.2, MSC4153)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from dpobot.matrix.api import TrustAnswer
from dpobot.matrix.directory import Directory, UserKeys
from dpobot.matrix.signatures import is_key, is_signed
from dpobot.model.ids import UserId
from dpobot.model.records import CryptoOrigin
from dpobot.model.words import Trust

WAIT_SECONDS = 3.0  # a new device appears first, its signature moments later


def cross_signing_key(user_id: str, keys: Mapping[str, Any] | None, usage: str) -> str | None:
    """Return the public key of a cross-signing key object (base64), or None if the object is not well-formed."""
    if keys is None or keys.get("user_id") != user_id:
        return None
    uses, public = keys.get("usage"), keys.get("keys")
    if not isinstance(uses, list) or usage not in uses or not isinstance(public, dict) or len(public) != 1:
        return None
    key_id, key = next(iter(public.items()))
    return key if isinstance(key, str) and key_id == f"ed25519:{key}" and is_key(key) else None


def is_cross_signed(user_id: str, keys: UserKeys, device: Mapping[str, Any]) -> bool:
    """Say whether the owner's self-signing key, vouched for by the master key, signed this device."""
    master = cross_signing_key(user_id, keys.master, "master")
    self_signing = cross_signing_key(user_id, keys.self_signing, "self_signing")
    if master is None or self_signing is None or keys.self_signing is None:
        return False
    return is_signed(keys.self_signing, user_id, f"ed25519:{master}", master) and is_signed(
        device, user_id, f"ed25519:{self_signing}", self_signing
    )


def session_device(user_id: str, keys: UserKeys, origin: CryptoOrigin) -> Mapping[str, Any] | None:
    """Return the sender's device that the Megolm session belongs to: both its keys match, and it signed them itself."""
    for device_id, device in keys.devices.items():
        own = device["keys"]
        if own[f"curve25519:{device_id}"] != origin.sender_key or own[f"ed25519:{device_id}"] != origin.signing_key:
            continue
        if is_signed(device, user_id, f"ed25519:{device_id}", origin.signing_key):
            return device
    return None


def judge(user_id: str, keys: UserKeys, origin: CryptoOrigin, pinned_master_key: str | None) -> TrustAnswer:
    """Return what these keys say of the session's sender; pure."""
    master = cross_signing_key(user_id, keys.master, "master")
    device = session_device(user_id, keys, origin)
    if device is None:
        return TrustAnswer(Trust.MISMATCH, master)
    if not is_cross_signed(user_id, keys, device):
        return TrustAnswer(Trust.UNSIGNED, master)
    if pinned_master_key is not None and pinned_master_key != master:
        return TrustAnswer(Trust.IDENTITY_CHANGED, master)
    return TrustAnswer(Trust.SIGNED, master)


async def establish(
    directory: Directory,
    sender: UserId,
    origin: CryptoOrigin | None,
    pinned_master_key: str | None,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> TrustAnswer:
    """Answer from memory only if all is well, else ask the server, wait, and ask again."""
    if origin is None:
        return TrustAnswer(Trust.CLEARTEXT)
    known = directory.cached(sender)
    if known is not None:
        answer = judge(sender, known, origin, pinned_master_key)
        if answer.trust is Trust.SIGNED:
            return answer
    for wait in (0.0, WAIT_SECONDS):
        await pause(wait)
        keys = await directory.fresh(sender)
        answer = TrustAnswer(Trust.UNKNOWN) if keys is None else judge(sender, keys, origin, pinned_master_key)
        if answer.trust in (Trust.SIGNED, Trust.IDENTITY_CHANGED):
            return answer
    return answer

"""Sending into encrypted rooms: Olm sessions with every device, one Megolm session a room for whoever is in it."""

import asyncio
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from nio.crypto import OlmDevice, OutboundGroupSession

from dpobot import log
from dpobot.matrix.directory import Directory
from dpobot.matrix.hardening import Machine
from dpobot.matrix.http import Http, path

_AT_ONCE = 50  # devices in one /sendToDevice
_CLAIM_AGAIN_SECONDS = 60.0  # a device without keys is not asked for at every message
_WAIT_MS = 10_000
_log = log.get(__name__)


class Sharing:
    """Encrypts events for everybody who is in the room; the devices need not be verified to be able to read."""

    def __init__(self, http: Http, machine: Machine, directory: Directory) -> None:
        self._http = http
        self._machine = machine
        self._directory = directory
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._without_keys: dict[str, float] = {}  # curve25519 -> when it had none (monotonic seconds)

    async def encrypt(
        self, room_id: str, people: Iterable[str], type_: str, content: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the content of the ``m.room.encrypted`` event, readable by every device of ``people``."""
        people = frozenset(people)
        async with self._locks[room_id]:
            await self._directory.ensure(people)
            devices = self._devices(people)
            await self.open_sessions(devices)
            session = self._machine.outbound(room_id, devices)
            await self._share(room_id, session, devices)
            session.mark_as_shared()
            return self._seal(room_id, type_, content)

    def _devices(self, people: Iterable[str]) -> list[OlmDevice]:
        own = (self._machine.user_id, self._machine.device_id)
        return [
            device
            for user in people
            for device in self._machine.device_store.active_user_devices(user)
            if (device.user_id, device.device_id) != own
        ]

    def _seal(self, room_id: str, type_: str, content: Mapping[str, Any]) -> dict[str, Any]:
        sealed: dict[str, Any] = self._machine.group_encrypt(room_id, {"type": type_, "content": dict(content)})
        if "m.relates_to" in content:
            sealed["m.relates_to"] = content["m.relates_to"]  # the server must see relations (spec 11.12.3)
        return sealed

    async def open_sessions(self, devices: Iterable[OlmDevice], *, renew: bool = False) -> list[OlmDevice]:
        """Claim one-time keys for devices without an Olm session (``renew``: for all); return those with a new one."""
        now = time.monotonic()
        wanted = [
            device
            for device in devices
            if (renew or not self._machine.session_store.get(device.curve25519))
            and now - self._without_keys.get(device.curve25519, -_CLAIM_AGAIN_SECONDS) >= _CLAIM_AGAIN_SECONDS
        ]
        if not wanted:
            return []
        claim: dict[str, dict[str, str]] = defaultdict(dict)
        for device in wanted:
            claim[device.user_id][device.device_id] = "signed_curve25519"
        answer = await self._http.call("POST", path("keys", "claim"), {"one_time_keys": claim, "timeout": _WAIT_MS})
        return [device for device in wanted if self._start(device, answer.get("one_time_keys"), now)]

    def _start(self, device: OlmDevice, keys: object, now: float) -> bool:
        of_user = keys.get(device.user_id) if isinstance(keys, dict) else None
        answer = of_user.get(device.device_id) if isinstance(of_user, dict) else None
        if self._machine.start_session(device, answer):
            self._without_keys.pop(device.curve25519, None)
            return True
        self._without_keys[device.curve25519] = now
        _log.warning("device_without_keys", sender=device.user_id)
        return False

    async def _share(self, room_id: str, session: OutboundGroupSession, devices: list[OlmDevice]) -> None:
        missing = [
            device
            for device in devices
            if (device.user_id, device.device_id) not in session.users_shared_with
            and self._machine.session_store.get(device.curve25519)
        ]
        key = {
            "algorithm": "m.megolm.v1.aes-sha2",
            "room_id": room_id,
            "session_id": session.id,
            "session_key": session.session_key,
        }
        for start in range(0, len(missing), _AT_ONCE):
            batch = missing[start : start + _AT_ONCE]
            await self.to_devices(batch, "m.room_key", key)
            session.users_shared_with.update((device.user_id, device.device_id) for device in batch)

    async def to_devices(self, devices: Iterable[OlmDevice], type_: str, content: Mapping[str, Any]) -> None:
        """Send one message, Olm-encrypted for each of some devices that have a session."""
        messages: dict[str, dict[str, Any]] = defaultdict(dict)
        for device in devices:
            messages[device.user_id][device.device_id] = self._machine.olm_encrypt(device, type_, content)
        await self._http.call("PUT", path("sendToDevice", "m.room.encrypted", uuid.uuid4().hex), {"messages": messages})

    async def heal(self) -> None:
        """Give the devices whose Olm sessions broke a new one, and say so with an ``m.dummy`` (spec 11.12.4.2)."""
        wedged = list(self._machine.wedged_devices)
        if not wedged:
            return
        self._machine.wedged_devices.clear()
        healed = await self.open_sessions(wedged, renew=True)
        if healed:
            await self.to_devices(healed, "m.dummy", {})
            _log.info("olm_sessions_renewed", device_count=len(healed))

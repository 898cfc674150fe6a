"""matrix-nio's Olm machine, made fit for strangers: nothing that anybody sends may raise, block or lock out.

The release 0.26.0 replaced libolm by vodozemac and left exceptions uncaught on paths that any user of the homeserver
reaches. Each override here says which fault it cures. They lean on that release's internals: hence the version check.
"""

import hashlib
import importlib.metadata
import logging
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import vodozemac
from nio.crypto import InboundGroupSession, OlmDevice, OutboundGroupSession
from nio.crypto.olm_machine import Olm
from nio.events import OlmEvent, RoomKeyEvent, ToDeviceEvent
from nio.responses import KeysQueryResponse
from nio.store import SqliteStore
from nio.store.database import SqliteDatabase

from dpobot import log
from dpobot.errors import ConfigurationError
from dpobot.matrix import signatures

NIO_VERSION = "0.26.0"
_FALLBACK_SECONDS = 300.0  # a flood of claims must not rotate the fallback key away from those who just fetched it
_log = log.get(__name__)


def require_nio(installed: str | None = None) -> None:
    """Raise `ConfigurationError` unless exactly the release of matrix-nio that we harden is installed."""
    found = installed or importlib.metadata.version("matrix-nio")
    if found != NIO_VERSION:
        raise ConfigurationError(
            [f"matrix-nio {found}: its hardening is written for {NIO_VERSION}; pip install matrix-nio=={NIO_VERSION}"]
        )


def silence_libraries() -> None:
    """Keep nio and its database layer out of the log: their messages quote what they choke on, room keys included."""
    for name in ("nio", "peewee"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


class Store(SqliteStore):  # type: ignore[misc] # nio ships no types
    """nio's key store with a write-ahead log: a commit costs one fsync and survives a power cut."""

    def _create_database(self) -> SqliteDatabase:
        return SqliteDatabase(
            self.database_path,
            pragmas={"foreign_keys": 1, "secure_delete": 1, "journal_mode": "wal", "synchronous": "full"},
        )


class Machine(Olm):  # type: ignore[misc] # nio ships no types
    """The account's end-to-end encryption: keys, Olm and Megolm sessions, other people's devices."""

    # nio waits an hour before it heals a broken Olm session; a store that was lost would be deaf as long.
    _unwedging_interval = timedelta(minutes=1)

    def __init__(self, user_id: str, device_id: str, store: SqliteStore) -> None:
        require_nio()
        silence_libraries()
        super().__init__(user_id, device_id, store)
        self.suspects: set[tuple[str, str]] = set()  # (user, curve25519) of broken sessions with unknown devices
        self._fallback_at: float | None = None

    # --- own keys ---

    def device_keys(self) -> dict[str, Any]:
        """Return this device's signed public keys (spec: Device keys)."""
        keys: dict[str, Any] = {
            "algorithms": list(self._algorithms),
            "device_id": self.device_id,
            "user_id": self.user_id,
            "keys": {f"{name}:{self.device_id}": key for name, key in self.account.identity_keys.items()},
        }
        return self._signed(keys)

    def upload_body(self, on_server: int, fallback_used: bool) -> dict[str, Any]:
        """Return what /keys/upload is to be told, {} if nothing; the account is saved before its keys leave.

        nio saves the account after the answer only: a crash in between made every later upload fail. It takes 0
        for "unknown" and never makes a fallback key (MSC2732), so that 50 claims locked every new device out.
        """
        account = self.account._account
        wanted = account.max_number_of_one_time_keys - on_server - len(account.one_time_keys)
        if wanted > 0:
            account.generate_one_time_keys(wanted)
        renew = fallback_used and not account.fallback_key and self._fallback_due()
        if renew:
            account.generate_fallback_key()
        if renew or wanted > 0:
            self.save_account()
        body: dict[str, Any] = {} if self.account.shared else {"device_keys": self.device_keys()}
        if account.one_time_keys:
            body["one_time_keys"] = self._public(account.one_time_keys, {})
        if account.fallback_key:
            body["fallback_keys"] = self._public(account.fallback_key, {"fallback": True})
        return body

    def uploaded(self) -> None:
        """Note that the server has what `upload_body` returned."""
        self.account.shared = True
        self.account.mark_keys_as_published()
        self.save_account()

    def _fallback_due(self) -> bool:
        now = time.monotonic()
        if self._fallback_at is not None and now - self._fallback_at < _FALLBACK_SECONDS:
            return False
        self._fallback_at = now
        return True

    def _public(self, keys: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
        return {
            f"signed_curve25519:{key_id}": self._signed({"key": key.to_base64(), **extra})
            for key_id, key in keys.items()
        }

    def _signed(self, value: dict[str, Any]) -> dict[str, Any]:
        return value | {"signatures": {self.user_id: {f"ed25519:{self.device_id}": self.sign(value)}}}

    def sign(self, value: Mapping[str, Any]) -> str:
        """Return this device's signature of a JSON object."""
        return str(self.account.sign(signatures.canonical(value).decode()))

    # --- to-device messages ---

    def receive(self, raw: Mapping[str, Any]) -> str | None:
        """Handle one encrypted to-device message; return the ID of the Megolm session that it brought, or None.

        Whatever fails inside is logged and dropped: the message would come back at every restart. The account is saved
        afterwards, because nio saves it before vodozemac takes the one-time key out.
        """
        sender = str(raw.get("sender"))
        try:
            event = ToDeviceEvent.parse_event(dict(raw))
            if not isinstance(event, OlmEvent):
                return None
            try:
                brought = self.decrypt_event(event)
            finally:
                self.save_account()
            return str(brought.session_id) if isinstance(brought, RoomKeyEvent) else None
        except Exception as error:  # noqa: BLE001 - hostile input reaches many places in nio; one message must not stop all
            _log.warning("to_device_dropped", sender=sender, reason_code=type(error).__name__)
            self._suspect(raw, sender)
            return None

    def _suspect(self, raw: Mapping[str, Any], sender: str) -> None:
        content = raw.get("content")
        key = content.get("sender_key") if isinstance(content, dict) else None
        if isinstance(key, str) and signatures.is_key(key):
            self._mark_device_for_unwedging(sender, key)

    def _mark_device_for_unwedging(self, sender: str, sender_key: str) -> None:
        """Plan a fresh Olm session; also for a device that is not known yet, once its keys are."""
        if self.device_store.device_from_sender_key(sender, sender_key) is None:
            if len(self.suspects) < 1000:
                self.suspects.add((sender, sender_key))
            return
        super()._mark_device_for_unwedging(sender, sender_key)

    def recheck_suspects(self) -> None:
        """Mark the devices that have become known since they failed."""
        waiting, self.suspects = self.suspects, set()
        for sender, key in waiting:
            if self.device_store.device_from_sender_key(sender, key) is not None:
                super()._mark_device_for_unwedging(sender, key)

    def create_group_session(
        self, sender_key: str, sender_fp_key: str, room_id: str, session_id: str, session_key: str
    ) -> None:
        """Keep a Megolm session, if it is what it says, and no other device has brought the same one before.

        nio lets a bad key raise, and lets anybody who knows a session replace its owner's copy by a later one.
        """
        try:
            session = InboundGroupSession(session_key, sender_fp_key, sender_key, room_id)
        except (ValueError, TypeError) as error:
            _log.warning("room_key_dropped", room=room_id, reason_code=type(error).__name__)
            return
        known = self.group_session(room_id, session_id)
        if session.id != session_id or not signatures.is_key(sender_fp_key):
            _log.warning("room_key_dropped", room=room_id, reason_code="mismatch")
        elif known is not None and known.sender_key != sender_key:
            _log.warning("room_key_dropped", room=room_id, reason_code="other_owner")
        elif known is None or session.first_known_index < known.first_known_index:
            self.inbound_group_store.add(session)
            self.save_inbound_group_session(session)

    def group_session(self, room_id: str, session_id: str) -> InboundGroupSession | None:
        """Return the Megolm session of a room by its ID alone (``sender_key`` in events is deprecated since v1.3)."""
        if room_id not in self.inbound_group_store._entries:
            return None
        for sessions in self.inbound_group_store._entries[room_id].values():
            if session_id in sessions:
                return sessions[session_id]
        return None

    # --- other people's keys ---

    def verify_json(self, json: Mapping[str, Any], user_key: str, user_id: str, device_id: str) -> bool:
        """Check a signature without changing ``json``; nio raises for malformed ones and strips what it was given."""
        return signatures.is_signed(json, user_id, f"ed25519:{device_id}", user_key)

    def learn_devices(self, users: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
        """Take over the devices of people; those must have passed `sound_devices`."""
        for user_id, devices in users.items():
            for device_id in devices:
                known = self.device_store[user_id].get(device_id)
                if known is not None:
                    known.deleted = False
        copies = {user: {name: dict(device) for name, device in devices.items()} for user, devices in users.items()}
        self.handle_response(KeysQueryResponse(copies, {}))

    def start_session(self, device: OlmDevice, answer: object) -> bool:
        """Start an Olm session with what /keys/claim answered for a device; False if that is no good."""
        claimed = next(iter(answer.values()), None) if isinstance(answer, dict) else None
        key = claimed.get("key") if isinstance(claimed, dict) else None
        if not signatures.is_key(key) or not self.verify_json(
            claimed or {}, device.ed25519, device.user_id, device.device_id
        ):
            return False
        try:
            self.create_session(key, device.curve25519)
        except (ValueError, vodozemac.SessionCreationException):
            return False
        return True

    def olm_encrypt(self, device: OlmDevice, type_: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Encrypt a to-device message for one device that has an Olm session."""
        encrypted: dict[str, Any] = self._olm_encrypt(
            self.session_store.get(device.curve25519), device, type_, dict(content)
        )
        return encrypted

    # --- outbound Megolm ---

    def outbound(self, room_id: str, devices: Iterable[OlmDevice]) -> OutboundGroupSession:
        """Return the room's session; a new one if it has expired or is known to others than ``devices``."""
        session = self.outbound_group_sessions.get(room_id)
        present = {(device.user_id, device.device_id) for device in devices}
        if session is None or session.expired or session.users_shared_with - present:
            self.create_outbound_group_session(room_id)
            session = self.outbound_group_sessions[room_id]
        return session


def sound_devices(user_id: str, devices: object) -> dict[str, dict[str, Any]]:
    """Return those devices of a /keys/query answer that are well-formed, by device ID.

    One account with a device key of three bytes made nio's key query raise for ever.
    """
    if not isinstance(devices, dict):
        return {}
    sound = {}
    for device_id, device in devices.items():
        if _is_sound(user_id, device_id, device):
            sound[device_id] = {name: item for name, item in device.items() if name != "unsigned"}
        else:
            _log.warning("device_ignored", sender=user_id, reason_code="malformed")
    return sound


def _is_sound(user_id: str, device_id: object, device: object) -> bool:
    if not isinstance(device, dict) or device.get("user_id") != user_id or device.get("device_id") != device_id:
        return False
    keys = device.get("keys")
    if not isinstance(keys, dict):
        return False
    return all(signatures.is_key(keys.get(f"{name}:{device_id}")) for name in ("ed25519", "curve25519"))


def fingerprint(raw: Mapping[str, Any]) -> str:
    """Return a short name of a to-device message, to know it again when a /sync is repeated."""
    return hashlib.sha256(repr(raw).encode("utf-8", "replace")).hexdigest()

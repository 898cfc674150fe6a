"""Opening ``m.room.encrypted`` events (Megolm), with the keys that they came from, or the reason why not."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nio.crypto import InboundGroupSession

from dpobot import log
from dpobot.matrix.api import Received
from dpobot.matrix.events import Malformed, wholesome
from dpobot.matrix.hardening import Machine
from dpobot.model.ids import DeviceId
from dpobot.model.records import CryptoOrigin

MEGOLM = "m.megolm.v1.aes-sha2"
_REMEMBERED = 10_000
_CODES = frozenset(
    {"m.blacklisted", "m.unverified", "m.unauthorised", "m.unavailable", "m.no_olm", "m.history_not_shared"}
)
_log = log.get(__name__)


class Withheld:
    """Why people's clients did not give us a key (``m.room_key.withheld``); each sender speaks for itself only."""

    def __init__(self) -> None:
        self._codes: OrderedDict[tuple[str, str, str], str] = OrderedDict()

    def note(self, raw: Mapping[str, Any]) -> None:
        """Remember one to-device message; malformed ones are ignored."""
        content, sender = raw.get("content"), raw.get("sender")
        if not isinstance(content, dict) or not isinstance(sender, str):
            return
        code = content.get("code")
        if not isinstance(code, str) or code not in _CODES:
            return
        room, session = content.get("room_id"), content.get("session_id")
        # m.no_olm speaks of all sessions of the sender
        key = (sender, room, session) if isinstance(room, str) and isinstance(session, str) else (sender, "", "")
        self._codes[key] = code
        self._codes.move_to_end(key)
        while len(self._codes) > _REMEMBERED:
            self._codes.popitem(last=False)
        _log.info("room_key_withheld", sender=sender, reason_code=code)

    def why(self, sender: str, room_id: str, session_id: str) -> str:
        """Return the sender's reason, or ``no_session``."""
        return self._codes.get((sender, room_id, session_id)) or self._codes.get((sender, "", "")) or "no_session"


class Decryption:
    """Opens events with the sessions that the machine has."""

    def __init__(self, machine: Machine, withheld: Withheld) -> None:
        self._machine = machine
        self._withheld = withheld
        self._seen: OrderedDict[tuple[str, str, int], str] = OrderedDict()  # against replays (spec 11.12.3)

    def open(self, event: Received) -> Received:
        """Return the event decrypted, or with the stable reason in ``undecryptable``; never raises."""
        if not event.content:
            return replace(event, undecryptable=None)  # redacted: nothing is left to open
        wire = event.content
        session_id, ciphertext = wire.get("session_id"), wire.get("ciphertext")
        if wire.get("algorithm") != MEGOLM or not isinstance(session_id, str) or not isinstance(ciphertext, str):
            return replace(event, undecryptable="malformed")
        session = self._machine.group_session(event.room_id, session_id)
        if session is None:
            return replace(event, undecryptable=self._withheld.why(event.sender, event.room_id, session_id))
        try:
            return self._opened(event, session, ciphertext)
        except Exception as error:  # noqa: BLE001 - the ciphertext and all in it is the sender's; no event may stop /sync
            _log.warning("decryption_failed", event_id=event.event_id, reason_code=type(error).__name__)
            return replace(event, undecryptable="failed")

    def _opened(self, event: Received, session: InboundGroupSession, ciphertext: str) -> Received:
        plaintext, index = session.decrypt(ciphertext)
        key = (session.sender_key, session.id, index)
        if self._seen.get(key, event.event_id) != event.event_id:
            raise Malformed("replay")
        payload = wholesome(json.loads(plaintext))
        if not isinstance(payload, dict) or payload.get("room_id") != event.room_id:
            raise Malformed("room_id")
        type_, content = payload.get("type"), payload.get("content")
        if not isinstance(type_, str) or not type_ or not isinstance(content, dict):
            raise Malformed("payload")
        self._remember(key, event.event_id)
        relation = event.content.get("m.relates_to")
        if isinstance(relation, dict):
            content = {"m.relates_to": relation} | content
        device = event.content.get("device_id")
        origin = CryptoOrigin(
            session.sender_key, session.ed25519, session.id, DeviceId(device) if isinstance(device, str) else None
        )
        return replace(event, type=type_, content=content, origin=origin, undecryptable=None)

    def _remember(self, key: tuple[str, str, int], event_id: str) -> None:
        self._seen[key] = event_id
        while len(self._seen) > _REMEMBERED * 10:
            self._seen.popitem(last=False)

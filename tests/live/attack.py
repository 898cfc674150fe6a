"""An ordinary account that attacks: what it can send through the homeserver, and the list of its attacks.

The attacker has its own session, for what must be Olm-encrypted, and its plain HTTP connection.
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
        await self.olm(message_type, base64_of(ciphertext))

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


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def shapes(*values: Any) -> tuple[Any, ...]:
    """Return values of whatever types."""
    return values


def nested(depth: int) -> object:
    value: object = "x"
    for _ in range(depth):
        value = [value]
    return value


Poison = Callable[[Attack], Awaitable[None]]
POISONS: list[Poison] = []


def poison(attack: Poison) -> Poison:
    POISONS.append(attack)
    return attack

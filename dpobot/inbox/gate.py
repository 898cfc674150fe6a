"""The gate: where a message was said, by whom, from which device, before any command sees it."""

from dataclasses import dataclass
from datetime import datetime

from dpobot.clock import Clock
from dpobot.delivery.rooms import is_safe, look
from dpobot.matrix.api import Matrix, RoomFacts
from dpobot.model.ids import RoomId, server_of
from dpobot.model.records import CryptoOrigin, Incoming, Reply
from dpobot.model.words import Trust
from dpobot.store import known_devices, people, staff_rooms
from dpobot.store.database import Database, Tx
from dpobot.store.inbox import InboxRow
from dpobot.store.people import Person


@dataclass(frozen=True, slots=True)
class Admitted:
    """The message may be dealt with. ``master_key`` is to be pinned if the person has none yet.

    ``signing_key``: of the sending device, if its owner has signed it: from now on we know it.
    """

    incoming: Incoming
    master_key: str | None
    signing_key: str | None = None


@dataclass(frozen=True, slots=True)
class Turned:
    """The message is answered with a sentence and nothing else. ``cleartext``: where others may read it."""

    reply: Reply | None
    cleartext: bool = False
    leave: bool = False


class Gate:
    """Looks at the room and the device of a message, each time anew."""

    def __init__(self, database: Database, matrix: Matrix, clock: Clock) -> None:
        self._database = database
        self._matrix = matrix
        self._clock = clock

    async def _room(self, row: InboxRow, of_staff: frozenset[RoomId]) -> RoomFacts | Turned:
        """Ask who is in the room now and whether it is encrypted; `Turned` where a person's data has no place."""
        facts = await look(self._matrix, row.room_id)
        if facts is None:
            return Turned(None)  # we are not in it: there is nobody to answer
        if row.sender not in facts.joined:
            return Turned(None)  # they have left meanwhile: nobody there may read an answer meant for them
        if not facts.encrypted:
            return Turned(Reply("unencrypted_room"), cleartext=True)
        if row.room_id in of_staff:
            return Turned(Reply("not_direct", {"of_staff": True}), cleartext=True)  # what was the staff room
        if not is_safe(facts, row.sender, self._matrix.user_id):
            return Turned(Reply("not_direct", {"of_staff": False}), cleartext=True)
        return facts if row.encrypted else Turned(Reply("sent_in_clear"))

    async def admit(self, row: InboxRow) -> Admitted | Turned:
        """Return the message with what is known of its sender's device, or how it is turned away."""
        known = await self._database.read(lambda tx: _known(tx, row))
        facts = await self._room(row, known.of_staff)
        if isinstance(facts, Turned):
            return facts
        person, origin = known.person, origin_of(row)
        answer = await self._matrix.trust(row.sender, origin, person.master_key if person else None)
        if answer.trust is Trust.MISMATCH:
            return Turned(Reply("forged"))
        signed = answer.trust is Trust.SIGNED
        # not since the message came: its key may have been kept back until its owner had signed the device
        since = known.device_since or self._clock.now()
        incoming = Incoming(
            event_id=row.event_id,
            room_id=row.room_id,
            sender=row.sender,
            kind=row.kind,
            body=str(row.payload.get("body", "")),
            received_at=row.received_at,
            encrypted=row.encrypted,
            trust=answer.trust,
            local=server_of(row.sender) == server_of(self._matrix.user_id),
            language=person.language if person else "en",
            content=row.payload.get("content", {}),
            device_since=since if signed else None,
        )
        if not signed:  # a device that its owner has not signed yet does not grow older with us
            return Admitted(incoming, None)
        return Admitted(incoming, answer.master_key, origin.signing_key if origin else None)


@dataclass(frozen=True, slots=True)
class _Known:
    """What we knew before a message: its sender, since when the device, and which rooms were ever of staff."""

    person: Person | None
    device_since: datetime | None
    of_staff: frozenset[RoomId]


async def _known(tx: Tx, row: InboxRow) -> _Known:
    origin = origin_of(row)
    since = await known_devices.since(tx, row.sender, origin.signing_key) if origin else None
    return _Known(await people.get(tx, row.sender), since, await staff_rooms.ever(tx))


async def remember(tx: Tx, admitted: Admitted) -> Person:
    """Keep where we talk with a person and since when we know the device, pin the identity of whoever has none pinned
    yet, and return who it is.
    """
    incoming = admitted.incoming
    known = await people.get(tx, incoming.sender)
    person = known or await people.ensure(tx, incoming.sender, incoming.received_at)
    if person.room_id != incoming.room_id:
        await people.set_room(tx, incoming.sender, incoming.room_id)
    if admitted.master_key is not None and person.master_key is None:
        await people.pin_master_key(tx, incoming.sender, admitted.master_key)
    if admitted.signing_key is not None and incoming.device_since is not None:
        await known_devices.seen(tx, incoming.sender, admitted.signing_key, incoming.device_since)
    return person


def origin_of(row: InboxRow) -> CryptoOrigin | None:
    """Return the keys that a row's message came with."""
    origin = row.payload.get("origin")
    return CryptoOrigin(**origin) if isinstance(origin, dict) else None

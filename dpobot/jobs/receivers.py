"""Receivers: which servers, bridges, bots, push gateways and identity servers got what the person sent, by name."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dpobot.archive.spool import Room, Spool
from dpobot.engine.api import StepResult, Steps
from dpobot.errors import Rejected
from dpobot.homeserver.api import Homeserver, RoomCompany
from dpobot.homeserver.stays import server_name
from dpobot.jobs.gateways import identity_servers, push_gateways
from dpobot.jobs.hearers import Hearers
from dpobot.jobs.progress import Tally
from dpobot.jobs.received import Note, refused_note, room_note, together
from dpobot.model.ids import RoomId, UserId, server_of

RECIPIENTS = "recipients"  # what it is kept as in the spool
VIA = "via"  # the same of the servers that are in each room now (`archive.bundle`)
_ROOM = "receivers-{}"  # the same of one room
_PUSHERS, _ACCOUNT_DATA = "pushers", "account_data"


class Receivers:
    """Finds out, room by room, who received what is in the spool; notes it there (`archive.recipients` tells it)."""

    def __init__(self, homeserver: Homeserver, spool: Spool, steps: Steps, person: UserId) -> None:
        self._homeserver = homeserver
        self._spool = spool
        self._steps = steps
        self._person = person
        self._generation = spool.generation()

    async def all(self, tally: Tally) -> None:
        """Ask for each room that the person sent something to; finished steps are not done again.

        Raises as `Homeserver` does; a room that the homeserver refuses is told as incomplete.
        """
        rooms = [room for room in self._spool.room_list() if room.missing or self._sent_to(room)]
        tally.steps_total += len(rooms)
        for room in rooms:
            name = f"{self._generation}:receivers:{room.number}"
            fresh = self._steps.done(name) is None
            await self._steps.step(name, lambda room=room: self._room(room), tally.progress().to_json())  # type: ignore[misc] # bound per turn
            tally.step(fresh=fresh)
        push = push_gateways(await self._records(_PUSHERS))
        identity = identity_servers(await self._records(_ACCOUNT_DATA))
        keep(self._spool, rooms, self._person, push, identity)
        self._spool.keep(VIA, {room.room_id: self._spool.kept(_ROOM.format(room.number))["via"] for room in rooms})

    def _sent_to(self, room: Room) -> bool:
        return next(iter(self._spool.events(room.number)), None) is not None

    async def _room(self, room: Room) -> StepResult:
        note = refused_note(room.missing) if room.missing else await self._heard(room)
        self._spool.keep(_ROOM.format(room.number), note)
        return {"count": len(note["servers"])}

    async def _heard(self, room: Room) -> Note:
        company = await company_of(self._homeserver, RoomId(room.room_id), self._person)
        if not isinstance(company, RoomCompany):
            return company
        return await asyncio.to_thread(self._count, room, company)

    def _count(self, room: Room, company: RoomCompany) -> Note:
        hearers = Hearers(company)
        take_in(hearers, (json.loads(line) for line in self._spool.events(room.number)))
        return room_note(hearers, company)

    async def _records(self, category: str) -> Iterable[Mapping[str, Any]]:
        """Return a category's records, from the spool or, where the person did not ask for these, from the server."""
        if category in self._spool.categories():
            return self._spool.category(category).records
        if category not in self._homeserver.categories:
            return ()
        return (await self._homeserver.collect(category, self._person)).records


async def company_of(homeserver: Homeserver, room_id: RoomId, person: UserId) -> RoomCompany | Note:
    """Return who was in a room, or the note of one that the homeserver refuses. Raises as `Homeserver` does."""
    try:
        return await homeserver.company(room_id, person)
    except Rejected as refusal:
        if refusal.status in (401, 403):
            raise  # that is about our token, not about this room
        return refused_note(refusal.code)


def take_in(hearers: Hearers, events: Iterable[Mapping[str, Any]]) -> None:
    """Count a person's own events by their times; an invitation also for the server of whom it invites."""
    for event in events:
        at, content = event.get("origin_server_ts"), event.get("content")
        if not isinstance(at, int):
            continue
        hearers.sent(at)
        if event.get("type") == "m.room.member" and isinstance(content, Mapping):
            invited = server_name(event.get("state_key"))
            if content.get("membership") == "invite" and invited is not None:
                hearers.told(invited, at)


def keep(spool: Spool, rooms: Iterable[Room], person: UserId, push: list[Any], identity: list[Any]) -> Note:
    """Put the notes of all rooms together, keep them as `RECIPIENTS`, and return that."""
    notes: Iterator[Note] = (spool.kept(_ROOM.format(room.number)) for room in rooms)
    found = together(notes, server_of(person), push, identity)
    spool.keep(RECIPIENTS, found)
    return found

"""Rooms: joined through the servers that were there, or knocked at; never by an address that leads elsewhere now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.moving.item import Acting, Item, Standing, Verdict, because, skipped, there, will
from dpobot.moving.line import Line
from dpobot.moving.parcel import Parcel, Room, shown
from dpobot.moving.present import Present

KNOCKED = "knocked"
_WAITS = "knocked; somebody in the room decides, then run the same command again"
_OPEN = frozenset({"public", "restricted", "knock_restricted", None})  # None: the old server could not say
_BY_ANOTHER = frozenset({"restricted", "knock_restricted"})
_HEARSAY = (0.5, 2.0)  # seconds
_KNOCKS = frozenset({"knock", "knock_restricted"})


def items(parcel: Parcel) -> Iterator[Item]:
    """Yield the rooms that the person was in at the end; those last that let in who is in another room."""
    partners = {room: user for user, rooms in parcel.direct.items() for room in rooms}
    for room in sorted(parcel.joined(), key=lambda room: room.join_rule in _BY_ANOTHER):
        yield Join(room, parcel.user_id, partners.get(room.room_id))


def named(room: Room) -> str:
    """Return what to call a room."""
    return shown(room.name or room.alias or room.room_id)


@dataclass(frozen=True, slots=True)
class Join:
    """A room. ``old``: the account that was in it; ``partner``: who the direct message is with."""

    room: Room
    old: str
    partner: str | None = None
    section = "rooms"

    @property
    def key(self) -> str:
        """Return the room's name in the state file."""
        return f"rooms/{self.room.room_id}"

    @property
    def label(self) -> str:
        """Return what to call it."""
        encrypted = " (encrypted: earlier messages stay unreadable here)" if self.room.encrypted else ""
        return f"room {named(self.room)}{encrypted}"

    def foresee(self, present: Present) -> Standing:
        """Tell whether its rule lets the account in."""
        room, rule = self.room.room_id, self.room.join_rule
        if room in present.joined:
            return there()
        if room in present.invited:
            return will("accept the invitation")
        if room in present.knocked:
            return there(_WAITS)
        if rule in _OPEN:
            return will("join" if rule == "public" else "try to join")
        return will("knock") if rule in _KNOCKS else skipped(self._private(present.user_id))

    def assume(self, present: Present) -> None:
        """The account is in it, or has knocked."""
        invited = self.room.room_id in present.invited
        knocks = self.room.join_rule == "knock" and not invited
        (present.knocked if knocks else present.joined).add(self.room.room_id)

    async def carry(self, acting: Acting) -> Standing:
        """Join, and knock where joining is not granted."""
        invited = self.room.room_id in acting.present.invited
        if acting.begun == KNOCKED and not invited:
            return skipped("has knocked before, and was not let in")
        if self.room.join_rule in _OPEN or invited:
            try:
                await self._admitted(acting.line)
            except Rejected as refusal:
                if self.room.join_rule in ("public", "knock_restricted") or invited or refusal.status != 403:
                    return await self._second(acting, refusal)
                return skipped(self._private(acting.present.user_id))
            acting.present.joined.add(self.room.room_id)
            return Standing(Verdict.DONE)
        return await self._knock(acting)

    async def _admitted(self, line: Line) -> None:
        """Join; where being in another room lets one in, give the other servers time to hear of a join there."""
        for seconds in _HEARSAY if self.room.join_rule in _BY_ANOTHER else ():
            try:
                return await self._enter(line, "join")
            except Rejected as refusal:
                if refusal.status != 403:
                    raise
                await line.pause(seconds)
        return await self._enter(line, "join")

    async def _second(self, acting: Acting, refusal: Rejected) -> Standing:
        """Knock where one may, else say why there is no way in."""
        if self.room.join_rule == "knock_restricted" and refusal.status == 403:
            return await self._knock(acting)
        return Standing(Verdict.FAILED, because(refusal))

    async def _knock(self, acting: Acting) -> Standing:
        await self._enter(acting.line, "knock")
        acting.note(KNOCKED)
        acting.present.knocked.add(self.room.room_id)
        return Standing(Verdict.DONE, _WAITS, open=True)

    async def _enter(self, line: Line, how: str) -> None:
        """Join or knock by ID; if no server of the list is left, ask the address for others, if it still leads here."""
        try:
            await line.call("POST", how, self.room.room_id, body={}, params=through(self.room.via))
        except (Unavailable, Rejected) as error:
            servers = await self._servers(line) if _unknown(error) else ()
            if not servers:
                raise
            await line.call("POST", how, self.room.room_id, body={}, params=through(servers))

    async def _servers(self, line: Line) -> tuple[str, ...]:
        if self.room.alias is None:
            return ()
        try:
            answer = await line.call("GET", "directory", "room", self.room.alias)
        except (Unavailable, Rejected):
            return ()
        servers = answer.get("servers")
        here = answer.get("room_id") == self.room.room_id and isinstance(servers, list)
        return tuple(str(server) for server in servers[:5]) if here and isinstance(servers, list) else ()

    def _private(self, user: str) -> str:
        ask = f", or ask {shown(self.partner, 255)}" if self.partner else ""
        return f"needs an invitation: invite {user} with {shown(self.old, 255)}{ask}; then run the same command again"


def through(servers: Sequence[str]) -> dict[str, str]:
    """Return the parameters that name servers: ``via``, and ``server_name`` for servers before version 1.12."""
    several = "\n".join(servers)
    return {"via": several, "server_name": several} if several else {}


def _unknown(error: Unavailable | Rejected) -> bool:
    """Whether it may be for want of a server that knows the room."""
    return isinstance(error, Gone) or (isinstance(error, Unavailable) and error.code.startswith("http_"))

"""Bridges and bots in a room: recipients by name, and never a person (Art. 15(1)(c) and (4) GDPR).

What says that an account is a machine:

- a bridge announces itself by a state event (MSC2346). Anybody with the power to set state can write one, and the
  puppets of people on the other network look like accounts. So a bridge's account is named only if it speaks for
  itself: it sent the event, or, on our own server, the account that did belongs to the same application service.
- our own server knows which accounts are bots (``user_type``) and which belong to an application service. It does not
  say which of those is the service's own and which are puppets of people: the service is named, the account is not.
- an account that was in a room and that the server has not got is the own account of an application service: only that
  one may act without having been registered (Synapse 1.163: a puppet that was not is refused).

What can't be told from a person stands by the name of its server.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from dpobot.errors import Rejected
from dpobot.homeserver.api import Service
from dpobot.homeserver.category import Subject
from dpobot.homeserver.http import Http
from dpobot.homeserver.stays import Event, Span, moment, server_name
from dpobot.model.ids import UserId
from dpobot.text.filters import clean

ACCOUNT = "GET /_synapse/admin/v2/users/{user}"
BRIDGES = ("m.bridge", "uk.half-shot.bridge")

BRIDGE, BOT = "bridge", "bot"
_MOST_ASKED = 200  # accounts of one room
_MOST_KNOWN = 20_000  # accounts remembered of one server
_AT_ONCE = 8
_NAME = 60  # characters
# an address, or a number that somebody could be called at: no name of a network
_PERSONAL = re.compile(r"@|\d{6}")


@dataclass(frozen=True, slots=True)
class Machine:
    """What the own server says of an account: its application service, and whether it is a bot by itself."""

    appservice: str | None = None
    bot: bool = False


_NOBODY = Machine()
_UNREGISTERED = Machine("", bot=True)


@dataclass(slots=True)
class _Bridge:
    sender: str
    account: str | None  # which one it says is its own
    network: str | None
    since: int
    until: int | None = None


# what is known of accounts already: in each room of a person many are the same
_known: WeakKeyDictionary[Http, dict[str, Machine]] = WeakKeyDictionary()


class Bridges:
    """The bridges of a room, event by event in the server's order."""

    def __init__(self) -> None:
        self._now: dict[tuple[str, str], _Bridge] = {}
        self._all: list[_Bridge] = []

    def note(self, event: Event) -> None:
        """Take in a bridge's state event; an empty one says that it has gone. Anything else is passed over."""
        content, key = event.get("content"), event.get("state_key")
        if event.get("type") not in BRIDGES or not isinstance(content, Mapping) or not isinstance(key, str):
            return
        place = str(event.get("type")), key
        before = self._now.pop(place, None)
        said = _said(event, content)
        if before is not None and said is not None and (before.sender, before.account) == (said.sender, said.account):
            before.network = said.network or before.network
            self._now[place] = before
            return
        if before is not None:
            before.until = moment(event)
        if said is not None:
            self._now[place] = said
            self._all.append(said)

    def accounts(self) -> set[str]:
        """Return who sent the events and who they name."""
        return {who for bridge in self._all for who in (bridge.sender, bridge.account) if who is not None}

    def named(self, machines: Mapping[str, Machine], own: str) -> Iterator[Service]:
        """Yield each bridge by the name that it may have."""
        for bridge in self._all:
            server = server_name(bridge.sender)
            if server is not None:
                name = bridge.account if _speaks_for_itself(bridge, machines, own) else server
                yield Service(UserId(name or server), BRIDGE, bridge.network, bridge.since, bridge.until)


def _said(event: Event, content: Mapping[str, Any]) -> _Bridge | None:
    sender, account = event.get("sender"), content.get("bridgebot")
    if not content or not isinstance(sender, str):
        return None
    known = account if isinstance(account, str) and server_name(account) is not None else None
    return _Bridge(sender, known, _network(content), moment(event))


def _network(content: Mapping[str, Any]) -> str | None:
    """Return protocol and network; never the channel, which is a person where two people talk."""
    parts = [_name(content.get(part)) for part in ("protocol", "network")]
    return ", ".join(dict.fromkeys(part for part in parts if part)) or None


def _name(part: object) -> str | None:
    if not isinstance(part, Mapping):
        return None
    for value in (part.get("displayname"), part.get("id")):
        shown = clean(value, _NAME) if isinstance(value, str) else ""
        if shown and not _PERSONAL.search(shown):
            return shown
    return None


def _speaks_for_itself(bridge: _Bridge, machines: Mapping[str, Machine], own: str) -> bool:
    if bridge.account is None:
        return False
    if server_name(bridge.account) != own:
        return bridge.account == bridge.sender
    account, sender = machines.get(bridge.account, _NOBODY), machines.get(bridge.sender, _NOBODY)
    return account.bot or (account.appservice is not None and account.appservice == sender.appservice)


def named(
    bridges: Bridges, there: Mapping[str, Span], machines: Mapping[str, Machine], own: str
) -> tuple[Service, ...]:
    """Return all services of a room: its bridges, and of the own server's accounts those that are machines."""
    machines = {user: each for user, each in machines.items() if user in there or each != _UNREGISTERED}
    found = list(bridges.named(machines, own))
    names = {service.user_id for service in found}
    for user, (since, until) in sorted(there.items()):
        machine = machines.get(user, _NOBODY)
        if machine.bot and user not in names:
            found.append(Service(UserId(user), BOT, None, since, until))
        elif machine.appservice is not None and user not in names:
            found.append(Service(UserId(own), BOT, _service_name(machine.appservice), since, until))
    return tuple(_merged(found))


def _service_name(appservice: str) -> str | None:
    shown = clean(appservice, _NAME)
    return shown if shown and "@" not in shown else None


def _merged(services: Iterable[Service]) -> Iterator[Service]:
    """Yield each service once, from its first to its last moment."""
    together: dict[tuple[str, str, str | None], Service] = {}
    for service in services:
        key = service.user_id, service.kind, service.network
        other = together.get(key, service)
        since = min(each.since or 0 for each in (service, other))
        open_ended = service.until is None or other.until is None
        until = None if open_ended else max(service.until or 0, other.until or 0)
        together[key] = Service(service.user_id, service.kind, service.network, since, until)
    yield from together.values()


async def machines(subject: Subject, users: Iterable[str]) -> tuple[Mapping[str, Machine], bool]:
    """Return what the own server says of its accounts, and whether all could be asked for.

    ``users``: the most important ones first; what is known from another room costs nothing.
    """
    known = _known.setdefault(subject.http, {})
    if len(known) > _MOST_KNOWN:
        known.clear()
    wanted = list(dict.fromkeys(users))
    new = [user for user in wanted if user not in known]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def ask(user: str) -> None:
        async with gate:
            known[user] = await _machine(subject, user)

    try:
        async with asyncio.TaskGroup() as group:
            for user in new[:_MOST_ASKED]:
                group.create_task(ask(user))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    return {user: known[user] for user in wanted if user in known}, len(new) <= _MOST_ASKED


async def _machine(subject: Subject, user: str) -> Machine:
    """Ask for an account; of the answer these two fields alone are looked at."""
    try:
        answer = await subject.http.call(ACCOUNT, path={"user": user})
    except Rejected as error:
        if error.status in (401, 403):
            raise
        return _UNREGISTERED if error.code == "M_NOT_FOUND" else _NOBODY
    service = answer.get("appservice_id")
    return Machine(service if isinstance(service, str) and service else None, answer.get("user_type") == BOT)

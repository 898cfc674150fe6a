"""The account itself: opened up for an erasure, deactivated, and looked at until nothing of it moves any more."""

from collections.abc import Mapping
from typing import Any

from dpobot.errors import Gone, Unavailable
from dpobot.homeserver.category import Subject, object_of, records_of
from dpobot.homeserver.erasing.links import ACCOUNT, CHANGE
from dpobot.homeserver.erasing.windows import JOINED_ROOMS
from dpobot.model.ids import RoomId

SUSPEND = "PUT /_synapse/admin/v1/suspend/{user}"
LIMIT = "POST /_synapse/admin/v1/users/{user}/override_ratelimit"
NO_LIMIT = "DELETE /_synapse/admin/v1/users/{user}/override_ratelimit"
DEACTIVATE = "POST /_synapse/admin/v1/deactivate/{user}"
ACCOUNT_DATA = "GET /_synapse/admin/v1/users/{user}/accountdata"
ENDPOINTS = (ACCOUNT, ACCOUNT_DATA, CHANGE, SUSPEND, LIMIT, NO_LIMIT, DEACTIVATE, JOINED_ROOMS)


async def prepared(subject: Subject) -> None:
    """Unlock, unsuspend and lift the rate limit.

    A locked account can't be acted for; in rooms of versions before 11 a suspended one can't redact (Synapse 1.163).
    """
    held = await subject.ask(ACCOUNT)
    if held.get("locked"):
        await subject.ask(CHANGE, body={"locked": False})
    if held.get("suspended"):
        await suspended(subject, on=False)
    await subject.ask(LIMIT, body={"messages_per_second": 0, "burst_count": 0})


async def suspended(subject: Subject, *, on: bool) -> None:
    """Suspend an account, or end that (MSC3823)."""
    await subject.ask(SUSPEND, body={"suspend": on})


async def deactivated(subject: Subject) -> None:
    """Deactivate the account and erase it; harmless to repeat."""
    await subject.ask(DEACTIVATE, body={"erase": True})


async def finished(subject: Subject) -> bool:
    """Give the account its rate limit back; True once it has left every room and counts as erased."""
    await subject.ask(NO_LIMIT)
    if not (await subject.ask(ACCOUNT)).get("erased"):
        return False
    rooms = (await subject.ask(JOINED_ROOMS)).get("joined_rooms")
    if not isinstance(rooms, list):
        raise Unavailable("bad_answer")
    return not rooms


async def email(subject: Subject, old: str | None, new: str | None) -> None:
    """Replace, add or remove an e-mail address; the list is sent whole, so a repeat changes nothing.

    Raises `Gone` ``no_such_email`` if the account has neither ``old`` nor, as after an earlier attempt, ``new``.
    """
    held = records_of((await subject.ask(ACCOUNT)).get("threepids", []))
    addresses = [(str(one.get("medium")), str(one.get("address"))) for one in held]
    wanted = [one for one in addresses if not _is_email(one, old)]
    changed = len(wanted) < len(addresses)
    there = any(_is_email(one, new) for one in wanted)
    if old is not None and not changed and not (new is not None and there):
        raise Gone("no_such_email")
    if new is not None and not there:
        wanted.append(("email", new.lower()))
        changed = True
    if changed:
        body: Mapping[str, Any] = {"threepids": [{"medium": medium, "address": address} for medium, address in wanted]}
        await subject.ask(CHANGE, body=body)


def _is_email(one: tuple[str, str], address: str | None) -> bool:
    return address is not None and one[0] == "email" and one[1].lower() == address.lower()


async def direct_rooms(subject: Subject) -> frozenset[RoomId]:
    """Return the rooms that the account data names as direct messages (spec, "m.direct")."""
    held = object_of((await subject.ask(ACCOUNT_DATA)).get("account_data"))
    direct = object_of(held.get("global", {})).get("m.direct")
    named = direct.values() if isinstance(direct, Mapping) else ()
    return frozenset(
        RoomId(room) for rooms in named if isinstance(rooms, list) for room in rooms if isinstance(room, str)
    )

"""What the homeserver itself can be asked: its version, our powers there, and what should have been gone by now."""

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dpobot.check.finding import PROMISED, Answer, Check, Place, failed, ok, unseen, warning
from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.homeserver.category import following, records_of
from dpobot.homeserver.http import Http
from dpobot.model.ids import UserId, server_of

WHOAMI = "GET /_matrix/client/v3/account/whoami"
ADMIN_VERSION = "GET /_synapse/admin/v1/server_version"
ACCOUNT = "GET /_synapse/admin/v2/users/{user}"
USERS = "GET /_synapse/admin/v3/users"
UPLOADS = "GET /_synapse/admin/v1/users/{user}/media"
ROOMS = "GET /_synapse/admin/v1/rooms"
NEWEST = "GET /_synapse/admin/v1/rooms/{room}/timestamp_to_event"
AUTHENTICATION = "GET /_matrix/client/v1/auth_metadata"
# what an erasure can't do without, asked for something that does not exist: only "unknown endpoint" counts
NEEDED: Mapping[str, str] = {
    "GET /_synapse/admin/v1/user/redact_status/none": "redaction of somebody's events",
    "GET /_synapse/admin/v1/users/{user}/memberships": "rooms of an account",
    "GET /_synapse/admin/v2/rooms/delete_status/none": "deletion of rooms",
    "GET /_synapse/admin/v1/users/{user}/override_ratelimit": "rate limits of an account",
    "GET /_synapse/admin/v1/users/{user}/media": "uploads of an account",
}

_OLDEST = (1, 150)  # before, an erased account could come back into its rooms (element-hq/synapse#19542)
_BOUNDED_SINCE = (1, 157)  # before, what was said in rooms that somebody has left can't be redacted with care
_PAGE = 500
_LOOKED_AT = 200  # rooms and accounts: a check is to end within seconds on a large server, too


async def _version(place: Place) -> Answer:
    text = str((await place.http.call(ADMIN_VERSION)).get("server_version"))
    match = re.match(r"(\d+)\.(\d+)", text)
    wanted = ".".join(str(part) for part in _OLDEST)
    cure = f"upgrade the homeserver to Synapse {wanted} or newer"
    if match is None:
        return warning("the homeserver does not say which version it is", cure)
    found = (int(match[1]), int(match[2]))
    if found < _OLDEST:
        return failed(f"the homeserver is {match[0]}: an erased account can come back into its rooms there", cure)
    if found < _BOUNDED_SINCE:
        newer = ".".join(str(part) for part in _BOUNDED_SINCE)
        left = "redactions in rooms that somebody has left are not possible there"
        return warning(f"the homeserver is {match[0]}: {left}", f"upgrade the homeserver to Synapse {newer} or newer")
    return ok(f"the homeserver is Synapse {text.split(' ', 1)[0]}")


async def _admin(place: Place) -> Answer:
    me = await _me(place.http)
    try:
        await place.http.call(ACCOUNT, path={"user": me})
    except Rejected as error:
        return failed(
            f"the token of homeserver.admin_token_file is not that of a server admin ({error.code})",
            f"make {me} an admin, or take another account's token",
        )
    return ok(f"{me} is a server admin")


async def _features(place: Place) -> Answer:
    me, missing = await _me(place.http), []
    for endpoint, what in NEEDED.items():
        try:
            await place.http.call(endpoint, path={"user": me})
        except Rejected as error:
            if error.code != "M_NOT_FOUND":  # that it does not know "none" is the answer that was wanted
                missing.append(what)
    if not missing:
        return ok("everything that an erasure asks of the admin API is there")
    return failed(
        f"the admin API does not answer for: {', '.join(missing)}",
        "upgrade the homeserver, or let its proxy pass /_synapse/admin on to dpobot's machine",
    )


async def _authentication(place: Place) -> Answer:
    known = getattr(place.config.homeserver, "mas", None) is not None
    try:
        await place.http.call(AUTHENTICATION)
    except Rejected:
        delegated = False
    else:
        delegated = True
    if delegated and not known:
        return failed(
            "accounts are managed by an authentication service that dpobot was not told of: deactivated in the"
            " homeserver alone, they come back",
            "fill in [homeserver.mas]",
        )
    if known and not delegated:
        return failed(
            "[homeserver.mas] is filled in, but the homeserver manages its accounts itself", "remove the section"
        )
    return ok(f"accounts are managed by {'the authentication service' if delegated else 'the homeserver'}")


@dataclass(frozen=True, slots=True)
class _Deserted:
    room_id: str
    creator: str | None


async def _deserted_rooms(place: Place) -> Answer:
    """Look at rooms that nobody of this server is in: how long has nothing happened there, and who made them?"""
    own = server_of(UserId(await _me(place.http)))
    rooms = [room async for room in _deserted(place.http)]
    looked = rooms[:_LOOKED_AT]
    old = [room for room in looked if (when := await _newest(place, room.room_id)) and place.now - when > PROMISED]
    makers = {room.creator for room in old if room.creator and server_of(UserId(room.creator)) == own}
    erased = {maker for maker in makers if await _is_erased(place.http, maker)}
    theirs = sum(room.creator in erased for room in old)
    more = f" (of {len(rooms)}, the first {_LOOKED_AT} were looked at)" if len(rooms) > len(looked) else ""
    cure = "set forgotten_room_retention_period, or delete them: DELETE /_synapse/admin/v2/rooms/{room_id}"
    if theirs:
        return failed(f"rooms of erased people, more than 30 days after the last word: {theirs}{more}", cure)
    if old:
        return warning(f"rooms older than 30 days that nobody here is in: {len(old)}{more}", cure)
    return ok(f"rooms that nobody here is in: {len(rooms)}, none older than 30 days{more}")


async def _deserted(http: Http) -> AsyncIterator[_Deserted]:
    start = 0
    while True:
        params: dict[str, str | int] = {"from": start, "limit": _PAGE, "order_by": "joined_local_members", "dir": "b"}
        answer = await http.call(ROOMS, params=params)
        page = records_of(answer.get("rooms"))
        empty = [room for room in page if room.get("joined_local_members") == 0]
        for room in empty:
            creator = room.get("creator")
            yield _Deserted(str(room.get("room_id")), creator if isinstance(creator, str) else None)
        later = following(answer, "next_batch", int)
        if len(empty) < len(page) or later is None or later <= start:
            return
        start = later


async def _newest(place: Place, room: str) -> datetime | None:
    """Return when something last happened in a room, None if it has no events any more."""
    params: dict[str, str | int] = {"ts": int(place.now.timestamp() * 1000), "dir": "b"}
    try:
        answer = await place.http.call(NEWEST, path={"room": room}, params=params)
    except Gone:
        return None
    when = answer.get("origin_server_ts")
    return datetime.fromtimestamp(when / 1000, UTC) if isinstance(when, int) else None


async def _is_erased(http: Http, user: str) -> bool:
    try:
        return bool((await http.call(ACCOUNT, path={"user": user})).get("erased"))
    except Gone:
        return False


async def _left_uploads(place: Place) -> Answer:
    """Look at erased accounts: files that others can see may have stayed, those of the person alone may not."""
    erased = [str(user["name"]) async for user in _deactivated(place.http) if user.get("erased")]
    looked = erased[:_LOOKED_AT]
    counts = [await _uploads(place.http, user) for user in looked]
    more = f" (of {len(erased)}, the first {_LOOKED_AT} were looked at)" if len(erased) > len(looked) else ""
    if not any(counts):
        return ok(f"accounts that were erased: {len(erased)}, none of them has uploads{more}")
    return warning(
        f"uploads of erased accounts that are still here: {sum(counts)}, of accounts: {sum(map(bool, counts))}{more};"
        " files that others can see stay unless the person says 'media', but nobody has looked where an account was"
        " deactivated without dpobot",
        "for each of those accounts: open erasure @user in the staff room",
    )


async def _deactivated(http: Http) -> AsyncIterator[Mapping[str, Any]]:
    start = 0
    while True:
        params: dict[str, str | int] = {"from": start, "limit": _PAGE, "deactivated": "true", "guests": "false"}
        answer = await http.call(USERS, params=params)
        for user in records_of(answer.get("users")):
            yield user
        token = answer.get("next_token")
        if not isinstance(token, str) or not token.isdecimal() or int(token) <= start:
            return
        start = int(token)


async def _uploads(http: Http, user: str) -> int:
    total = (await http.call(UPLOADS, path={"user": user}, params={"limit": 1})).get("total")
    return total if isinstance(total, int) else 0


async def _me(http: Http) -> str:
    me = (await http.call(WHOAMI)).get("user_id")
    if not isinstance(me, str):
        raise Unavailable("bad_answer")
    return me


async def _backlog(_: Place) -> Answer:
    return unseen(
        "how many redactions still wait for their content to leave the database",
        "ask Synapse's database: SELECT count(*) FROM redactions WHERE NOT have_censored; 28,800 go in a day",
    )


CHECKS: Iterable[Check] = (
    Check("version", "Is the homeserver new enough to erase anybody for good?", _version),
    Check("admin", "Is dpobot an admin of the homeserver?", _admin),
    Check("admin API", "Does the homeserver offer what an erasure needs?", _features),
    Check("accounts", "Does dpobot know who manages accounts?", _authentication),
    Check("deserted rooms", "Are rooms gone within 30 days that nobody here is in?", _deserted_rooms),
    Check("uploads of the erased", "Are the files of erased accounts gone?", _left_uploads),
    Check("redactions that wait", "Does redacted content leave the database in time?", _backlog),
)

"""What a person uploaded: the list, the bytes, the deletion (Synapse admin API, "User media" and "Media")."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from dpobot.clock import from_millis
from dpobot.errors import Gone, Rejected
from dpobot.homeserver.api import MediaItem, MediaPage
from dpobot.homeserver.category import following, records_of
from dpobot.homeserver.http import Http
from dpobot.model.ids import Mxc, UserId, server_of

LIST = "GET /_synapse/admin/v1/users/{user}/media"
DOWNLOAD = "GET /_matrix/client/v1/media/download/{server}/{media}"
DELETE = "DELETE /_synapse/admin/v1/media/{server}/{media}"


async def listed(http: Http, user: UserId, start: int, limit: int) -> MediaPage:
    """Return a page of what a local user uploaded, oldest first, so that new uploads don't move a later page."""
    params: dict[str, str | int] = {"from": start, "limit": limit, "order_by": "created_ts", "dir": "f"}
    answer = await http.call(LIST, path={"user": user}, params=params)
    items = tuple(_item(record, server_of(user)) for record in records_of(answer.get("media")))
    later = following(answer, "next_token", int)
    return MediaPage(items, later if later is not None and later > start else None)


def _item(record: Mapping[str, Any], server: str) -> MediaItem:
    size, name, created = record.get("media_length"), record.get("upload_name"), record.get("created_ts")
    return MediaItem(
        url=Mxc(f"mxc://{server}/{record.get('media_id')}"),
        media_type=str(record.get("media_type") or "application/octet-stream"),
        size=size if isinstance(size, int) else 0,
        name=name if isinstance(name, str) else None,
        created_at=from_millis(created) if isinstance(created, int) else None,
        quarantined=bool(record.get("quarantined_by")),
    )


async def downloaded(http: Http, item: MediaItem) -> AsyncIterator[bytes]:
    """Yield a medium's bytes; `Gone` ``quarantined`` if an admin withdrew it: the server shows it to nobody then."""
    if item.quarantined:
        raise Gone("quarantined", 404)
    # a medium that was announced but never uploaded is not waited for
    async for block in http.stream(DOWNLOAD, path=_place(item.url), params={"timeout_ms": 0}):
        yield block


async def deleted(http: Http, url: Mxc) -> bool:
    """Delete one local medium; False if it was gone already, so that it may be asked for again."""
    try:
        await http.call(DELETE, path=_place(url))
    except Gone as error:
        if error.code == "M_NOT_FOUND":
            return False
        raise
    return True


def _place(url: Mxc) -> dict[str, str]:
    server, slash, media = url.removeprefix("mxc://").partition("/")
    if not url.startswith("mxc://") or not slash or not server or not media:
        raise Rejected("bad_mxc")
    return {"server": server, "media": media}

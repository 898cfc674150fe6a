"""The public profile: what of it can be taken away without a word in every room, and what staff may correct.

Synapse answers a change of name or picture with a member event in each joined room, by a background task that would
run beside the parting of a deactivation and could join again what was just left. It can be told to keep quiet
(MSC4069), but a server that doesn't know how to (1.163 without a flag) speaks all the same, and none says which kind it
is. A deactivation with ``erase`` removes both without an event. So the erasure only takes the custom fields away.
"""

from typing import Any

from dpobot.errors import Gone
from dpobot.homeserver.category import Subject, entries
from dpobot.homeserver.media import deleted
from dpobot.model.ids import Mxc

PROFILE = "GET /_matrix/client/v3/profile/{user}"
SET_FIELD = "PUT /_matrix/client/v3/profile/{user}/{field}"
DELETE_FIELD = "DELETE /_matrix/client/v3/profile/{user}/{field}"
UPLOAD = "POST /_matrix/media/v3/upload"
ENDPOINTS = (PROFILE, SET_FIELD, DELETE_FIELD, UPLOAD)

_SHOWN_IN_ROOMS = frozenset({"displayname", "avatar_url"})


async def cleared(subject: Subject) -> None:
    """Remove every custom field; name and picture go with `Changes.deactivate`, which tells no room."""
    for name, _ in await _fields(subject):
        if name not in _SHOWN_IN_ROOMS:
            await subject.ask(DELETE_FIELD, field=name)


async def _fields(subject: Subject) -> list[tuple[str, Any]]:
    try:
        return list(entries(await subject.ask(PROFILE)))
    except Gone:
        return []


async def display_name(subject: Subject, name: str | None) -> None:
    """Set the display name, which also tells every room; None removes it."""
    await subject.ask(SET_FIELD, field="displayname", body={"displayname": name or ""})


async def avatar(subject: Subject, picture: bytes | None, media_type: str | None) -> None:
    """Upload a picture as the person, so that it is theirs, and show it; None removes the one shown."""
    if picture is None:
        await subject.ask(SET_FIELD, field="avatar_url", body={"avatar_url": ""})
        return
    async with subject.acting() as person:
        answer = await person.http.upload(UPLOAD, picture, media_type or "application/octet-stream", token=person.token)
    url = Mxc(str(answer.get("content_uri")))
    try:
        await subject.ask(SET_FIELD, field="avatar_url", body={"avatar_url": url})
    except BaseException:
        await deleted(subject.http, url)  # an attempt that is repeated must not leave a picture behind each time
        raise

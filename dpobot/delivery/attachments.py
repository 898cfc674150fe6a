"""Files that go with a message: how they are stored until it is sent, and how they become an upload of the bot's own."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dpobot.model.records import Attachment, FileRef
from dpobot.text.filters import clean

Content = Mapping[str, Any]
Stored = Mapping[str, Any]

_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})  # what clients show; SVG is a program


@dataclass(frozen=True, slots=True)
class Enclosure:
    """One file as an outbox row: the event's content without its ``file``, and where the bytes come from."""

    content: Content = field(repr=False)
    stored: Stored = field(repr=False)


def made(attachment: Attachment, language: str) -> Enclosure:
    """Return the row of a file that the bot has made."""
    data = base64.b64encode(attachment.data).decode()
    stored = {"media_type": attachment.media_type, "data": data, "language": language}
    return Enclosure(_content(attachment.name, attachment.media_type, len(attachment.data)), stored)


def copied(file: FileRef, language: str) -> Enclosure:
    """Return the row of a file that somebody sent: its bytes are copied when the row is sent."""
    stored = {"media_type": file.media_type, "ref": file.to_json(), "language": language}
    return Enclosure(_content(file.name, file.media_type, file.file.size), stored)


def _content(name: str, media_type: str, size: int) -> Content:
    """Return an ``m.file`` or ``m.image`` content (spec 11.2 "m.file") that mentions nobody."""
    shown = clean(name) or "file"
    return {
        "msgtype": "m.image" if media_type in _PICTURES else "m.file",
        "body": shown,
        "filename": shown,
        "info": {"mimetype": clean(media_type), "size": size},
        "m.mentions": {},
    }

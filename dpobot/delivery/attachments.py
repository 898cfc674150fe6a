"""Files that follow a message: how they are stored until they are sent, and how they become the bot's own upload."""

import asyncio
import base64
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dpobot.errors import DpobotError, Gone, Rejected, Unavailable
from dpobot.matrix.api import Matrix
from dpobot.model.records import Attachment, EncryptedFile, FileRef
from dpobot.text.filters import clean

Content = Mapping[str, Any]
Stored = Mapping[str, Any]

GONE, TOO_LARGE, ALTERED, REFUSED, UNREACHABLE = "gone", "too_large", "altered", "refused", "unreachable"

_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})  # what clients show; SVG is a program
_ALTERED = ("bad_hash", "bad_key")
_FETCH_SECONDS = 60.0  # a server of somebody else's may hang; the next attempt finds what ours has got meanwhile
_TOO_LARGE = ("too_large", "M_TOO_LARGE")


@dataclass(frozen=True, slots=True)
class Enclosure:
    """One file as an outbox row: the event's content without its ``file``, and where the bytes come from."""

    content: Content = field(repr=False)
    stored: Stored = field(repr=False)


class NotCopied(DpobotError):
    """A file that can't be sent. ``reason``: gone, too_large, altered, refused, unreachable."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Attachments:
    """Uploads the files of messages, encrypted anew.

    ``folder`` holds plain bytes on their way: private, emptied here of what a crash left. ``largest``: bytes.
    """

    def __init__(self, matrix: Matrix, folder: Path, largest: int) -> None:
        self._matrix = matrix
        self._folder = folder
        self._largest = largest
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)

    async def enclose(self, content: Content, stored: Stored) -> Content:
        """Upload a file and return the event's content with it. Raises `NotCopied`, `Unavailable`."""
        uploaded = await self._upload(stored)
        info = {**content["info"], "size": uploaded.size}
        return {**content, "info": info, "file": uploaded.event_file()}

    async def _upload(self, stored: Stored) -> EncryptedFile:
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            path = Path(folder) / "file"
            try:
                await self._fetch(stored, path)
                return await self._matrix.upload_encrypted(path, str(stored["media_type"]))
            except Rejected as refusal:
                if refusal.status == 401:  # says something of our token, nothing of the file
                    raise Unavailable(refusal.code) from refusal
                raise NotCopied(_reason(refusal)) from refusal
            except OSError as error:
                raise Unavailable("disk") from error

    async def _fetch(self, stored: Stored, path: Path) -> None:
        if "ref" not in stored:
            await asyncio.to_thread(path.write_bytes, base64.b64decode(stored["data"]))
            return
        most = min(self._largest, await self._matrix.upload_limit())
        try:
            async with asyncio.timeout(_FETCH_SECONDS):
                await self._matrix.download_encrypted(FileRef.from_json(stored["ref"]).file, path, most=most)
        except TimeoutError as error:
            raise Unavailable("timeout") from error


def made(attachment: Attachment) -> Enclosure:
    """Return the row of a file that the bot has made."""
    stored = {"media_type": attachment.media_type, "data": base64.b64encode(attachment.data).decode()}
    return Enclosure(_content(attachment.name, attachment.media_type, len(attachment.data)), stored)


def copied(file: FileRef) -> Enclosure:
    """Return the row of a file that somebody sent: its bytes are copied when the row is sent."""
    stored = {"media_type": file.media_type, "ref": file.to_json()}
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


def _reason(refusal: Rejected) -> str:
    if isinstance(refusal, Gone):
        return GONE
    if refusal.code in _ALTERED:
        return ALTERED
    return TOO_LARGE if refusal.code in _TOO_LARGE else REFUSED

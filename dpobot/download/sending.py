"""Sends volumes: decrypted piece by piece in memory, whole or in part, so that a broken download goes on."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field

from aiohttp import web

from dpobot import log
from dpobot.download.cipher import PIECE, Altered, Reader
from dpobot.download.limits import Slots
from dpobot.download.ranges import Part, Unsatisfiable, asked
from dpobot.download.shelf import Shelf
from dpobot.errors import Unavailable
from dpobot.store.downloads import Download
from dpobot.store.volumes import VolumeRow

_BLOCK = 4 * PIECE  # bytes in memory for each file on its way
_LOOK_EVERY = 16 * _BLOCK  # bytes after which it is asked whether the rest may go, too
_PATIENCE = 60.0  # seconds for a block to go out
_logger = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """One volume of a link, and the link's secret."""

    download: Download
    volume: VolumeRow
    token: str = field(repr=False)


class _Stopped(Exception):
    """The rest of a file may not go out any more."""


class Sender:
    """Answers requests for volumes. ``still`` says whether a link is good at this moment."""

    def __init__(self, shelf: Shelf, slots: Slots, still: Callable[[Asked], Awaitable[bool]]) -> None:
        self._shelf = shelf
        self._slots = slots
        self._still = still

    async def send(self, request: web.Request, wanted: Asked) -> web.StreamResponse:
        """Answer with a volume. Raises `limits.Busy`, and `Unavailable` before anything has been sent."""
        volume, etag = wanted.volume, f'"{wanted.volume.sha256}"'
        headers = {
            "Accept-Ranges": "bytes",
            "Content-Disposition": f'attachment; filename="{volume.name}"',
            "ETag": etag,
            "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(volume.sha256)).decode()}:",  # RFC 9530
        }
        range_ = request.headers.get("Range") if request.method == "GET" else None
        try:
            part = asked(range_, request.headers.get("If-Range"), etag, volume.size)
        except Unsatisfiable:
            return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{volume.size}"})
        if not part.whole:
            headers["Content-Range"] = part.content_range(volume.size)
        response = web.StreamResponse(status=200 if part.whole else 206, headers=headers)
        response.content_type, response.content_length = "application/zip", part.length
        if request.method == "HEAD":
            return response
        with self._slots.one(wanted.download.case_id):
            await self._stream(request, response, wanted, part)
        return response

    async def _stream(self, request: web.Request, response: web.StreamResponse, wanted: Asked, part: Part) -> None:
        volume, case_id = wanted.volume, wanted.download.case_id
        try:
            reader = await asyncio.to_thread(
                self._shelf.open, case_id, wanted.token, volume.number, volume.size, volume.sha256
            )
        except (Altered, OSError) as error:
            raise _lost(case_id, volume.number) from error
        with closing(reader):
            try:
                await self._blocks(request, response, wanted, reader, part)
            except (Altered, OSError, TimeoutError, Unavailable, _Stopped) as end:
                if not response.prepared:
                    raise _lost(case_id, volume.number) from end
                _logger.warning("download.broken_off", case_id=case_id, volume=volume.number, code=type(end).__name__)
                _hang_up(request)
                return
        _logger.info("download.sent", case_id=case_id, volume=volume.number, size=part.length)

    async def _blocks(
        self, request: web.Request, response: web.StreamResponse, wanted: Asked, reader: Reader, part: Part
    ) -> None:
        """Send block after block; the first one is read before the answer begins."""
        for start in range(part.start, part.end, _BLOCK):
            if start > part.start and (start - part.start) % _LOOK_EVERY == 0 and not await self._still(wanted):
                raise _Stopped
            block = await asyncio.to_thread(reader.read, start, min(_BLOCK, part.end - start))
            if not response.prepared:
                await response.prepare(request)
            async with asyncio.timeout(_PATIENCE):
                await response.write(block)
        if not response.prepared:  # a volume is never empty; an answer must be begun all the same
            await response.prepare(request)
        await response.write_eof()


def _hang_up(request: web.Request) -> None:
    """End the connection: whoever is at the other end must not take what came for the whole."""
    if request.transport is not None:
        request.transport.abort()


def _lost(case_id: int, number: int) -> Unavailable:
    _logger.error("download.lost", case_id=case_id, volume=number)
    return Unavailable("volume_lost")

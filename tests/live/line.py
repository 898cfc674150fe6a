"""The line between the bot and the homeserver, which can break while an answer is on its way.

Nobody on this side can then know whether what was asked for has been done: the worst moment for what can't be repeated.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Self

_HOST = "127.0.0.1"
_BLOCK = 65536


class Line:
    """A relay on loopback; ``url`` is the homeserver's address as the bot knows it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._broken = False
        self._to = b""
        self._lost = asyncio.Event()

    @classmethod
    @contextlib.asynccontextmanager
    async def to(cls, port: int) -> AsyncIterator[Self]:
        """Relay to a port of this machine for as long as the context lasts."""
        line = cls(port)
        line._server = await asyncio.start_server(line._relay, _HOST, 0)
        try:
            yield line
        finally:
            line._server.close()
            line.hang_up()
            await line._server.wait_closed()

    @property
    def url(self) -> str:
        """Where to connect to."""
        assert self._server is not None
        return f"http://{_HOST}:{self._server.sockets[0].getsockname()[1]}"

    async def lose_an_answer(self, to: bytes = b"") -> None:
        """Let nothing more come back, and return as soon as an answer is lost: what it answers has been done.

        With ``to`` only answers to requests that hold these bytes from now on are lost; all others pass.
        """
        self._lost.clear()
        self._broken, self._to = True, to
        async with asyncio.timeout(30):
            await self._lost.wait()

    def hang_up(self) -> None:
        """End every connection."""
        for writer in self._open:
            writer.close()

    def mend(self) -> None:
        """Let what is connected from now on pass again."""
        self.hang_up()
        self._broken = False

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection(_HOST, self._port)
            self._open |= {writer, back}
            asked = asyncio.Event()  # for what `lose_an_answer` waits
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pass_on(reader, back, asked, answers=False))
                    group.create_task(self._pass_on(there, writer, asked, answers=True))
            finally:
                self._open -= {writer, back}
                back.close()
        writer.close()

    async def _pass_on(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, asked: asyncio.Event, *, answers: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while block := await source.read(_BLOCK):
                if not answers and self._broken and self._to in block:
                    asked.set()
                if answers and self._broken and (not self._to or asked.is_set()):
                    self._lost.set()
                    continue
                target.write(block)
                await target.drain()
        target.close()

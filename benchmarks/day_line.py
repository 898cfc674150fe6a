"""The line between the bot's process and the world's: one call a connection, over a socket in a folder of their own.

Both ends are this benchmark's own processes. The line can be cut: then a call is not heard, or its answer is lost.
"""

import asyncio
import pickle
import random
import struct
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from dpobot.errors import DpobotError, Gone, Rejected, Unavailable

_LENGTH = struct.Struct(">I")


class Exchange:
    """The world's end: calls methods of named objects. ``latency`` is seconds of the wall, at most, for each call."""

    def __init__(self, path: Path, targets: Mapping[str, Any], latency: float, dice: random.Random) -> None:
        self._path = path
        self._targets = targets
        self._latency = latency
        self._dice = dice
        self._server: asyncio.Server | None = None
        self._calls: set[asyncio.Task[Any]] = set()
        self.cut = False
        self.served = 0
        self.lost = 0  # answers that a cut swallowed: what was asked is done

    async def open(self) -> None:
        """Listen."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._answer, self._path)

    async def close(self) -> None:
        """Stop listening and drop whoever waits, as a server does that is stopped."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for call in list(self._calls):
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        try:
            await self._one(reader, writer)
        except (asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._calls.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target, method, arguments, named = pickle.loads(await _read(reader))
        if self.cut and self._dice.random() < 0.5:  # the question does not arrive
            return
        await asyncio.sleep(self._dice.uniform(0.1, 1) * self._latency)
        answer = await self._call(target, method, arguments, named)
        if self.cut:
            self.lost += 1
            return
        self.served += 1
        await _write(writer, pickle.dumps(answer))

    async def _call(self, target: str, method: str, arguments: Any, named: Any) -> tuple[str, Any]:
        try:
            found = getattr(self._targets[target], method)(*arguments, **named)
            value = [block async for block in found] if hasattr(found, "__aiter__") else await found
        except Rejected as error:
            return type(error).__name__, (error.code, error.status)
        except Unavailable as error:
            return "Unavailable", (error.code, error.retry_after)
        return "value", value


class Remote:
    """The bot's end: an object of the world by its name; every method of it can be called. Raises what that raises."""

    def __init__(self, path: Path, name: str, **known: Any) -> None:
        self._path = path
        self._name = name
        for key, value in known.items():
            setattr(self, key, value)

    def __getattr__(self, method: str) -> Any:
        if method.startswith("_"):
            raise AttributeError(method)

        async def call(*arguments: Any, **named: Any) -> Any:
            kind, value = await self._ask(method, arguments, named)
            if kind == "value":
                return value
            raise _error(kind, value)

        return call

    async def media_bytes(self, item: Any) -> AsyncIterator[bytes]:
        """See `Homeserver.media_bytes`."""
        kind, value = await self._ask("media_bytes", (item,), {})
        if kind != "value":
            raise _error(kind, value)
        for block in value:
            yield block

    async def close(self) -> None:
        """Nothing is held open between calls."""

    async def _ask(self, method: str, arguments: Any, named: Any) -> tuple[str, Any]:
        try:
            reader, writer = await asyncio.open_unix_connection(self._path)
        except OSError as error:
            raise Unavailable("connection") from error
        try:
            await _write(writer, pickle.dumps((self._name, method, arguments, named)))
            answer: tuple[str, Any] = pickle.loads(await _read(reader))
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Unavailable("connection") from error
        finally:
            writer.close()
        return answer


def _error(kind: str, value: tuple[Any, Any]) -> DpobotError:
    return {"Gone": Gone, "Rejected": Rejected, "Unavailable": Unavailable}[kind](*value)


async def _read(reader: asyncio.StreamReader) -> bytes:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    return await reader.readexactly(length)


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(_LENGTH.pack(len(data)) + data)
    await writer.drain()

"""The jobs that MAS does after it has answered: one by one, each until it works."""

import asyncio
from collections.abc import Awaitable, Callable

from dpobot.errors import Unavailable

Job = Callable[[], Awaitable[None]]


class Queue:
    """Jobs in their order. What fails stays first, and nothing more is done until `go`."""

    def __init__(self) -> None:
        self._jobs: asyncio.Queue[Job] = asyncio.Queue()
        self._going = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self.failed = asyncio.Event()

    def start(self) -> None:
        """Begin to work."""
        self._worker = asyncio.create_task(self._work())
        self.go()

    async def stop(self) -> None:
        """End the work, whatever is left."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)

    def hold(self) -> None:
        """Do nothing more for now."""
        self._going.clear()

    def go(self) -> None:
        """Go on."""
        self._going.set()

    def put(self, job: Job) -> None:
        """Take a job."""
        self._jobs.put_nowait(job)

    async def done(self) -> None:
        """Wait until every job is done."""
        await self._jobs.join()

    async def _work(self) -> None:
        while True:
            job = await self._jobs.get()
            while True:
                await self._going.wait()
                try:
                    await job()
                    break
                except (Unavailable, OSError):
                    self.hold()
                    self.failed.set()
            self._jobs.task_done()

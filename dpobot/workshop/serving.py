"""Doing several things at once until somebody says stop."""

import asyncio
from collections.abc import Awaitable, Sequence


async def until(stop: asyncio.Event, work: Sequence[Awaitable[None]]) -> None:
    """Run ``work`` until ``stop`` is set, or until one of it fails: then everything stops and the error is raised."""
    tasks = [asyncio.ensure_future(part) for part in work]
    waiting = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {waiting}:
            task.result()
    finally:
        for task in [waiting, *tasks]:
            task.cancel()
        await asyncio.gather(waiting, *tasks, return_exceptions=True)

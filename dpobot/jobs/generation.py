"""Whose spool counts: only the newest. What a job did elsewhere since, this machine's spool does not know."""

import asyncio
from pathlib import Path

from dpobot.archive.spool import Spool
from dpobot.engine.api import StepResult, Steps

_STEP = "spool"


async def claimed(folder: Path, steps: Steps) -> Spool:
    """Return the spool in which a job goes on: the one in ``folder``, or a new one if another was begun after it.

    Every generation is noted when it begins. What an earlier one had packed and sent has been taken back by a later
    one, so the steps in the journal that bear its name are no longer true.
    """
    spool, known = Spool(folder), _noted(steps)
    if spool.generation() in known[:-1]:
        await asyncio.to_thread(spool.remove)
        spool = Spool(folder)
    generation = spool.generation()
    if generation not in known[-1:]:
        await steps.step(f"{_STEP}:{len(known) + 1}", lambda: _note(generation))
    return spool


def _noted(steps: Steps) -> list[str]:
    """Return the generations of a job's spools on all machines, oldest first."""
    found: list[str] = []
    while (noted := steps.done(f"{_STEP}:{len(found) + 1}")) is not None:
        found.append(str(noted["generation"]))
    return found


async def _note(generation: str) -> StepResult:
    return {"generation": generation}

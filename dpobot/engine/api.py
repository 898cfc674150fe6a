"""The engine's port: five calls, kept by the embedded runner and (issue E) by procrastinate on PostgreSQL."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from dpobot.errors import DpobotError
from dpobot.model.records import Job


class Engine(Protocol):
    """Runs jobs that are rows. Losing this object loses nothing: `sweep` finds what is wanted and not running."""

    async def start(self) -> None:
        """Begin to run jobs; sweeps at once and then every minute."""
        ...

    async def stop(self) -> None:
        """Stop taking jobs, let steps in flight finish or be abandoned; the next start sweeps up what is not over."""
        ...

    async def submit(self, job_id: int) -> None:
        """Say that a job is wanted now; submitting it twice is harmless."""
        ...

    async def cancel(self, job_id: int) -> None:
        """Ask a job to stop before its next step; the cancel flag is in its row already."""
        ...

    async def sweep(self) -> int:
        """Submit every job that is wanted, due and not running (also those of a dead run); return how many."""
        ...


class Lost(DpobotError):
    """Another run of this job has taken over: this one must stop at once (the fence of engine.md)."""


class Cancelled(DpobotError):
    """The person or staff cancelled the job."""


class Halted(DpobotError):
    """The engine is stopping: the job goes on, after its finished steps, at the next start."""


class Hold(DpobotError):
    """A safeguard stops the job; ``code`` names it. Staff must look."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Postponed(DpobotError):
    """Nothing has failed, but the job can't go on now: it is asked again after ``seconds``, without end."""

    def __init__(self, code: str, seconds: float) -> None:
        super().__init__(code)
        self.code = code
        self.seconds = seconds


StepResult = Mapping[str, Any]  # small: tokens, hashes, counts. Never content.


class Steps(Protocol):
    """A job's journal of named steps."""

    def done(self, name: str) -> StepResult | None:
        """Return the result of a finished step, or None."""
        ...

    async def step(
        self,
        name: str,
        do: Callable[[], Awaitable[StepResult]],
        progress: Mapping[str, Any] | None = None,
    ) -> StepResult:
        """Return the stored result if the step is done; else do it and checkpoint it (fenced) with ``progress``.

        Raises `Lost`, `Cancelled` or `Halted` before doing it, `Lost` or `Cancelled` at the checkpoint; `Unavailable`
        if the database is. ``do`` must be harmless to repeat.
        """
        ...


@dataclass(frozen=True, slots=True)
class JobRun:
    """What a job function is given: its row as it was at the start, and its journal."""

    job: Job
    steps: Steps


JobFunction = Callable[[JobRun], Awaitable[None]]

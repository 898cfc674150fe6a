"""The queue between machines: procrastinate's, and nothing but numbers of jobs in it.

Whatever it loses or hands out twice is no matter: our rows decide (`engine.cluster`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, ProcrastinateException
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager
from procrastinate.worker import Worker

from dpobot.errors import Unavailable
from dpobot.store import queue_tables
from dpobot.store.database import Database

_NAME = "jobs"
_CONNECTIONS = 4  # of a process, besides the one that listens
_PATIENCE = 10.0  # seconds that a connection is waited for
_RAISED = "P0001"  # PostgreSQL, "Error Codes": raise_exception
_POLL = 2.0  # seconds: should a notification get lost


class Queue:
    """Hands numbers of jobs to whichever process has room; ``run`` is what a process does with one.

    ``settings``: how psycopg connects (`store.connect.driver_settings`). Every call raises `Unavailable`.
    """

    def __init__(self, settings: Mapping[str, Any], run: Callable[[int], Awaitable[None]]) -> None:
        connector = PsycopgConnector(kwargs=dict(settings), min_size=1, max_size=_CONNECTIONS, timeout=_PATIENCE)
        self._app = App(connector=connector)

        async def run_job(job_id: int) -> None:
            await run(job_id)

        self._task = self._app.task(name="run_job", queue=_NAME)(run_job)

    async def open(self, database: Database) -> None:
        """Connect, and make the queue's tables if nobody has. Raises `ConfigurationError` as `queue_tables.prepare`."""
        script, version = SchemaManager.get_schema(), _version()
        await database.write(lambda tx: queue_tables.prepare(tx, script, version))
        with _reachable():
            await self._app.open_async()

    async def close(self) -> None:
        """Give all connections back."""
        with _reachable():
            await self._app.close_async()

    async def waiting(self) -> set[int]:
        """Return the jobs that no process has taken yet."""
        with _reachable():
            found = await self._app.job_manager.list_jobs_async(queue=_NAME, status=Status.TODO.value)
        return {int(str(job.task_kwargs["job_id"])) for job in found}

    async def put(self, job_id: int) -> bool:
        """Hand a job out; False if it waits to be taken already."""
        try:
            with _reachable():
                await self._task.configure(queueing_lock=str(job_id)).defer_async(job_id=job_id)
        except AlreadyEnqueued:
            return False
        return True

    async def remove_dead(self, silent: float) -> None:
        """Remove what processes had taken of which nobody has heard for so many seconds, and these processes."""
        with _reachable():
            manager = self._app.job_manager
            for job in await manager.get_stalled_jobs(queue=_NAME, seconds_since_heartbeat=silent):
                if job.id is not None and job.status == Status.DOING.value:
                    with _gone_already():
                        await manager.finish_job_by_id_async(job.id, Status.ABORTED, delete_job=True)
            await manager.prune_stalled_workers(silent)

    async def work(self, at_once: int, every: float, silent: float) -> None:
        """Take jobs until cancelled, so many at the same time; jobs in hand are let go of, not waited for.

        ``every`` seconds it says that it lives; ``silent`` for so long, it counts as dead.
        """
        worker = _Watched(
            self._app,
            queues=[_NAME],
            concurrency=at_once,
            fetch_job_polling_interval=_POLL,
            shutdown_graceful_timeout=0,
            delete_jobs="always",
            install_signal_handlers=False,
            update_heartbeat_interval=every,
            stalled_worker_timeout=silent,
        )
        with _reachable():
            await worker.run()  # type: ignore[no-untyped-call]  # it has no annotation of what it returns


class _Watched(Worker):
    """Without periodic tasks that side task of a `Worker` ends at once, and with it the watch over the others.

    Its heartbeat or its listening would die unseen with a lost connection: this one never ends.
    """

    async def _periodic_deferrer(self) -> None:
        await asyncio.Event().wait()


@contextmanager
def _reachable() -> Iterator[None]:
    """Turn what procrastinate says of the database into `Unavailable`."""
    try:
        yield
    except AlreadyEnqueued:
        raise
    except ProcrastinateException as error:
        raise Unavailable("queue") from error


@contextmanager
def _gone_already() -> Iterator[None]:
    """Let pass that another process was faster: procrastinate's own function in the database raises that."""
    try:
        yield
    except ConnectorException as error:
        if getattr(error.__cause__, "sqlstate", None) != _RAISED:
            raise


def _version() -> str:
    """Return the name of the newest change to the schema of the procrastinate that is installed."""
    return max(each.name for each in files("procrastinate.sql.migrations").iterdir() if each.name.endswith(".sql"))


# it says "error" of each job that is broken off, with its number only: our own lines say more
logging.getLogger("procrastinate").setLevel(logging.CRITICAL)

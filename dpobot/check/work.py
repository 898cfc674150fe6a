"""The work: is anything late, has anything given up, does somebody carry jobs out, and is the database fit for it?"""

from datetime import timedelta

from dpobot.cases import transitions
from dpobot.check.finding import Answer, Check, Place, failed, ok, warning
from dpobot.model.words import CaseState, JobState
from dpobot.store import gauges, inspection
from dpobot.store.gauges import Gauges
from dpobot.store.schema import HEAD

_RUNNING = tuple(sorted(transitions.UNANSWERED - {CaseState.PAUSED}))  # the time of a paused case stands still
_LATE = timedelta(minutes=15)
_SOON = 3  # days
_CONNECTIONS = 100
_OLDEST_POSTGRESQL = 130000  # 13: as server_version_num has it
_ON = ("fsync", "full_page_writes")


async def _counts(place: Place) -> Gauges:
    return await place.database.read(lambda tx: gauges.read(tx, place.now, _RUNNING, (_SOON,)))


async def _tables(place: Place) -> Answer:
    await place.database.read(inspection.is_postgresql)  # that it answers is enough: it was opened with the key file
    return ok(f"the database is at revision {HEAD}, and the key file opens it")


async def _due(place: Place) -> Answer:
    found = await _counts(place)
    cure = "queue due in the staff room; extend, or answer"
    if found.overdue:
        return failed(f"cases whose time for an answer is over: {found.overdue}", cure)
    if soon := found.due_within[_SOON]:
        return warning(f"cases that are due within {_SOON} days: {soon}", cure)
    return ok("no case is overdue, none is due within three days")


async def _alerts(place: Place) -> Answer:
    open_ = (await _counts(place)).alerts
    if open_.count and open_.oldest is not None:
        said = f"matters that staff must look at: {open_.count}, the oldest since {open_.oldest:%Y-%m-%d}"
        return warning(said, "the digest and the cases' threads in the staff room say which")
    return ok("nothing waits for staff to look at")


async def _stopped(place: Place) -> Answer:
    jobs = (await _counts(place)).jobs
    named = {
        state: sum(count for (_, each), count in jobs.items() if each == state)
        for state in (JobState.FAILED, JobState.HELD)
    }
    if not any(named.values()):
        return ok("no job has given up")
    said = ", ".join(f"{state}: {count}" for state, count in named.items() if count)
    return warning(f"jobs that have ended without being done: {said}", "their cases' threads say why, and what helps")


async def _unsent(place: Place) -> Answer:
    found = await _counts(place)
    if found.unsent:
        return warning(f"messages that could not be sent: {found.unsent}", "their cases' threads say to whom")
    if found.undecryptable:
        return warning(
            f"messages whose key has not come yet: {found.undecryptable}", "most keys come; else people are told"
        )
    return ok("every message could be sent")


async def _machines(place: Place) -> Answer:
    cluster = place.config.cluster
    silent = timedelta(seconds=cluster.dead_after_seconds)
    found = await place.database.read(lambda tx: inspection.work(tx, place.now, silent, _LATE))
    cure = "start dpobot worker, or let the bot work (cluster.bot_works)" if cluster.enabled else "start dpobot run"
    if found.silent:
        return failed(f"jobs whose machine is silent: {found.silent}", f"{cure}; whoever runs takes them over")
    if found.late and not found.running:
        return failed(f"jobs that should have begun 15 minutes ago: {found.late}, and none runs", cure)
    return ok(f"jobs that run: {found.running}, that wait for their turn: {found.late}")


async def _postgresql(place: Place) -> Answer:
    if not await place.database.read(inspection.is_postgresql):
        if place.config.cluster.enabled:
            return failed("[cluster] needs PostgreSQL", "data.database_url = postgresql+psycopg://...")
        return ok("SQLite, on this machine's disk")
    found = await place.database.read(inspection.settings)
    if off := [name for name in _ON if found.get(name) == "off"]:
        return failed(f"PostgreSQL can lose what it has promised: {', '.join(off)} = off", "set them to on")
    if int(found.get("server_version_num", 0)) < _OLDEST_POSTGRESQL:
        return failed("PostgreSQL is older than 13", "upgrade it")
    if found.get("server_encoding") != "UTF8":
        return failed(f"the database is encoded in {found.get('server_encoding')}", "make one with ENCODING 'UTF8'")
    if found.get("synchronous_commit") == "off":
        return warning("PostgreSQL forgets the last moment when it crashes: synchronous_commit = off", "set it to on")
    if place.config.cluster.enabled and int(found.get("max_connections", 0)) < _CONNECTIONS:
        few = found.get("max_connections")
        return warning(f"PostgreSQL takes {few} connections; each machine needs up to 20", "raise max_connections")
    return ok("PostgreSQL keeps what it has promised")


async def _queue(place: Place) -> Answer:
    if not place.config.cluster.enabled:
        return ok("jobs run in the bot: [cluster] is not enabled")
    if not await place.database.read(inspection.is_postgresql):
        return failed("there is no queue between machines on SQLite", "data.database_url = postgresql+psycopg://...")
    if await place.database.read(inspection.queue_version) is None:
        return warning("the queue between machines has not been made yet", "start dpobot run or dpobot worker")
    return ok("the queue between machines is there")


CHECKS = (
    Check("database", "Is the database ours, and up to date?", _tables),
    Check("database settings", "Does the database keep what it promises?", _postgresql),
    Check("queue", "Is there a queue between machines?", _queue),
    Check("deadlines", "Is everybody answered in time?", _due),
    Check("alerts", "Does nothing wait for staff to look at?", _alerts),
    Check("jobs", "Has every job done its work?", _stopped),
    Check("machines", "Does somebody carry jobs out?", _machines),
    Check("messages", "Could every message be sent and read?", _unsent),
)

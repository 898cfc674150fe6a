"""What Prometheus reads: names, kinds and numbers, and nothing that could be somebody's."""

import re
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from dpobot.monitoring import catalogue
from dpobot.monitoring.catalogue import METRICS
from dpobot.monitoring.server import Monitoring
from dpobot.pulse import Pulse, Role
from dpobot.store.database import Database
from tests.unit.monitoring.conftest import PRIVATE, SetClock

ROOT = Path(__file__).parents[3]
STANDARD = ("process_", "python_")
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def _scrape(service: Monitoring) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"{service.address}/metrics") as answer:
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
        return await answer.text()


def _samples(text: str) -> Samples:
    families = text_string_to_metric_families(text)
    return {
        (each.name, tuple(sorted(each.labels.items()))): each.value for family in families for each in family.samples
    }


def _live(pulse: Pulse) -> None:
    """Let everything happen that is counted in the process."""
    pulse.handled("person", "export")
    pulse.handled("person", "export")
    pulse.handled("staff", "show")
    for status in (200, 404, 429, 502, None):
        pulse.asked("admin", status)
    pulse.asked("client", 200)
    pulse.ran("export", "done", 0.3)
    pulse.ran("export", "failed", 7200.0)
    pulse.syncs["unavailable"] += 3
    pulse.log_lines["warning"] += 2


async def test_the_numbers_are_those_of_the_database_and_of_the_process(watched: Monitoring, pulse: Pulse) -> None:
    """One sample of each kind, with its labels."""
    _live(pulse)
    found = _samples(await _scrape(watched))
    expected: Samples = {
        ("dpobot_cases", (("kind", "erasure"), ("state", "review"))): 2,
        ("dpobot_cases_due", (("days", "3"),)): 2,
        ("dpobot_cases_overdue", ()): 1,
        ("dpobot_oldest_unanswered_age_seconds", ()): 31 * 86400,
        ("dpobot_jobs", (("job_name", "erase"), ("state", "failed"))): 1,
        ("dpobot_job_runs_total", (("job_name", "export"), ("outcome", "failed"))): 1,
        ("dpobot_job_duration_seconds_bucket", (("job_name", "export"), ("le", "0.5"))): 1,
        ("dpobot_job_duration_seconds_bucket", (("job_name", "export"), ("le", "+Inf"))): 2,
        ("dpobot_job_duration_seconds_sum", (("job_name", "export"),)): 7200.3,
        ("dpobot_alerts_open", ()): 2,
        ("dpobot_inbox_waiting", ()): 2,
        ("dpobot_inbox_oldest_age_seconds", ()): 120,
        ("dpobot_inbox_undecryptable", ()): 1,
        ("dpobot_outbox_waiting", ()): 1,
        ("dpobot_outbox_oldest_age_seconds", ()): 600,
        ("dpobot_outbox_failed", ()): 1,
        ("dpobot_letters_waiting", ()): 1,
        ("dpobot_letters_oldest_age_seconds", ()): 6 * 3600,
        ("dpobot_erasure_notices", (("state", "found"),)): 2,
        ("dpobot_commands_total", (("command", "export"), ("said_by", "person"))): 2,
        ("dpobot_homeserver_requests_total", (("api", "admin"), ("outcome", "unreachable"))): 1,
        ("dpobot_homeserver_requests_total", (("api", "admin"), ("outcome", "limited"))): 1,
        ("dpobot_syncs_total", (("outcome", "unavailable"),)): 3,
        ("dpobot_sync_age_seconds", ()): 0,
        ("dpobot_role", (("role", "active"),)): 1,
        ("dpobot_role", (("role", "standby"),)): 0,
        ("dpobot_active", ()): 1,
        ("dpobot_database_up", ()): 1,
        ("dpobot_log_lines_total", (("level", "warning"),)): 2,
    }
    assert {key: found.get(key) for key in expected} == expected


async def test_every_metric_is_in_the_catalogue_and_every_one_of_it_is_there(watched: Monitoring, pulse: Pulse) -> None:
    """With the kind and the labels that the documentation names; the process's own come on top."""
    _live(pulse)
    families = list(text_string_to_metric_families(await _scrape(watched)))
    ours = [family for family in families if not family.name.startswith(STANDARD)]
    described = {metric.name.removesuffix("_total"): (metric.type, set(metric.labels)) for metric in METRICS}
    shown = {
        family.name: (family.type, {label for sample in family.samples for label in sample.labels} - {"le"})
        for family in ours
    }
    assert shown == described
    assert {"process_resident_memory_bytes", "process_cpu_seconds"} <= {family.name for family in families}


async def test_nothing_of_anybody_is_in_it(watched: Monitoring, pulse: Pulse) -> None:
    """No user ID, reference, room, event, server, code or file name, though the database is full of them."""
    _live(pulse)
    text = await _scrape(watched)
    assert [word for word in PRIVATE if word in text] == []
    assert re.findall(r"@|!|\$", text) == []


async def test_counts_are_asked_for_every_ten_seconds_at_most(
    watched: Monitoring, clock: SetClock, sqlite_database: Database
) -> None:
    """Who scrapes often is told the same; ages go on."""
    before = _samples(await _scrape(watched))
    await sqlite_database.write(lambda tx: tx.conn.exec_driver_sql("UPDATE alert SET closed_at = at"))
    clock.moment += timedelta(seconds=9)
    soon = _samples(await _scrape(watched))
    clock.moment += timedelta(seconds=2)
    later = _samples(await _scrape(watched))
    alerts, age = ("dpobot_alerts_open", ()), ("dpobot_inbox_oldest_age_seconds", ())
    assert [each[alerts] for each in (before, soon, later)] == [2, 2, 0]
    assert [each[age] for each in (before, soon, later)] == [120, 129, 131]


async def test_a_defect_is_an_answer_too(watched: Monitoring, sqlite_database: Database) -> None:
    """A neutral one; the next scrape is told everything again."""
    await sqlite_database.write(lambda tx: tx.conn.exec_driver_sql("ALTER TABLE letter RENAME TO hidden"))
    async with aiohttp.ClientSession() as session, session.get(f"{watched.address}/metrics") as answer:
        assert answer.status == 500
    await sqlite_database.write(lambda tx: tx.conn.exec_driver_sql("ALTER TABLE hidden RENAME TO letter"))
    assert _samples(await _scrape(watched))["dpobot_database_up", ()] == 1


def test_names_are_as_prometheus_wants_them() -> None:
    """One prefix, base units, counters end with total; a label is a word."""
    names = [metric.name for metric in METRICS]
    assert [name for name in names if not re.fullmatch(r"dpobot_[a-z]+(_[a-z]+)*", name)] == []
    assert len(set(names)) == len(names)
    assert [each.name for each in METRICS if (each.type == "counter") != each.name.endswith("_total")] == []
    timed = [each for each in METRICS if "age" in each.name.split("_") or "duration" in each.name]
    assert [each.name for each in timed if not each.name.endswith("_seconds")] == []
    forbidden = {"user", "person", "case", "reference", "room", "event", "server", "file", "name", "job", "instance"}
    assert [each.name for each in METRICS if forbidden & set(each.labels)] == []


def test_the_documentation_has_every_metric() -> None:
    """The table of docs/monitoring.md is this one."""
    text = (ROOT / "docs" / "monitoring.md").read_text()
    written = text.partition("<!-- metrics -->\n")[2].partition("\n<!-- /metrics -->")[0]
    assert written == catalogue.table()


@pytest.mark.parametrize(("role", "active"), [(Role.STANDBY, 0), (Role.WORKER, 0), (Role.ACTIVE, 1)])
async def test_one_process_is_the_bot(watched: Monitoring, pulse: Pulse, role: Role, active: int) -> None:
    """The others say that they are not."""
    pulse.is_now(role)
    found = _samples(await _scrape(watched))
    assert (found["dpobot_active", ()], found["dpobot_role", (("role", role.value),)]) == (active, 1)

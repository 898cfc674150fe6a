"""From counts and counters to what Prometheus reads."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from itertools import product
from typing import TypeVar

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from dpobot.monitoring.catalogue import NAMED
from dpobot.pulse import BOUNDS, Durations, Pulse, Role
from dpobot.store.gauges import Gauges

# counters that are there from the start: Prometheus sees no increase from "absent" to 1
_SYNCS = ("ok", "unavailable", "rejected")
_APIS, _CLASSES = ("client", "admin"), ("ok", "refused", "limited", "failed", "unreachable")
_LEVELS = ("warning", "error", "critical")
Labels = TypeVar("Labels", bound=tuple[str, ...])


class Scrape(Collector):
    """What one request for metrics is told; ``gauges`` is None while the database does not answer."""

    def __init__(self, pulse: Pulse, now: datetime, gauges: Gauges | None) -> None:
        self._pulse = pulse
        self._now = now
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        """Yield every metric that there is at this moment."""
        yield from _of_process(self._pulse, self._now)
        yield _family("dpobot_database_up", {(): self._gauges is not None})
        if self._gauges is not None:
            yield from _of_database(self._gauges, self._now)


def registry(scrape: Scrape) -> CollectorRegistry:
    """Return a registry of our own with a scrape, and with the process, its memory and its Python."""
    own = CollectorRegistry(auto_describe=False)
    own.register(scrape)
    for standard in (ProcessCollector, PlatformCollector, GCCollector):
        standard(registry=own)
    return own


def _of_process(pulse: Pulse, now: datetime) -> Iterator[Metric]:
    yield _family("dpobot_build_info", {(version("dpobot"),): 1})
    yield _family("dpobot_role", {(role,): pulse.role is role for role in Role})
    yield _family("dpobot_active", {(): pulse.role is Role.ACTIVE})
    if pulse.synced_at is not None:
        yield _family("dpobot_sync_age_seconds", {(): _age(now, pulse.synced_at)})
    yield _family("dpobot_syncs_total", {(outcome,): pulse.syncs[outcome] for outcome in _SYNCS})
    yield _family("dpobot_homeserver_requests_total", {each: pulse.requests[each] for each in product(_APIS, _CLASSES)})
    yield _family("dpobot_commands_total", pulse.commands)
    yield _family("dpobot_job_runs_total", pulse.job_runs)
    yield _histogram("dpobot_job_duration_seconds", pulse.job_seconds)
    yield _family("dpobot_log_lines_total", {(level,): pulse.log_lines[level] for level in _LEVELS})


def _of_database(gauges: Gauges, now: datetime) -> Iterator[Metric]:
    yield _family("dpobot_cases", gauges.cases)
    yield _family("dpobot_cases_due", {(str(days),): count for days, count in gauges.due_within.items()})
    yield _family("dpobot_cases_overdue", {(): gauges.overdue})
    yield _family("dpobot_oldest_unanswered_age_seconds", {(): _age(now, gauges.unanswered_since)})
    yield _family("dpobot_jobs", gauges.jobs)
    yield _family("dpobot_erasure_notices", {(state,): count for state, count in gauges.notices.items()})
    yield _family("dpobot_inbox_undecryptable", {(): gauges.undecryptable})
    yield _family("dpobot_outbox_failed", {(): gauges.unsent})
    yield _family("dpobot_alerts_open", {(): gauges.alerts.count})
    for name in ("inbox", "outbox", "letters"):
        yield _family(f"dpobot_{name}_waiting", {(): getattr(gauges, name).count})
    for name in ("alerts", "inbox", "outbox", "letters"):
        yield _family(f"dpobot_{name}_oldest_age_seconds", {(): _age(now, getattr(gauges, name).oldest)})


def _family(name: str, samples: Mapping[Labels, float]) -> Metric:
    described = NAMED[name]
    family = CounterMetricFamily if described.type == "counter" else GaugeMetricFamily
    made = family(name, described.help, labels=described.labels)
    for labels, value in sorted(samples.items()):
        made.add_metric(list(labels), float(value))
    return made


def _histogram(name: str, durations: Mapping[str, Durations]) -> Metric:
    made = HistogramMetricFamily(name, NAMED[name].help, labels=NAMED[name].labels)
    for label, taken in sorted(durations.items()):
        counted, buckets = 0, []
        for bound, count in zip([*map(str, BOUNDS), "+Inf"], taken.counts, strict=True):
            counted += count
            buckets.append((bound, counted))
        made.add_metric([label], buckets, taken.total)
    return made


def _age(now: datetime, since: datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())

"""Every metric of dpobot, by name: what kind it is, what its labels are, what it says. The documentation is made of it.

Labels are names that are written in the code (kinds, states, commands, jobs): never whose or which. None is called
``job`` or ``instance``: Prometheus itself gives those.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as Prometheus sees it; a counter's name ends with ``_total``."""

    name: str
    type: Literal["gauge", "counter", "histogram"]
    labels: tuple[str, ...]
    help: str


METRICS = (
    Metric("dpobot_build_info", "gauge", ("version",), "Always 1; which dpobot this is."),
    Metric("dpobot_role", "gauge", ("role",), "1 for what it is: starting, active, standby, worker, stopping."),
    Metric("dpobot_active", "gauge", (), "1 if this process is the one bot that listens and speaks, else 0."),
    Metric("dpobot_database_up", "gauge", (), "1 if the database answered; with 0 the counts of its rows are absent."),
    Metric("dpobot_sync_age_seconds", "gauge", (), "Time since the homeserver last answered; absent before it has."),
    Metric("dpobot_syncs_total", "counter", ("outcome",), "Answers to /sync: ok, unavailable, rejected."),
    Metric(
        "dpobot_homeserver_requests_total",
        "counter",
        ("api", "outcome"),
        "Requests to the client and the admin API: ok, refused, limited, failed, unreachable.",
    ),
    Metric("dpobot_cases", "gauge", ("kind", "state"), "Cases, by kind and state."),
    Metric("dpobot_cases_due", "gauge", ("days",), "Cases that must be answered within so many days, not yet overdue."),
    Metric("dpobot_cases_overdue", "gauge", (), "Cases whose time for an answer is over."),
    Metric("dpobot_oldest_unanswered_age_seconds", "gauge", (), "Age of the oldest case without an answer; 0: none."),
    Metric("dpobot_jobs", "gauge", ("job_name", "state"), "Jobs that wait, run, have failed or are held."),
    Metric("dpobot_job_runs_total", "counter", ("job_name", "outcome"), "Runs of jobs, by how they ended."),
    Metric("dpobot_job_duration_seconds", "histogram", ("job_name",), "How long a run of a job took."),
    Metric("dpobot_alerts_open", "gauge", (), "Matters that staff must look at."),
    Metric("dpobot_alerts_oldest_age_seconds", "gauge", (), "Age of the oldest of them; 0: none."),
    Metric("dpobot_inbox_waiting", "gauge", (), "Messages to the bot that are not dealt with."),
    Metric("dpobot_inbox_oldest_age_seconds", "gauge", (), "Age of the oldest of them; 0: none."),
    Metric("dpobot_inbox_undecryptable", "gauge", (), "Messages that wait for their key without end."),
    Metric("dpobot_outbox_waiting", "gauge", (), "Messages of the bot that are not sent."),
    Metric("dpobot_outbox_oldest_age_seconds", "gauge", (), "Age of the oldest of them; 0: none."),
    Metric("dpobot_outbox_failed", "gauge", (), "Messages of the bot that were given up."),
    Metric("dpobot_letters_waiting", "gauge", (), "Messages of jobs on other machines that the bot has not sent."),
    Metric("dpobot_letters_oldest_age_seconds", "gauge", (), "Age of the oldest of them; 0: none."),
    Metric("dpobot_erasure_notices", "gauge", ("state",), "Notices to other homeservers, by state."),
    Metric(
        "dpobot_commands_total",
        "counter",
        ("said_by", "command"),
        "Commands that were understood, of a person or of staff.",
    ),
    Metric("dpobot_log_lines_total", "counter", ("level",), "Lines of the log: warning, error and critical."),
)
NAMED = {metric.name: metric for metric in METRICS}


def table() -> str:
    """Return the table of the documentation, Markdown."""
    rows = [
        f"| `{each.name}` | {each.type} | {', '.join(f'`{label}`' for label in each.labels)} | {each.help} |"
        for each in METRICS
    ]
    return "\n".join(["| Metric | Type | Labels | What it says |", "| --- | --- | --- | --- |", *rows])

"""Nothing but ids, codes and counts gets into the log."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from dpobot import log

SECRET = "My name is Alice"


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Where the log goes; everything is as before afterwards."""
    handlers, level, before = logging.root.handlers[:], logging.root.level, structlog.get_config()
    stream = io.StringIO()
    log.configure("INFO", "json", stream)
    yield stream
    structlog.configure(**before)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_has_its_action_and_ids(out: io.StringIO) -> None:
    """Names as in docs/operating.md: action, level, module, time, ids, counts."""
    log.get("dpobot.test").info("job_started", job_id=7, case_reference="DPO-2026-0001", seconds=1.5, room_id="!a:b.c")
    (line,) = lines(out)
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo == UTC
    assert line == {
        "action": "job_started",
        "level": "info",
        "module": "dpobot.test",
        "job_id": 7,
        "case_reference": "DPO-2026-0001",
        "seconds": 1.5,
        "room_id": "!a:b.c",
    }


@pytest.mark.parametrize(
    "values",
    [
        {"body": "Alice"},
        {"displayname": "Alice"},
        {"room_id": SECRET},
        {"code": "x" * 256},
        {"job_ids": [1, SECRET]},
        {"case": {"name": "Alice"}},
        {"error": ValueError(SECRET)},
        {"code": b"Alice"},
    ],
)
def test_what_is_no_id_is_left_out_and_named(out: io.StringIO, values: dict[str, Any]) -> None:
    """By its name, by its look, or by its type; the line itself stays."""
    log.get("dpobot.test").info("something", **values)
    (line,) = lines(out)
    assert line["dropped"] == list(values)
    assert "Alice" not in out.getvalue()
    assert "xxx" not in out.getvalue()


def test_an_action_is_a_name_and_no_sentence(out: io.StringIO) -> None:
    """A text put together with content can't be an action."""
    log.get("dpobot.test").warning(f"could not answer {SECRET}", case_id=3)
    (line,) = lines(out)
    assert (line["action"], line["case_id"]) == ("unnamed", 3)
    assert SECRET not in out.getvalue()


def test_the_action_may_stand_beside_a_sentence(out: io.StringIO) -> None:
    """``action=`` counts and the sentence stays in the code; an action that is a sentence has no name either."""
    log.get("dpobot.test").info(f"said {SECRET}", action="homeserver.retry")
    log.get("dpobot.test").info("fine", action=SECRET)
    assert [line["action"] for line in lines(out)] == ["homeserver.retry", "unnamed"]
    assert SECRET not in out.getvalue()


@pytest.mark.parametrize(
    ("endpoint", "kept"),
    [("GET /_synapse/admin/v2/users/{user}", True), ("GET /_synapse/admin/v2/users/@alice:example.org", False)],
)
def test_an_endpoint_is_a_template(out: io.StringIO, endpoint: str, kept: bool) -> None:
    """What is asked of the homeserver may be said, about whom may not."""
    log.get("dpobot.test").info("homeserver.retry", endpoint=endpoint)
    (line,) = lines(out)
    assert (line.get("endpoint") == endpoint) is kept


def test_an_exception_has_types_and_places_only(out: io.StringIO) -> None:
    """Causes and the members of a group too; what they say may hold anything."""
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            raise ExceptionGroup(SECRET, [ValueError(SECRET)]) from error
    except ExceptionGroup:
        log.get("dpobot.test").exception("it_broke", exception=SECRET)
    (line,) = lines(out)
    trace = line["exception"].splitlines()
    assert [part.strip() for part in trace if ":" not in part] == ["ExceptionGroup", "ValueError", "after", "KeyError"]
    assert "unit/test_log.py:" in line["exception"]
    assert SECRET not in out.getvalue()


def test_a_library_s_line_says_where_it_came_from(out: io.StringIO) -> None:
    """Its text may quote an event; its level, logger and place are enough to look it up."""
    logging.getLogger("some.library").error("cannot parse %s", SECRET)
    logging.getLogger("some.library").info("chatter")
    (line,) = lines(out)
    assert (line["action"], line["level"], line["module"]) == ("library_message", "error", "some.library")
    assert line["code"].startswith("test_log:")
    assert SECRET not in out.getvalue()


def test_bound_ids_are_on_every_line_inside(out: io.StringIO) -> None:
    """Filtered like all others."""
    with log.bound(job_id=7, note=SECRET):
        log.get("dpobot.test").info("inside")
    log.get("dpobot.test").info("outside")
    assert [line.get("job_id") for line in lines(out)] == [7, None]
    assert SECRET not in out.getvalue()


def test_the_level_and_the_console_format(out: io.StringIO) -> None:
    """Below the level nothing is written; the console format is filtered too."""
    log.configure("WARNING", "console", out)
    log.get("dpobot.test").info("chatter")
    log.get("dpobot.test").warning("job_waits", job_id=7, body=SECRET)
    assert "chatter" not in out.getvalue()
    assert SECRET not in out.getvalue()
    assert "job_id=7" in out.getvalue()


def test_an_error_before_the_set_up_shows_no_variables() -> None:
    """The configuration may be what is broken: the filter is there from the first import."""
    program = f"""
from dpobot import log
try:
    name = {SECRET!r}
    raise KeyError(name)
except KeyError:
    log.get("dpobot.test").exception("it_broke", body=name)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "it_broke" in ran.stderr
    assert "KeyError" in ran.stderr
    assert SECRET not in ran.stdout + ran.stderr

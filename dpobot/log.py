"""Logging: one line an action, with ids, codes and counts. Content can't get through, even by mistake.

``log.info("job_started", job_id=7)`` gives ``action=job_started job_id=7``. Numbers pass under any name. A text
passes only under a name that says it is an identifier or a code, and only if it looks like one; anything else is
left out and its name listed under ``dropped``. Of an exception the types and places are kept, never its text.
"""

import logging
import re
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TextIO, cast

import structlog

from dpobot.pulse import PROCESS

_ACTION = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_TOKEN = re.compile(r"[A-Za-z0-9_.:@!$/+=~#*-]{0,255}")
_NAMES = frozenset(
    {
        "actor",
        "case",
        "category",
        "channel",
        "code",
        "endpoint",
        "event",
        "exception",
        "job",
        "kind",
        "level",
        "module",
        "method",
        "person",
        "reference",
        "room",
        "run",
        "section",
        "sender",
        "server",
        "staff",
        "state",
        "status",
        "step",
        "template",
        "timestamp",
        "trust",
        "version",
    }
)
_ENDINGS = ("_id", "_ids", "_code", "_codes", "_state", "_kind", "_at", "_count", "_reference", "_version")
_ENDPOINT = re.compile(r"[A-Z]{3,7} /[A-Za-z0-9_./{}-]{0,200}")  # a method and a path whose parts aren't filled in
_Event = MutableMapping[str, Any]


def configure(
    level: str = "INFO",
    format: Literal["console", "json"] = "json",  # noqa: A002 - named as in the configuration
    stream: TextIO | None = None,
) -> None:
    """Send every log line of the process, libraries included, through the filter to ``stream`` (standard error)."""
    number = logging.getLevelNamesMapping()[level]
    _filter_all(number, format, stream)
    logging.basicConfig(handlers=[LibraryHandler()], level=max(number, logging.WARNING), force=True)


def _filter_all(number: int, format: str, out: TextIO | None) -> None:  # noqa: A002 - named as in the configuration
    renderer = structlog.processors.JSONRenderer() if format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            count_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            describe_exception,
            keep_ids_only,
            *([structlog.processors.EventRenamer("action")] if format == "json" else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: structlog.WriteLogger(out or sys.stderr),  # what standard error is then
        cache_logger_on_first_use=False,
    )


def get(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return the logger of a module: ``log.get(__name__)``."""
    return cast(structlog.typing.FilteringBoundLogger, structlog.get_logger(module=name))


def bound(**ids: object) -> AbstractContextManager[object]:
    """Add ids to every line that this task and what it calls logs inside the ``with``."""
    return structlog.contextvars.bound_contextvars(**ids)


def keep_ids_only(_logger: object, _method: str, event: _Event) -> _Event:
    """Leave out every text that isn't plainly an identifier or a code (a structlog processor).

    The action is the line's first argument, or ``action=`` beside a sentence for readers of the code.
    """
    event["event"] = event.pop("action", event.get("event"))
    dropped = sorted(key for key, value in event.items() if not _passes(key, value))
    for key in dropped:
        del event[key]
    if not _ACTION.fullmatch(str(event.get("event"))):
        event["event"] = "unnamed"
    if dropped:
        event["dropped"] = dropped
    return event


def count_level(_logger: object, _method: str, event: _Event) -> _Event:
    """Count the line under its level (a structlog processor)."""
    PROCESS.log_lines[str(event["level"])] += 1
    return event


def describe_exception(_logger: object, _method: str, event: _Event) -> _Event:
    """Turn ``exc_info`` into the exception's types and places, without any text it carries (a structlog processor)."""
    given = event.pop("exc_info", None)
    event.pop("exception", None)
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else None
    if given is True:
        error = sys.exception()
    if error is not None:
        event["exception"] = "\n".join(_lines(error))
    return event


class LibraryHandler(logging.Handler):
    """Says that a library logged something, and where; its text may hold anything and is left out."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on level, logger and line."""
        method = "error" if record.levelno >= logging.ERROR else "warning"
        say = getattr(get(record.name), method)
        say("library_message", code=f"{record.module}:{record.lineno}", exc_info=record.exc_info)


def _passes(key: str, value: object) -> bool:
    if value is None or isinstance(value, bool | int | float | datetime):
        return True
    if key == "exception":  # made by describe_exception, which removes a caller's own
        return True
    if key not in _NAMES and not key.endswith(_ENDINGS):
        return False
    if isinstance(value, list | tuple | set | frozenset):
        return all(_passes(key, part) for part in value)
    if not isinstance(value, str) or key == "event":  # the action has a rule of its own
        return isinstance(value, str)
    return (_ENDPOINT if key == "endpoint" else _TOKEN).fullmatch(value) is not None


def _lines(error: BaseException, depth: int = 0) -> Iterator[str]:
    """Yield the types and places of an exception, of what caused it, and of what a group holds; 20 levels at most."""
    yield f"{'  ' * depth}{type(error).__name__}"
    for place in _places(error.__traceback__):
        yield f"{'  ' * depth}  {place}"
    if depth >= 20:
        return
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _lines(part, depth + 1)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield f"{'  ' * depth}after"
        yield from _lines(cause, depth + 1)


def _places(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        code = trace.tb_frame.f_code
        yield f"{'/'.join(Path(code.co_filename).parts[-2:])}:{trace.tb_lineno} {code.co_name}"
        trace = trace.tb_next


# before `configure` too: structlog's own defaults print every value, and with an exception all local variables
_filter_all(logging.INFO, "console", sys.stderr)

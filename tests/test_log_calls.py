"""Every line that the code can log: a name that stands there, and values that the filter lets through."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dpobot import log

ROOT = Path(__file__).parents[1]
_METHODS = {"debug", "info", "warning", "error", "exception", "critical"}
_LOGGERS = {"_log", "_logger"}
_NUMBERS = {"at_once", "attempts", "count", "events", "port", "size", "volume", "volumes"}  # pass under any name
# what several share: each of them gives the beginning of the action, or all of it, as it stands in the code
_SHARED = ("dpobot/engine/turns.py", "dpobot/matrix/upkeep.py")
_ERRORS = {"exc_info"}  # becomes types and places


@dataclass(frozen=True)
class Line:
    """One call of a logger, by its place."""

    where: str
    action: str | None
    values: tuple[str | None, ...]


def _lines(path: Path) -> Iterator[Line]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        of = node.func.value
        if isinstance(of, ast.Name) and of.id in _LOGGERS and node.func.attr in _METHODS:
            first = node.args[0] if len(node.args) == 1 else None
            action = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
            yield Line(f"{path.relative_to(ROOT)}:{node.lineno}", action, tuple(each.arg for each in node.keywords))
        if isinstance(of, ast.Name) and (of.id, node.func.attr) == ("log", "bound"):
            yield Line(f"{path.relative_to(ROOT)}:{node.lineno}", "bound", tuple(each.arg for each in node.keywords))


def _all() -> list[Line]:
    return [line for path in sorted((ROOT / "dpobot").rglob("*.py")) for line in _lines(path)]


def test_every_action_is_a_name_that_stands_in_the_code() -> None:
    """So that it can be looked for, counted and explained; nothing is ever put together into it."""
    found = _all()
    assert len(found) > 50
    assert {line.where.split(":")[0] for line in found if line.action is None} == set(_SHARED)
    assert [line.where for line in found if line.action is not None and not log._ACTION.fullmatch(line.action)] == []


def test_no_value_would_be_dropped_for_its_name() -> None:
    """Each is an id, a code or a count by its name; none hands over a dictionary of whatever."""
    wrong = {
        line.where: sorted(map(str, bad))
        for line in _all()
        if (bad := {name for name in line.values if name is None or not _is_known(name)})
    }
    assert wrong == {}


def test_nothing_else_writes_to_the_log() -> None:
    """Loggers of the standard library are there to be silenced; `print` belongs to the command line."""
    for path in sorted((ROOT / "dpobot").rglob("*.py")):
        text = path.read_text()
        made = text.count("logging.getLogger(") if path.name != "log.py" else 0
        silenced = text.count(".setLevel(logging.CRITICAL") + text.count("_silent.disabled = True")
        assert (path.name, silenced) == (path.name, made)


def _is_known(name: str) -> bool:
    return name in log._NAMES | _NUMBERS | _ERRORS or name.endswith(log._ENDINGS)

"""The threat model is what the tests say: each line of docs/security.md names tests, and each of them exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
_TEXT = (ROOT / "docs" / "security.md").read_text("utf-8")
_NAMED = re.compile(r"`(tests/[\w/.]+)::(test_\w+)`")


def _lines() -> list[str]:
    """Return the rows of the tables of threats."""
    threats = _TEXT.split("## Threats", 1)[1].split("\n## ", 1)[0]
    return [line for line in threats.splitlines() if line.startswith("|") and not re.match(r"\|(-|\s*Threat \|)", line)]


@cache
def _tests_in(path: str) -> frozenset[str]:
    file = ROOT / path
    tree = ast.parse(file.read_text("utf-8")) if file.is_file() else ast.Module([], [])
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))


@pytest.mark.parametrize("line", _lines())
def test_each_threat_has_a_test_that_exists(line: str) -> None:
    """A threat without one is a promise; a test that is gone is a promise that was broken."""
    named = _NAMED.findall(line)
    assert named != [], line
    assert [f"{path}::{name}" for path, name in named if name not in _tests_in(path)] == []


def test_the_attackers_are_all_there() -> None:
    """Whoever is taken out of the model is taken out on purpose."""
    sections = re.findall(r"^### (.+)$", _TEXT, re.MULTILINE)
    who = ("person", "other user", "administrator", "stolen", "staff", "other homeserver", "dependency", "network")
    assert [word for word in who if not any(word in section for section in sections)] == []
    assert len(_lines()) > 30


def test_a_line_without_test_would_be_seen() -> None:
    """The check itself can fail."""
    assert _NAMED.findall("| a | b | `tests/test_security.py::test_gone` |") == [
        ("tests/test_security.py", "test_gone")
    ]
    assert "test_gone" not in _tests_in("tests/test_security.py")
    assert _tests_in("tests/nowhere.py") == frozenset()

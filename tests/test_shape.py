"""The shape of the house: sizes, names, and documents that must not rot (house.md, habits 1, 2, 12, 17)."""

import ast
import statistics
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

import dpobot
from dpobot import config
from dpobot.errors import ConfigurationError

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(dpobot.__file__).resolve().parent
BANNED = {"utils", "util", "helpers", "helper", "common", "core", "manager", "misc"}


def sources() -> list[Path]:
    """Every module of the package but the migrations, which alembic shapes."""
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "migrations" not in path.parts]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield name and length in lines, docstring included, of each function of a module."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path.relative_to(ROOT)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_function_is_longer_than_sixty_lines() -> None:
    """And the median is about ten."""
    lengths = dict(pair for path in sources() for pair in functions(path))
    assert {name: length for name, length in lengths.items() if length > 60} == {}
    assert statistics.median(lengths.values()) <= 12


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    """And the median is about a hundred and twenty."""
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in sources()}
    assert {name: length for name, length in lengths.items() if length > 400} == {}
    assert statistics.median(lengths.values()) <= 140


def test_a_module_is_called_what_it_holds() -> None:
    """Nothing is called utils."""
    assert [str(path) for path in sources() if {path.stem, *path.relative_to(PACKAGE).parts} & BANNED] == []


def test_every_module_says_what_belongs_into_it() -> None:
    """Each has a docstring."""
    without = [path for path in sources() if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert [str(path.relative_to(ROOT)) for path in without] == []


def example() -> dict[str, object]:
    """Return the example configuration as TOML gives it."""
    return tomllib.loads((ROOT / "bot.example.toml").read_text("utf-8"))


def test_the_example_configuration_is_valid() -> None:
    """It can be copied and filled in."""
    assert config.parse(example()).matrix.user_id == "@dpo:example.org"


@pytest.mark.parametrize("section", sorted(config.Config.model_fields))
def test_the_example_configuration_shows_every_key(section: str) -> None:
    """A key that is not in the example is found by nobody; a default that differs from the code misleads."""
    model = config.Config.model_fields[section].annotation
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    text = (ROOT / "bot.example.toml").read_text("utf-8")
    shown = example()[section]
    assert isinstance(shown, dict)
    missing = [key for key in model.model_fields if key not in shown and f"# {key} =" not in text]
    assert missing == []


def test_configuration_problems_come_all_at_once_with_their_place() -> None:
    """Unknown keys, wrong types and missing sections: one line each."""
    broken = example() | {"export": {"at_once": 0, "volumes": 3}, "surprise": {}}
    del broken["homeserver"]
    with pytest.raises(ConfigurationError) as caught:
        config.parse(broken)
    assert [problem.split(":")[0] for problem in sorted(caught.value.problems)] == [
        "export.at_once",
        "export.volumes",
        "homeserver",
        "surprise",
    ]


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """The sentence says what to do."""
    path = tmp_path / "password"
    path.write_text("secret")
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        config.secret(path)
    path.chmod(0o600)
    assert config.secret(path) == "secret"

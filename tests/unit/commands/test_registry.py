"""Commands find themselves, and what is registered is sound."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from dpobot.commands import table, user
from dpobot.commands.registry import Registry
from dpobot.commands.spec import Arguments, Command, Context
from dpobot.commands.staff_registry import discover_staff
from dpobot.model.records import Incoming, Json, Reply

README = Path(__file__).parents[3] / "README.md"


async def _run(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    return []


async def _plan(context: Context, incoming: Incoming, arguments: Arguments) -> Json:
    return {}


async def _perform(context: Context, incoming: Incoming, plan: Json) -> Sequence[Reply]:
    return []


def test_every_module_of_the_folder_is_registered(registry: Registry) -> None:
    """Adding a command touches its module and its template, no list."""
    modules = {path.stem for path in Path(next(iter(user.__path__))).glob("*.py")} - {"__init__"}
    run_by = {getattr(command.run, "func", command.run).__module__.rpartition(".")[2] for command in registry.values()}
    assert run_by == modules


def test_product_commands_are_there(registry: Registry) -> None:
    """What a person can say."""
    expected = {
        "help", "privacy", "rights", "access", "export", "erase", "rectify", "restrict", "object", "automated",
        "complaint", "security", "child", "status", "cases", "cancel", "reply", "received", "language", "yes", "no",
        "undo", "receipt", "copies",
    }  # fmt: skip
    assert set(registry) == expected


def test_every_summary_is_one_plain_sentence(registry: Registry) -> None:
    """It stands behind a colon in help."""
    assert [c.name for c in registry.values() if not c.summary or c.summary[-1] == "." or "\n" in c.summary] == []


def test_a_destructive_command_needs_a_plan() -> None:
    """It can't be registered without one."""
    with pytest.raises(ValueError, match="plan"):
        Registry([Command("erase", "x", destructive=True)])
    with pytest.raises(ValueError, match="plan"):
        Registry([Command("erase", "x", destructive=True, perform=_perform)])
    with pytest.raises(ValueError, match=r"run\(\)"):
        Registry([Command("erase", "x", run=_run, destructive=True, plan=_plan, perform=_perform)])
    assert list(Registry([Command("erase", "x", destructive=True, plan=_plan, perform=_perform)])) == ["erase"]


def test_an_ordinary_command_needs_something_to_do() -> None:
    """Else it would answer nothing."""
    with pytest.raises(ValueError, match=r"run\(\)"):
        Registry([Command("help", "x")])


@pytest.mark.parametrize("second", [{"aliases": ("HELP",)}, {"synonyms": ("Hilf mir!",)}])
def test_a_word_leads_to_one_command(second: dict[str, tuple[str, ...]]) -> None:
    """Two commands can't answer to the same word or phrase."""
    first = Command("help", "x", run=_run, synonyms=("hilf mir",))
    with pytest.raises(ValueError, match="belongs to help"):
        Registry([first, Command("other", "x", run=_run, **second)])  # type: ignore[arg-type] # aliases or synonyms


def test_the_readme_shows_the_commands(registry: Registry) -> None:
    """Between its markers stands what `python -m dpobot.commands.table` prints."""
    assert table.between_markers(README.read_text("utf-8")) == table.markdown(registry)


def test_the_readme_shows_what_staff_can_say() -> None:
    """The same for the staff room."""
    shown = table.between_markers(README.read_text("utf-8"), table.STAFF)
    assert shown == table.markdown(discover_staff())

"""The README's tables of commands: ``python -m dpobot.commands.table`` prints what belongs between its markers."""

import sys
from collections.abc import Mapping

from dpobot.commands.registry import discover
from dpobot.commands.spec import Command, StaffCommand
from dpobot.commands.staff_registry import discover_staff

PEOPLE = "commands"  # names of the markers: <!-- commands -->, <!-- /commands -->
STAFF = "staff commands"


def markdown(commands: Mapping[str, Command] | Mapping[str, StaffCommand]) -> str:
    """Return the table in Markdown, one row a command."""
    rows = [f"| `{_cell(command.usage)}` | {_cell(command.summary)} |" for command in commands.values()]
    return "\n".join(["| You write | What it does |", "| --- | --- |", *rows])


def between_markers(text: str, name: str = PEOPLE) -> str | None:
    """Return what stands between two markers of a README, or None if they are missing."""
    _, begin, rest = text.partition(f"<!-- {name} -->")
    table, end, _ = rest.partition(f"<!-- /{name} -->")
    return table.strip() if begin and end else None


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(f"{markdown(discover())}\n\n{markdown(discover_staff())}\n")

"""The README's table of commands: ``python -m dpobot.commands.table`` prints what belongs between its two markers."""

import sys

from dpobot.commands.registry import discover
from dpobot.commands.spec import Commands

BEGIN = "<!-- commands -->"
END = "<!-- /commands -->"


def markdown(commands: Commands) -> str:
    """Return the table in Markdown, one row a command."""
    rows = [f"| `{_cell(command.usage)}` | {_cell(command.summary)} |" for command in commands.values()]
    return "\n".join(["| You write | What it does |", "| --- | --- |", *rows])


def between_markers(text: str) -> str | None:
    """Return what stands between the markers of a README, or None if they are missing."""
    _, begin, rest = text.partition(BEGIN)
    table, end, _ = rest.partition(END)
    return table.strip() if begin and end else None


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(markdown(discover()) + "\n")

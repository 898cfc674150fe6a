"""docs/portable.md says what the code does."""

import json
import re
from pathlib import Path

from dpobot.archive import bundle
from dpobot.archive import package as packing
from dpobot.moving.item import SECTIONS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "portable.md").read_text("utf-8")


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table under a heading, without its head."""
    part = PAGE.split(f"## {heading}", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in row.strip("|").split("|", 1)] for row in rows]


def test_every_member_of_the_format_is_documented() -> None:
    """In the order of the schema, with the schema's version."""
    schema = json.loads((Path(packing.__file__).parent / "schemas" / "portable.schema.json").read_text())
    named = [name for first, _ in table("The format: version") for name in re.findall("`([a-z_]+)`", first)]
    assert named == list(schema["properties"])
    assert f"## The format: version {bundle.VERSION}\n" in PAGE


def test_every_section_is_documented_with_its_rule() -> None:
    """Word for word."""
    assert table("What arrives where") == [[f"`{name}`", rule] for name, rule in SECTIONS.items()]

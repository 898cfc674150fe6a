"""Account categories on their way into volumes: the data as JSON, and a table that can be read."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dpobot.archive import layout
from dpobot.archive.charts import moment
from dpobot.archive.facts import Holding, PackageFacts
from dpobot.archive.key_store import NEEDED
from dpobot.archive.messages import safe
from dpobot.archive.pages import Writer
from dpobot.archive.shelf import Shelf
from dpobot.archive.spool import Category, Spool, encode
from dpobot.archive.volume import BLOCK, Stage, pack
from dpobot.model.words import Section

_RECORDS = 200  # on a page
_COLUMNS = 12
_CELL = 300  # characters
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_MOMENT = re.compile(r"(^|_)(ts|at|seen|since|time)$")


@dataclass(frozen=True, slots=True)
class Cell:
    """A value in a table. ``kind``: text, yes, no, none, json, or moment (ISO 8601)."""

    kind: str
    text: str
    cut: bool = False


def place(spool: Spool, shelf: Shelf, writer: Writer, stage: Path) -> list[Holding]:
    """Put all categories that were asked for into volumes; return what is held of each."""
    holdings = [_place(spool, name, shelf, writer, stage) for name in _asked(spool, writer.facts)]
    return sorted(holdings, key=_order)


def _asked(spool: Spool, facts: PackageFacts) -> list[str]:
    """Return the categories on hand, without those that are there only because they open encrypted messages."""
    return [name for name in spool.categories() if facts.asked(Section.ACCOUNT) or name not in NEEDED]


def held(spool: Spool) -> list[Holding]:
    """Return what is held of each category, without putting anything anywhere."""
    categories = [spool.category(name) for name in spool.categories()]
    holdings = [
        Holding(each.category, safe(each.title), len(each.records), each.truncated, each.missing) for each in categories
    ]
    return sorted(holdings, key=_order)


def _order(item: Holding) -> tuple[bool, bool, str]:
    """What there is to read first, what could not be had last."""
    return item.missing is not None, item.count == 0, item.title


def _place(spool: Spool, name: str, shelf: Shelf, writer: Writer, stage: Path) -> Holding:
    category = spool.category(name)
    _place_json(spool.folder / layout.spool_category(name), name, shelf, stage)
    home = data = shelf.number
    shelf.contents.account += 1
    pages = _pages(category)
    for number, values in enumerate(pages, 1):
        shown = {"category": category, "title": safe(category.title), "number": number, "pages": len(pages), **values}
        names = [layout.category_page(name, page).rsplit("/", 1)[1] for page in range(1, len(pages) + 1)]
        page = layout.category_page(name, number)
        entry = writer.page("category", page, shown | {"names": names, "data": data, "volume": shelf.number})
        if entry.cost > shelf.left and not shelf.fresh:  # a page says what lies in its own volume
            entry = writer.page("category", page, shown | {"names": names, "data": data, "volume": shelf.number + 1})
        volume = shelf.place(entry)
        home = volume if number == 1 else home
    return Holding(
        name,
        safe(category.title),
        len(category.records),
        category.truncated,
        category.missing,
        page=layout.category_page(name, 1) if pages else None,
        volume=home,
    )


def _place_json(path: Path, name: str, shelf: Shelf, stage_path: Path) -> None:
    stage = Stage(stage_path)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            stage.offer(block)
            stage.keep()
    entry = stage.finish(layout.spool_category(name))
    if entry.cost <= shelf.capacity:
        shelf.place(entry)
        return
    _place_slices(json.loads(path.read_bytes()), name, shelf)


def _place_slices(raw: dict[str, Any], name: str, shelf: Shelf) -> None:
    """Lay a category that is larger than a volume into several files of the same form."""
    records = raw["records"]
    part, start, step = 1, 0, len(records)
    while start < len(records):
        entry = pack(f"account/{name}-part{part}.json", encode(raw | {"records": records[start : start + step]}))
        if entry.cost > shelf.capacity and step > 1:
            step = (step + 1) // 2
            continue
        shelf.place(entry)
        start, part = start + step, part + 1


def _pages(category: Category) -> list[dict[str, object]]:
    records = category.records
    if len(records) == 1:
        return [
            {"columns": [], "rows": [[Cell("text", safe(key)), _cell(key, value)] for key, value in records[0].items()]}
        ]
    slices = [records[start : start + _RECORDS] for start in range(0, len(records), _RECORDS)]
    return [_table(part) for part in slices]


def _table(records: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    columns = list(dict.fromkeys(key for record in records for key in record))[:_COLUMNS]
    rows = [[_cell(column, record.get(column)) for column in columns] for record in records]
    return {"columns": [safe(column) for column in columns], "rows": rows}


def _cell(key: str, value: object) -> Cell:
    match value:
        case None:
            return Cell("none", "")
        case bool():
            return Cell("yes" if value else "no", "")
        case str() if _MOMENT.search(key) and _ISO.match(value) and (at := moment(value)):
            return Cell("moment", at)
        case str():
            return Cell("text", safe(value, _CELL), len(value) > _CELL)
        case int() if _MOMENT.search(key) and 10**9 < value < 10**14 and (at := moment(value)):
            return Cell("moment", at)
        case int() | float():
            return Cell("text", str(value))
    text = json.dumps(value, ensure_ascii=False)
    return Cell("json", safe(text, _CELL), len(text) > _CELL)

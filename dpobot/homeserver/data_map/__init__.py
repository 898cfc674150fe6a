"""The data map: where in Synapse and MAS each category of personal data lies, and why the rest is in none.

The data stands in ``synapse.toml``, ``mas.toml`` and ``reasons.toml``; purpose, ground and retention of each category
stand with the statement (``dpobot/archive/statement/facts.toml``), by the same names.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where a category lies; ``tables``: name to the columns that say whose a row is (none: reached by another table).

    ``acting``: its endpoints are asked as the person, with a token that is lent and given back.
    """

    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    endpoints: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    acting: bool = False


@dataclass(frozen=True, slots=True)
class DataMap:
    """The map of one server: ``categories`` by name, and what is in ``without`` any, by the code of the reason."""

    server: str
    categories: Mapping[str, Place]
    without: Mapping[str, Place]

    def __post_init__(self) -> None:
        """Raises ValueError for a reason without a sentence."""
        if unknown := sorted(set(self.without) - set(reasons())):
            raise ValueError(f"data map of {self.server}: no sentence for {', '.join(unknown)}")

    def _places(self) -> Iterator[Place]:
        yield from self.categories.values()
        yield from self.without.values()

    @property
    def tables(self) -> frozenset[str]:
        """All tables that are placed."""
        return frozenset(table for place in self._places() for table in place.tables)

    @property
    def endpoints(self) -> frozenset[str]:
        """All endpoints that are placed, as `bare` writes them."""
        return frozenset(bare(endpoint) for place in self._places() for endpoint in place.endpoints)

    @property
    def schemas(self) -> frozenset[str]:
        """All schemas that are placed."""
        return frozenset(schema for place in self._places() for schema in place.schemas)


def bare(endpoint: str) -> str:
    """Return an endpoint (method and path) without the names of what stands in its path: others name it otherwise."""
    return re.sub(r"\{[^}]*\}", "{}", endpoint)


@cache
def reasons() -> Mapping[str, str]:
    """Return why something may be in no category: a sentence by its code."""
    return {code: str(sentence) for code, sentence in _read("reasons").items()}


@cache
def synapse() -> DataMap:
    """Return the map of Synapse. Raises ValueError for a reason without a sentence."""
    return _map("Synapse", _read("synapse"))


@cache
def mas() -> DataMap:
    """Return the map of MAS. Raises ValueError for a reason without a sentence."""
    return _map("MAS", _read("mas"))


def _read(name: str) -> Mapping[str, Any]:
    return tomllib.loads((resources.files(__name__) / f"{name}.toml").read_text("utf-8"))


def _map(server: str, raw: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> DataMap:
    categories = {name: _place(values) for name, values in raw["categories"].items()}
    return DataMap(server, categories, {code: _place(values) for code, values in raw["without"].items()})


def _place(values: Mapping[str, Any]) -> Place:
    """Raises TypeError for a key that a place has not."""
    tables = values.get("tables", {})
    columns = tables if isinstance(tables, Mapping) else dict.fromkeys(tables, ())
    lists: dict[str, Any] = {name: tuple(values.get(name, ())) for name in ("endpoints", "schemas")}
    other = {name: value for name, value in values.items() if name not in {"tables", *lists}}
    return Place(tables={name: tuple(found) for name, found in columns.items()}, **lists, **other)

"""The data map as a page to read (Markdown): ``docs/data-map.md``."""

from collections.abc import Iterator

from dpobot.homeserver.data_map import DataMap, Place, mas, reasons, synapse

_HEAD = """\
# Where personal data lies

Made from `dpobot/homeserver/data_map/*.toml` by `python -m dpobot.homeserver.data_map`; edit those, not this page.
A test compares it with the database and the admin API of the installed Synapse, and with what MAS publishes: a new
table or endpoint that stands nowhere here fails the build. Why each category is held, on which ground and how long is
in `dpobot/archive/statement/facts.toml`, and in every person's statement.

In brackets: the columns that say whose a row is. "As the person": asked with a token that is lent for the purpose.
Names that begin with `event_search_`, `user_directory_search_` or `sqlite_` exist on SQLite only.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *_server(synapse()), *_server(mas())]).rstrip() + "\n"


def _server(found: DataMap) -> Iterator[str]:
    yield from (f"## {found.server}: by category", "")
    yield from ("| Category | Tables | Asked at | Schemas |", "|---|---|---|---|")
    for name, place in sorted(found.categories.items()):
        yield f"| {name} | {_tables(place)} | {_endpoints(place)} | {_codes(place.schemas)} |"
    yield from ("", f"## {found.server}: in no category", "")
    for code, place in found.without.items():
        yield from (f"### {code}", "", reasons()[code], "")
        parts = (("Tables", tuple(place.tables)), ("Endpoints", place.endpoints), ("Schemas", place.schemas))
        for title, names in parts:
            if names:
                yield from (f"{title}: {_codes(names)}", "")


def _tables(place: Place) -> str:
    shown = (
        f"`{table}` ({', '.join(columns)})" if columns else f"`{table}`" for table, columns in place.tables.items()
    )
    return ", ".join(shown) or "none"


def _endpoints(place: Place) -> str:
    if not place.endpoints:
        return "nowhere"
    return _codes(place.endpoints) + (" as the person" if place.acting else "")


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)

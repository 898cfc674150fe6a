"""The data map leaves nothing out: held against the installed Synapse, MAS's description and the categories."""

import fnmatch
import importlib
import inspect
import pkgutil
import re
import secrets
import sqlite3
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from dpobot.archive.statement.law import facts
from dpobot.demo.synapse import Synapse
from dpobot.homeserver import data_map, media, rooms
from dpobot.homeserver.categories import CATEGORIES
from dpobot.homeserver.data_map.page import page
from dpobot.homeserver.mas import categories as mas_categories
from dpobot.homeserver.puppet import ENDPOINTS as PUPPET
from tests.live.conftest import synapse as running
from tests.mas.description import HERE, PATH, Description

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # Synapse's libraries warn each other
    import synapse.rest.admin
    from synapse.http.servlet import RestServlet

__all__ = ["running"]  # a fixture

ROOT = Path(__file__).resolve().parents[2]
ADVICE = "place it in dpobot/homeserver/data_map/{0}.toml: with the category that gives it, or under its reason"
USER_KEYED = re.compile(
    r"(.+_)?(user_id|user_ids|user_name|localpart|sender|creator|owner|observer|observed|inviter|state_key)"
)
# reasons that say that a table holds nobody: no user may be found in it, and no column may be keyed by one
EMPTY_OF_PEOPLE = ("nobody", "graph", "room")


class Listing:
    """Stands where Synapse's own list of paths does; keeps what servlets register, as ``GET /path/{name}``."""

    def __init__(self) -> None:
        self.endpoints: set[str] = set()

    def register_paths(
        self, method: str, patterns: Iterable[re.Pattern[str]], _call: Callable[..., object], _name: str
    ) -> None:
        self.endpoints |= {f"{method} {_path(pattern.pattern)}" for pattern in patterns}


def _path(pattern: str) -> str:
    """Return a pattern of Synapse as a path: named groups as names, the newest version, without what may be absent."""
    plain = pattern.replace("(api/v1|r0|v3|unstable)", "v3")
    named = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", plain)
    return re.sub(r"\(.*?\)\?", "", named).strip("^$")


def registered(*modules: object) -> set[str]:
    """Return the endpoints of all servlets that modules define; a servlet registers itself without being set up."""
    found = Listing()
    for module in modules:
        for servlet in vars(module).values():
            if inspect.isclass(servlet) and issubclass(servlet, RestServlet) and servlet is not RestServlet:
                object.__new__(servlet).register(found)
    return found.endpoints


def admin_api() -> set[str]:
    """Return all endpoints of the installed Synapse's admin API."""
    package = synapse.rest.admin
    names = [module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return registered(package, *(importlib.import_module(name) for name in names))


def unplaced(what: str, found: Iterable[str], placed: Iterable[str], file: str) -> list[str]:
    """Return a sentence for each thing that is in no place, and for each place of a thing that is no more."""
    known, here = set(placed), {data_map.bare(each): each for each in found}
    new = [f"{what} {here[each]} is in no place: {ADVICE.format(file)}." for each in sorted(set(here) - known)]
    return new + [
        f"{what} {each} does not exist any more: take it out of dpobot/homeserver/data_map/{file}.toml."
        for each in sorted(known - set(here))
    ]


class Tables:
    """The tables of a Synapse's SQLite file, with their columns."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        self.columns: Mapping[str, list[str]] = {name: self._columns(name) for (name,) in names}

    def _columns(self, table: str) -> list[str]:
        return [row[1] for row in self._database.execute(f'PRAGMA table_info("{table}")')]

    def keyed(self) -> set[str]:
        """Return the tables that have a column for a user, by its name."""
        return {table for table, names in self.columns.items() if any(USER_KEYED.fullmatch(name) for name in names)}

    def naming(self, user: str) -> set[str]:
        """Return the tables in which a user's ID stands anywhere."""
        return {table for table, names in self.columns.items() if any(self._holds(table, each, user) for each in names)}

    def _holds(self, table: str, column: str, user: str) -> bool:
        asked = f'SELECT 1 FROM "{table}" WHERE instr(CAST("{column}" AS TEXT), ?) LIMIT 1'
        return self._database.execute(asked, (user,)).fetchone() is not None


@pytest.fixture
async def planted(running: Synapse) -> str:
    """The ID of somebody who is in a room, wrote, and set what can be set."""
    person = await running.register(f"planted-{secrets.token_hex(4)}")
    token, own = person.access_token, f"/_matrix/client/v3/user/{person.user_id}"
    room = (await running.request("POST", "/_matrix/client/v3/createRoom", token, {}))["room_id"]
    at = f"/_matrix/client/v3/rooms/{room}"
    message = {"msgtype": "m.text", "body": f"{person.user_id} was here"}
    sent = await running.request("PUT", f"{at}/send/m.room.message/1", token, message)
    await running.request("POST", f"{at}/receipt/m.read/{sent['event_id']}", token, {})
    await running.request("PUT", f"{own}/account_data/org.example", token, {"a": 1})
    await running.request("PUT", f"{own}/rooms/{room}/tags/u.work", token, {})
    await running.request("POST", f"{own}/filter", token, {})
    return person.user_id


def opened(running: Synapse) -> sqlite3.Connection:
    """Open the database of a running Synapse, to read only."""
    return sqlite3.connect(f"file:{running.folder / 'homeserver.db'}?mode=ro", uri=True)


@pytest.mark.live
async def test_every_table_of_synapse_is_placed(running: Synapse, planted: str) -> None:
    """Also those without a person, so that a new one is looked at by somebody; and no place is of a table gone."""
    with opened(running) as database:
        tables = Tables(database)
        found, keyed, naming = set(tables.columns), tables.keyed(), tables.naming(planted)
    database.close()
    assert {"events", "account_data", "receipts_linearized", "room_tags", "user_filters"} <= naming & keyed
    assert unplaced("Table", found, data_map.synapse().tables, "synapse") == []
    empty = {table for code in EMPTY_OF_PEOPLE for table in data_map.synapse().without[code].tables}
    assert empty & (keyed | naming) - {"event_auth_chain_to_calculate"} == set()  # its state_key is an event's


@pytest.mark.live
async def test_every_column_that_is_placed_exists(running: Synapse) -> None:
    """What is looked up by hand, is looked up by these."""
    with opened(running) as database:
        columns = Tables(database).columns
    database.close()
    places = data_map.synapse().categories.items()
    named = {(each, table, key) for each, place in places for table, keys in place.tables.items() for key in keys}
    assert {each for each in named if each[2] not in columns[each[1]]} == set()


def test_a_table_that_nobody_placed_is_noticed() -> None:
    """By the name of its column or by whom it names; the sentence says what to do."""
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE new_things (user_id TEXT, thing TEXT)")
        database.execute("CREATE TABLE hidden_things (whose TEXT)")
        database.execute("INSERT INTO hidden_things VALUES ('about @anna:example.org')")
        tables = Tables(database)
        assert tables.keyed() == {"new_things"}
        assert tables.naming("@anna:example.org") == {"hidden_things"}
    database.close()
    assert unplaced("Table", tables.columns, ["hidden_things", "old_things"], "synapse") == [
        f"Table new_things is in no place: {ADVICE.format('synapse')}.",
        "Table old_things does not exist any more: take it out of dpobot/homeserver/data_map/synapse.toml.",
    ]


def test_every_admin_endpoint_of_synapse_is_placed() -> None:
    """Also those that change something, and those about rooms; and no place is of an endpoint gone."""
    placed = {each for each in data_map.synapse().endpoints if "/_synapse/admin/" in each or "/admin/whois/" in each}
    assert unplaced("Endpoint", admin_api(), placed, "synapse") == []


class _Planted(RestServlet):
    PATTERNS = (re.compile("^/_synapse/admin/v1/users/(?P<user_id>[^/]*)/wishes$"),)

    async def on_GET(self) -> None:  # noqa: N802 - Synapse's name
        """Answer nothing."""


def test_an_endpoint_that_nobody_placed_is_noticed() -> None:
    """As Synapse would bring it."""
    (new,) = registered(type("Module", (), {"Planted": _Planted}))
    (sentence,) = unplaced("Endpoint", [new], [], "synapse")
    assert sentence.startswith("Endpoint GET /_synapse/admin/v1/users/{user_id}/wishes is in no place: place it in ")


@pytest.mark.skipif(not HERE, reason=f"MAS's description of its admin API is not here ({PATH.name})")
def test_all_that_mas_describes_is_placed() -> None:
    """Every operation, and every kind of thing that it answers with."""
    description = Description.read()
    kinds = {name.removeprefix("SingleResource_for_") for name in description.document["components"]["schemas"]}
    answered = {name for name in kinds if f"SingleResource_for_{name}" in description.document["components"]["schemas"]}
    assert unplaced("Endpoint", description.operations(), data_map.mas().endpoints, "mas") == []
    assert unplaced("Schema", answered | {"SiteConfig", "Version"}, data_map.mas().schemas, "mas") == []


def test_the_map_says_of_each_category_what_its_code_asks() -> None:
    """Endpoints as declared; what can only be had as the person is marked so."""
    places = data_map.synapse().categories
    told = {name: set(places[name].endpoints) | set(PUPPET if places[name].acting else ()) for name in CATEGORIES}
    assert told == {name: set(category.endpoints) for name, category in CATEGORIES.items()}
    assert (places["messages"].endpoints, places["media"].endpoints) == (
        (rooms.MESSAGES,),
        (media.LIST, media.DOWNLOAD),
    )


def test_the_map_says_of_each_category_of_mas_what_its_code_asks() -> None:
    """Also of those that both hold."""
    joint = {name: each.category for name, each in mas_categories.JOINT.items()}
    declared = {name: each.endpoints for name, each in {**mas_categories.CATEGORIES, **joint}.items()}
    assert {name: place.endpoints for name, place in data_map.mas().categories.items()} == declared


def test_the_map_and_the_law_know_the_same_categories() -> None:
    """Where it lies and why it is held are told of the same things."""
    assert {*data_map.synapse().categories, *data_map.mas().categories} == set(facts())


@pytest.mark.parametrize(
    ("categories", "found"),
    [(CATEGORIES, data_map.synapse()), (mas_categories.CATEGORIES, data_map.mas())],
    ids=["synapse", "mas"],
)
def test_tables_that_a_purpose_names_are_on_the_map(categories: Mapping[str, object], found: data_map.DataMap) -> None:
    """Staff who look by hand read the same names in both."""
    missing = set()
    for name, category in categories.items():
        _, _, named = str(getattr(category, "purpose", "")).partition("Tables: ")
        for pattern in re.findall(r"[a-z_*0-9]*[_*][a-z_*0-9]*|^users", named):
            if not fnmatch.filter(found.categories[name].tables, pattern):
                missing.add((name, pattern))
    assert missing == set()


def test_nothing_is_placed_twice() -> None:
    """What a category gives has no reason to be in none, and there is one reason for the rest."""
    for found in (data_map.synapse(), data_map.mas()):
        held = {each for place in found.categories.values() for each in (*place.tables, *place.endpoints)}
        rest = [each for place in found.without.values() for each in (*place.tables, *place.endpoints)]
        assert sorted({each for each in rest if each in held or rest.count(each) > 1}) == []


def test_a_reason_without_a_sentence_is_refused() -> None:
    """A code alone explains nothing; and every sentence is in use."""
    with pytest.raises(ValueError, match="no sentence for because"):
        data_map.DataMap("Synapse", {}, {"because": data_map.Place()})
    assert {*data_map.synapse().without, *data_map.mas().without} == set(data_map.reasons())


def test_the_page_is_made_from_the_map() -> None:
    """If not: ``python -m dpobot.homeserver.data_map > docs/data-map.md``."""
    assert (ROOT / "docs" / "data-map.md").read_text("utf-8") == page()

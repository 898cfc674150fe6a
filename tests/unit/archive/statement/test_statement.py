"""The statement: tailored to what is held, in three forms that say the same."""

import html
import json
import re
from importlib import resources
from typing import Any

import jsonschema
import pytest

from dpobot.archive.inspect import inspect
from dpobot.archive.spool import Spool
from dpobot.archive.statement.law import facts as law
from dpobot.homeserver.categories import CATEGORIES
from dpobot.homeserver.mas.categories import CATEGORIES as MAS_CATEGORIES
from dpobot.model.words import Scope, Section
from dpobot.text.language import available
from tests.unit.archive.conftest import ALICE, BOB, Make, entries, message


def files(make: Make, **changes: Any) -> dict[str, bytes]:
    """Return the files of the archive that a spool makes, by name."""
    return {name: data for _, name, data in entries(make(**changes))}


def words(page: bytes) -> str:
    """Return what a page says, without markup."""
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", page.decode())).split())


async def test_it_keeps_its_schema_and_tells_each_category_apart(rich: Spool, make: Make) -> None:
    """What is held, what is not, and what could not be looked at are three different things."""
    said = json.loads(files(make)["statement.json"])
    schema = json.loads((resources.files("dpobot.archive") / "schemas" / "statement.schema.json").read_bytes())
    jsonschema.Draft202012Validator(schema).validate(said)
    states = {item["category"]: (item["state"], item["count"]) for item in said["categories"]}
    assert states == {
        "account": ("held", 1),
        "devices": ("held", 2),
        "receipts": ("held", 1),
        "pushers": ("nothing", 0),
        "delayed_events": ("unknown", 0),
        "messages": ("held", 6),
        "media": ("held", 2),
    }
    assert said["person"] == ALICE
    assert {item["category"]: item["kinds"] for item in said["categories"]}["messages"]["m.room.message"] == 3


async def test_what_is_held_has_its_law_and_what_is_not_has_one_line(rich: Spool, make: Make) -> None:
    """Purpose, ground, time, source and recipients stand with what is held; a list has the rest."""
    page = words(files(make)["statement.html"])
    for part in ("Article 6(1)(b) GDPR", "Until you log the device out", "Your apps sent it", "Entries: 2"):
        assert part in page
    assert re.search("(Push services|Pushers|Push notifications)[^:]*: nothing held", page)
    assert "Information Commissioner" in page or "ICO" in page
    assert "dpo@example.org" in page
    assert "other.example" in page
    assert "@irc:other.example" in page


async def test_rooms_that_nobody_looked_into_are_said(spool: Spool, make: Make) -> None:
    """Without a search for recipients the statement does not say that there are none."""
    spool.account("account", [{"user_id": ALICE}])
    made = files(make)
    assert json.loads(made["statement.json"])["recipients"] is None
    assert "Nobody has looked yet who was in your rooms" in words(made["statement.html"])
    assert "recipients.html" not in made


@pytest.mark.parametrize("language", available())
async def test_it_speaks_each_language(rich: Spool, make: Make, language: str) -> None:
    """The page, the file for printing and the texts in the data are in the person's language."""
    made = files(make, language=language)
    heading = {"en": "What is held about you", "de": "Was über Sie gespeichert ist", "fr": "Ce qui est détenu sur vous"}
    assert heading[language] in words(made["statement.html"])
    assert json.loads(made["statement.json"])["language"] == language
    assert f"/Lang ({language})".encode() in made["statement.pdf"]
    assert made["statement.pdf"].startswith(b"%PDF-")


async def test_it_holds_no_value_and_nobody_else(rich: Spool, make: Make) -> None:
    """Counts and names of fields only: no word of a message, no name, no address of a device."""
    rich.append(1, 0, [message(1, content={"msgtype": "m.text", "body": "secret words"}) | {"sender": ALICE}])
    made = files(make)
    for name in ("statement.html", "statement.json"):
        text = made[name].decode()
        assert [part for part in ("secret words", "cat.png", BOB, "Kitchen") if part in text] == []


async def test_an_archive_of_the_statement_alone(rich: Spool, make: Make) -> None:
    """For `access`: counted in full, nothing of the data handed out, and the last look lets it pass."""
    made = make(sections=frozenset({Section.STATEMENT}))
    names = {name for _, name, _ in entries(made) if not name.startswith("schemas/")}
    assert names == {
        "index.html",
        "README.txt",
        "manifest.json",
        "statement.html",
        "statement.json",
        "statement.pdf",
        "recipients.html",
        "recipients.json",
        "recipients.csv",
    }
    counts = {item.category: item.count for item in made.holdings}
    assert (counts["messages"], counts["media"], counts["devices"]) == (6, 3, 2)
    assert inspect([volume.path for volume in made.volumes], ALICE, Scope.MINE).events == 0


def test_every_category_has_its_law() -> None:
    """A kind of data without purpose, ground and time can't be told of; one that is no more is told of in vain."""
    assert set(law()) == {*CATEGORIES, *MAS_CATEGORIES, "messages", "media", "room_coverage"}

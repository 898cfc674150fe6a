"""Who received what: the page, its picture, the table for spreadsheets, the data."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dpobot.archive import package as packing
from dpobot.archive.recipients_csv import COLUMNS, cell, table
from dpobot.archive.spool import Spool
from dpobot.model.words import Section
from tests.unit.archive.conftest import ALICE, Make, entries, entry
from tests.unit.archive.pages import read

_T = 1_790_000_000_000
_DAY = 86_400_000
_ONLY = {"sections": frozenset({Section.STATEMENT})}


def _server(name: str, events: int, **changes: Any) -> dict[str, Any]:
    first, last = (_T, _T + _DAY) if events else (None, None)
    row = {"server": name, "own": False, "rooms": 1, "events": events, "first": first, "last": last}
    return {**row, "later": not events, **changes}


def _found(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "servers": [_server("example.org", 9, own=True), _server("a.example", 7), _server("late.example", 0)],
        "services": [
            {"user_id": "@irc:a.example", "kind": "bridge", "network": "IRC", "rooms": 1, "first": _T, "last": _T}
        ],
        "push": [{"host": "push.example", "app": "Element", "devices": 2}],
        "identity": [{"host": "vector.im"}],
        "incomplete": {"history_partial": 2, "M_FORBIDDEN": 1},
        "rooms": 3,
        "events": 9,
    }
    return {**found, **changes}


def _many(count: int) -> list[dict[str, Any]]:
    return [_server(f"s{number}.example", count - number) for number in range(count)]


def _page(spool: Spool, make: Make, found: dict[str, Any], **changes: Any) -> str:
    spool.keep("recipients", found)
    return entry(make(**_ONLY, **changes), "recipients.html").decode()


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_the_page_names_everybody(spool: Spool, make: Make, language: str) -> None:
    """Servers, bridge, gateway and identity server; a picture with a name and a description; nothing that runs."""
    page = _page(spool, make, _found(), language=language)
    text = " ".join(read(page).text)
    assert read(page).faults == []
    for name in ("example.org", "a.example", "late.example", "@irc:a.example", "IRC", "push.example", "vector.im"):
        assert name in text
    assert re.search(r'<svg [^>]*role="img" aria-labelledby="bars-title bars-desc"', page)
    assert page.count("<rect") == 1  # neither the own server nor one that came later has a bar
    assert ("your own server" in page) == (language == "en")


def test_nothing_found_is_said_and_nobody_looked_is_no_file(spool: Spool, make: Make) -> None:
    """Without a note there is no chapter; with an empty one there is a page that says so."""
    names = [name for _, name, _ in entries(make(**_ONLY))]
    assert [name for name in names if name.startswith("recipients")] == []
    nothing: dict[str, Any] = {name: [] for name in ("servers", "services", "push", "identity")}
    page = _page(spool, make, _found(**nothing, incomplete={}, rooms=0, events=0), folder="second")
    assert "<svg" not in page
    assert "Nothing held" in page
    assert read(page).faults == []


def test_thousands_of_servers(spool: Spool, make: Make) -> None:
    """The page shows the first 500 and twenty bars, and says how many more there are; the files have all."""
    spool.keep("recipients", _found(servers=_many(4_000)))
    result = make(**_ONLY)
    page = entry(result, "recipients.html").decode()
    rows = list(csv.DictReader(io.StringIO(entry(result, "recipients.csv").decode("utf-8-sig"), newline="")))
    assert (page.count("<rect"), len(re.findall(r"<bdi>s\d+\.example", page))) == (20, 500)
    assert "The first 500 of 4\u202f000 are shown" in page
    assert "Further servers: 3\u202f980, none with more than 3\u202f980." in page
    assert len(page) < 200_000
    assert sum(row["kind"] == "server" for row in rows) == 4_000
    assert len(json.loads(entry(result, "recipients.json"))["servers"]) == 4_000


def test_whatever_servers_call_themselves(spool: Spool, make: Make) -> None:
    """Markup stays text, what turns the reading direction is replaced, impossible times are left out."""
    evil = "\u202e<script>alert(1)</script>{{ 7*7 }}"
    service = {"user_id": evil, "kind": "bot", "network": evil, "rooms": 1, "first": -(10**18), "last": 10**18}
    found = _found(servers=[_server(evil, 3, first=10**17)], services=[service], push=[], identity=[{"host": evil}])
    page = _page(spool, make, found)
    assert read(page).faults == []
    assert "\u202e" not in page
    assert "49" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL).split("<main")[1]
    assert "&lt;script&gt;" in page


def test_the_data_keeps_its_schema(spool: Spool, make: Make) -> None:
    """As the archive's own schema describes it, and it lies beside."""
    spool.keep("recipients", _found())
    result = make(**_ONLY)
    schema = json.loads((Path(packing.__file__).parent / "schemas" / "recipients.schema.json").read_text())
    data = json.loads(entry(result, "recipients.json"))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(data)] == []
    assert data == {"person": ALICE, **_found()}
    assert json.loads(entry(result, "schemas/recipients.schema.json")) == schema


def test_the_table() -> None:
    """RFC 4180 behind a byte order mark: a line for each, CRLF, quotes where they are needed."""
    service = {"user_id": '=cmd|"x"', "kind": "bot", "network": 'a,"b"\r\n', "rooms": 1, "first": 10**18, "last": None}
    data = table(_found(services=[service]))
    lines = data.decode("utf-8-sig").split("\r\n")
    assert data.startswith(b"\xef\xbb\xbf")
    assert lines[0] == ",".join(COLUMNS)
    assert lines[1] == "server,example.org,,yes,1,9,,2026-09-21T14:13:20+00:00,2026-09-22T14:13:20+00:00,no"
    assert lines[3] == "server,late.example,,no,1,0,,,,yes"
    assert lines[4] == 'bot,"\'=cmd|""x""","a,""b""'
    assert lines[6:] == ["push,push.example,Element,,,,2,,,", "identity,vector.im,,,,,,,,", ""]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1"])
def test_no_cell_is_a_formula(text: str) -> None:
    """What a spreadsheet would take for one begins with an apostrophe."""
    assert cell(text) == f"'{text}"
    assert cell(f"a{text}") == f"a{text}"

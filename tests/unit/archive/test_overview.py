"""The overview: its pictures say what a count by other code says, in every language, and each has its table."""

import json
import re
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.archive.charts import Seen, columns, moment, rows, timeline
from dpobot.archive.spool import Room, Spool
from dpobot.model.words import Section
from tests.unit.archive.conftest import Make, blocks, entries, entry, events_of, medium, message, noise
from tests.unit.archive.pages import read

TODAY = datetime(2026, 11, 22, tzinfo=UTC)
_TABLE = re.compile(r"<caption>([^<]*)</caption>(.*?)</table>", re.DOTALL)
_ROW = re.compile(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', re.DOTALL)


def tables(page: str) -> dict[str, dict[str, list[str]]]:
    """Caption -> first cell -> the other cells, of the tables that pictures have."""
    found: dict[str, dict[str, list[str]]] = {}
    for caption, body in _TABLE.findall(page):
        cells = {
            plain(first): [plain(cell) for cell in re.findall("<td.*?</td>", rest)]
            for first, rest in _ROW.findall(body)
        }
        found[caption] = cells
    return found


def plain(markup: str) -> str:
    return re.sub("<[^>]+>", "", markup).strip()


async def test_pictures_say_what_a_count_says(spool: Spool, make: Make) -> None:
    """Messages by month, rooms by events, files by kind: equal to what is counted in the archive's data files."""
    spool.rooms([Room(n, f"!{n}:example.org", f"room {n}", "join") for n in (1, 2)])
    spool.append(1, 0, [message(-n * 400, "!1:example.org", event_id=f"$1-{n}") for n in range(40)])
    others = [message(n, "!2:example.org", event_id=f"$2-{n}", type="m.room.topic", state_key="") for n in range(3)]
    spool.append(2, 0, [*others, message(1, "!2:example.org", origin_server_ts="soon")])
    offset = 0
    for number, (name, kind, size) in enumerate(
        [("a.png", "image/png", 70), ("b.jpg", "image/jpeg", 30), ("c.pdf", "application/pdf", 5)], 1
    ):
        done, _ = await spool.medium(medium(number, name, kind), offset, blocks(noise(number, size).encode()))
        offset = done.offset
    result = make()
    found = tables(entry(result, "index.html").decode())
    sent = [event for event in events_of(result) if event["type"] == "m.room.message"]
    months = Counter(
        f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m}"
        if isinstance(at := event["origin_server_ts"], int)
        else "Time unknown"
        for event in sent
    )
    assert {label: int(cells[0]) for label, cells in found["Your messages over time"].items()} == months
    rooms = Counter(event["room_id"] for event in events_of(result))
    assert {f"!{name[5:]}:example.org": int(cells[0]) for name, cells in found["Busiest rooms"].items()} == rooms
    kinds: Counter[str] = Counter()
    for item in json.loads(entry(result, "media.json")):
        kinds["Pictures" if item["media_type"].startswith("image/") else "Other files"] += item["size"]
    assert {name: cells[1] for name, cells in found["Files by kind and size"].items()} == {
        name: f"{size} bytes" for name, size in kinds.items()
    }


def test_devices_on_a_line_of_time(spool: Spool, make: Make) -> None:
    """Devices, sign-ins and connections with when they were used; what has no time is not on the line."""
    spool.account("devices", [{"device_id": "A", "last_seen_ts": 1_790_000_000_000}, {"device_id": "B"}])
    spool.account(
        "sign_in_apps",
        [{"human_name": "Element X", "created_at": "2026-01-02T03:04:05Z", "last_active_at": "2026-05-02T03:04:05Z"}],
    )
    spool.account("connections", [{"ip": "192.0.2.1", "user_agent": "Firefox", "last_seen": 1_780_000_000_000}])
    page = entry(make(), "index.html").decode()
    assert tables(page)["Devices, sign-ins and connections"] == {
        "A": ["device", "\u2013", "21 September 2026, 14:13 UTC"],
        "Element X": ["sign-in", "2 January 2026, 03:04 UTC", "2 May 2026, 03:04 UTC"],
        "Firefox": ["connection", "\u2013", "28 May 2026, 20:26 UTC"],
    }
    assert page.count("<circle") == 3


@pytest.mark.parametrize(
    ("language", "title", "before"),
    [
        ("de", "Ihre Nachrichten im Lauf der Zeit", "bearbeitet"),
        ("fr", "Vos messages au fil du temps", "modifié"),
    ],
)
def test_in_the_person_s_language(spool: Spool, make: Make, language: str, title: str, before: str) -> None:
    """Overview, conversations and tables are in the language of the person, and whole."""
    spool.rooms([Room(1, "!a:example.org", "a", "join")])
    edit = {"m.new_content": {"body": "b"}, "m.relates_to": {"rel_type": "m.replace", "event_id": "$1"}}
    spool.append(1, 0, [message(1), message(2, content=edit)])
    spool.account("devices", [{"device_id": "A", "last_seen_ts": 1_790_000_000_000}, {"device_id": "B"}])
    pages = {name: data.decode() for _, name, data in entries(make(language=language)) if name.endswith(".html")}
    assert {
        name: page.faults for name, text in pages.items() if (page := read(text, panel=name == "index.html")).faults
    } == {}
    assert title in pages["index.html"]
    assert before in pages["rooms/0001-a/page-0001.html"]
    assert all(f'<html lang="{language}">' in page for page in pages.values())
    assert not [name for name, page in pages.items() if "Skip to the content" in page]


def test_later_volumes_lead_to_the_overview(spool: Spool, make: Make) -> None:
    """Pictures are in the first volume; each other one says where they are."""
    spool.rooms([Room(1, "!a:example.org", "a", "join")])
    spool.append(1, 0, [message(n, content={"msgtype": "m.text", "body": noise(n, 700)}) for n in range(1, 900)])
    result = make(volume_bytes=500_000)
    assert len(result.volumes) > 1
    indexes = [data.decode() for _, name, data in entries(result) if name == "index.html"]
    assert ["<svg" in page for page in indexes] == [True] + [False] * (len(indexes) - 1)
    assert all('href="../DPO-2026-0042-01/index.html"' in page for page in indexes[1:])


async def test_gallery(spool: Spool, make: Make) -> None:
    """Pictures stand as thumbnails that load when they come into view, also from another volume; the rest is a list."""
    offset = 0
    for number, (name, kind) in enumerate(
        [("a.png", "image/png"), ("b.svg", "image/svg+xml"), ("c.png", "image/png")], 1
    ):
        done, _ = await spool.medium(medium(number, name, kind), offset, blocks(noise(number, 300_000).encode()))
        offset = done.offset
    pages = [entry(make(volume_bytes=size), "media.html").decode() for size in (650_000, 90_000_000)]
    assert [re.findall(r'<img src="([^"]+)" alt="" loading="lazy">', page) for page in pages] == [
        ["../DPO-2026-0042-01/media/00001-a.png", "../DPO-2026-0042-02/media/00003-c.png"],
        ["media/00001-a.png", "media/00003-c.png"],
    ]
    page = pages[0]
    assert [plain(cell) for cell in re.findall(r'<th scope="row">.*?</th>', page)] == ["b.svg"]


def test_pages_for_everybody(spool: Spool, make: Make) -> None:
    """Each page has its landmarks, one main heading, a way past the head, and a caption or heading for each table."""
    spool.rooms([Room(1, "!a:example.org", "a", "join")])
    spool.append(1, 0, [message(1)])
    spool.account("devices", [{"device_id": "A"}, {"device_id": "B"}])
    for _, name, data in entries(make()):
        page = data.decode() if name.endswith(".html") else ""
        if page:
            parts = [page.count(f"<{tag}") for tag in ("main", "header", "footer", "h1", "html lang=")]
            assert (name, parts) == (name, [1, 1, 1, 1, 1])
            assert '<a class="skip" href="#content">' in page
            assert [
                image for image in re.findall("<svg[^>]*>", page) if 'role="img" aria-labelledby=' not in image
            ] == []


@given(
    st.dictionaries(
        st.integers(0, 120_000).map(lambda n: f"{n // 12:04d}-{n % 12 + 1:02d}"), st.integers(1, 9), max_size=300
    )
)
def test_columns_lose_nothing(months: dict[str, int]) -> None:
    """However the messages lie in time, the columns are few and their sum is all of them."""
    picture = columns({month: n for month, n in months.items() if len(month) == 7}, TODAY)
    total = sum(n for month, n in months.items() if len(month) == 7)
    if picture is None:
        assert total == 0
        return
    assert (sum(bar.count for bar in picture.bars), picture.total) == (total, total)
    assert len(picture.bars) <= 62
    assert all(bar.y >= 0 and bar.y + bar.height <= picture.height + 0.2 for bar in picture.bars)
    assert all(bar.x + bar.width <= picture.width for bar in picture.bars)


def test_many_months_become_years() -> None:
    """Six years of months are shown as years; what is dated in the future stands apart."""
    months = {f"{year}-05": 2 for year in range(2019, 2026)} | {"2999-01": 1, "": 4}
    picture = columns(months, TODAY)
    assert picture
    assert [(bar.label, bar.count, bar.kind) for bar in picture.bars] == [
        *((str(year), 2, "") for year in range(2019, 2026)),
        ("2026-11", 1, "after"),
    ]
    assert (picture.unknown, picture.total) == (4, 19)


def test_long_lists_are_cut() -> None:
    """A picture has the ten longest bars, its table fifty."""
    picture = rows((f"r{n:03d}", n, 0) for n in range(1, 200))
    assert picture
    assert ([bar.count for bar in picture.bars], len(picture.listed)) == (list(range(199, 189, -1)), 50)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1_790_000_000_000, "2026-09-21T14:13:20+00:00"),
        (1_790_000_000, "2026-09-21T14:13:20+00:00"),
        ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05+00:00"),
        ("yesterday", ""),
        (10**40, ""),
        (True, ""),
        (None, ""),
        (-5, ""),
        ({}, ""),
    ],
)
def test_times_of_any_form(value: object, said: str) -> None:
    """Servers give times in milliseconds, seconds or as text; what is none is left out."""
    assert moment(value) == said


def test_nothing_known_no_line() -> None:
    """Without any time there is no line of time."""
    assert timeline([Seen("a", "device", "", "")]) is None
    assert (columns({}, TODAY), rows([])) == (None, None)


def test_what_opens_messages_is_no_account_page(spool: Spool, make: Make) -> None:
    """Who asked for messages alone gets the keys that open them, not pages about the account."""
    spool.rooms([Room(1, "!a:example.org", "a", "join")])
    spool.append(1, 0, [message(1)])
    spool.account("key_backup", [])
    spool.account("account_data", [{"type": "m.direct", "content": {}}])
    names = {name for _, name, _ in entries(make(sections=frozenset({Section.MESSAGES})))}
    assert not [name for name in names if name.startswith("account/")]

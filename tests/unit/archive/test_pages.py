"""Pages show whatever people sent and never run, load or break anything."""

import json
import zipfile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpobot.archive.messages import MOST_TEXT, shown, urls
from dpobot.archive.spool import Room, Spool, encode
from dpobot.model.ids import RoomId
from tests.unit.archive.conftest import ALICE, Make, blocks, entries, entry, medium, message
from tests.unit.archive.pages import read

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_KEYS = st.sampled_from(
    [
        "body",
        "msgtype",
        "url",
        "file",
        "m.relates_to",
        "m.new_content",
        "key",
        "rel_type",
        "event_id",
        "membership",
        "displayname",
        "name",
        "topic",
    ]
)
_CONTENT = _JSON | st.dictionaries(_KEYS, _JSON, max_size=6)
_TYPES = _JSON | st.sampled_from(
    [
        "m.room.message",
        "m.room.member",
        "m.reaction",
        "m.room.redaction",
        "m.room.encrypted",
        "m.room.name",
        "m.sticker",
        "m.poll.start",
        "m.poll.response",
        "m.call.invite",
        "m.key.verification.start",
        "m.room.power_levels",
    ]
)

EVIL = (
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    '"><img src=x onerror=alert(1)>',
    "</p></div></li><svg onload=alert(1)>",
    "<!--end-->",
    "]]></style><style>*{display:none}",
    "{{ 7*7 }} {% raw %}",
    "\u202egnp.exe\u202c \u2066x",
    "\x00\x07\x1b[31m\u0085",
    "\ud800 \udfff",
    "🎉" * 300,
    "x" * 1_000_000,
)


def _evil_events() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for text in EVIL:
        found += [
            {"type": "m.room.message", "content": {"msgtype": "m.text", "body": text, "formatted_body": text}},
            {"type": "m.room.message", "content": {"msgtype": text, "body": text, "format": text}},
            {"type": "m.room.message", "content": {"msgtype": "m.image", "body": text, "url": text}},
            {"type": "m.room.message", "content": {"msgtype": "m.image", "body": text, "url": "mxc://example.org/1"}},
            {"type": "m.reaction", "content": {"m.relates_to": {"key": text, "event_id": text}}},
            {"type": "m.room.member", "state_key": text, "content": {"membership": "ban", "reason": text}},
            {"type": "m.room.name", "state_key": "", "content": {"name": text}},
            {"type": "m.room.redaction", "redacts": text, "content": {"reason": text}},
            {"type": text, "content": {text: text}},
            {"type": "m.room.encrypted", "content": {"algorithm": text}},
        ]
    return [message(n) | event for n, event in enumerate(found, 1)]


async def test_nothing_hostile_becomes_part_of_a_page(spool: Spool, make: Make) -> None:
    """Scripts, addresses, direction tricks and a megabyte of text are text, in every page of the archive."""
    spool.rooms([Room(n, f"!{n}{text[:99]}", text[:300], text[:50]) for n, text in enumerate(EVIL, 1)])
    spool.append(1, 0, _evil_events())
    spool.account("account_data", [{text[:500]: text, "x": [text]} for text in EVIL])
    spool.account("profile", [{"displayname": EVIL[0], "avatar_url": EVIL[1]}], title=EVIL[2], missing=EVIL[0])
    offset = 0
    for number, text in enumerate(EVIL, 1):
        kind = "image/svg+xml" if number % 2 else text[:100]
        done, _ = await spool.medium(medium(number, text[:300], kind), offset, blocks(text.encode(errors="replace")))
        offset = done.offset
    result = make()
    pages = {name: data.decode() for _, name, data in entries(result) if name.endswith(".html")}
    assert len(pages) > 6
    looked = {name: read(text, panel=name == "index.html") for name, text in pages.items()}
    assert {name: page.faults for name, page in looked.items() if page.faults} == {}
    islands = [{"type": "application/json", "id": "words"}, {"type": "application/json", "id": "contents"}]
    assert {name: page.scripts for name, page in looked.items() if page.scripts} == {"index.html": [*islands, {}]}
    seen = "".join(pages.values())
    assert not set(seen) & set("\u202e\u2066\x00\x07\x1b\u0085\ud800")
    assert "&lt;script&gt;alert(1)" in seen
    assert max(len(text) for text in pages.values()) < 2_000_000
    assert all("Content-Security-Policy" in text and "default-src &#39;none&#39;" in text for text in pages.values())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(type_=_TYPES, content=_CONTENT, unsigned=_JSON, at=_JSON, state_key=_JSON, redacts=_JSON)
def test_any_event_can_be_shown(**fields: object) -> None:
    """Fields of any type never raise, and what is shown can be written as UTF-8."""
    event = {"event_id": "$1", "sender": ALICE, "type": fields["type_"], "origin_server_ts": fields["at"]}
    event |= {key: fields[key] for key in ("content", "unsigned", "state_key", "redacts")}
    view = shown(json.loads(encode(event)))
    assert all(url.startswith("mxc://") for url in urls(event))
    texts = (view.event_id, view.type, view.text, view.name, view.target, view.reply, view.url, view.json)
    assert "".join(texts).encode().decode() == "".join(texts)


def test_any_events_make_a_page(spool: Spool, make: Make) -> None:
    """A page of events of the oddest forms is whole, and each of them has its line."""
    odd: list[Any] = [None, True, -1, 10**30, 1.5, "", [], {}, [[]], {"a": {"b": [None]}}]
    room = RoomId("!a:example.org")
    events = [
        message(n, room, type=type_, content=content, origin_server_ts=content, state_key=content, redacts=content)
        for n, (type_, content) in enumerate(
            ((t, c) for t in ("m.room.message", "m.room.member", "m.reaction", "m.room.name", None, 5) for c in odd), 1
        )
    ]
    spool.rooms([Room(1, room, None, "join")])
    spool.append(1, 0, events)
    text = entry(make(), "rooms/0001-room/page-0001.html").decode()
    assert read(text).faults == []
    assert text.count('<li id="e') == len(events)
    assert "Time unknown" in text


async def test_sentences(rich: Spool, make: Make) -> None:
    """Messages, media, reactions, deletions, memberships and encrypted events each have their words."""
    result = make()
    page = " ".join(" ".join(read(entry(result, "rooms/0001-Kitchen-b/page-0001.html").decode()).text).split())
    assert "message 1" in page
    assert "You reacted 🎉 to this message" in page
    assert "Deleted by somebody else, or by a moderator" in page
    assert "You joined the room as Alice" in page
    assert "End of this room." in page
    raw = entry(result, "rooms/0001-Kitchen-b/page-0001.html").decode()
    assert '<img src="../../media/00001-cat.png" alt="cat.png"' in raw
    assert '<html lang="en">' in raw
    assert "Encrypted message" in entry(result, "rooms/0002-room/page-0001.html").decode()


async def test_media_list(rich: Spool, make: Make) -> None:
    """The list of files links what is there, never shows SVG in place, and says why one is missing."""
    page = entry(make(), "media.html").decode()
    assert 'href="media/00002-evil.svg.txt"' in page
    assert 'src="media/00002' not in page
    assert "the server no longer has it" in page


@pytest.mark.parametrize(
    ("event", "kind", "what"),
    [
        ({"content": {"msgtype": "m.emote", "body": "waves"}}, "emote", ""),
        ({"content": {"body": ["no text"]}}, "odd", ""),
        ({"content": {"m.relates_to": {"rel_type": "m.replace"}, "m.new_content": {"body": "b"}}}, "edit", ""),
        ({"content": {"msgtype": "m.file", "body": "f", "file": {"url": "mxc://a/b"}}}, "file", "encrypted"),
        ({"type": "m.room.member", "state_key": ALICE, "content": {"membership": "leave"}}, "member", "own-leave"),
        ({"type": "m.room.member", "state_key": "@x:y", "content": {"membership": "ban"}}, "member", "other-ban"),
        ({"type": "m.room.member", "content": {"membership": 5}}, "other", ""),
        ({"type": "m.room.topic", "state_key": "", "content": {"topic": "t"}}, "state", ""),
        ({"type": "m.room.topic", "content": {"topic": "t"}}, "other", ""),
        ({"unsigned": {"redacted_because": {"sender": ALICE}}}, "redacted", "self"),
        ({"unsigned": {"redacted_because": {}}}, "redacted", "other"),
        ({"type": "m.reaction", "content": {}}, "other", ""),
        ({"type": "org.example.custom"}, "other", ""),
    ],
)
def test_kinds(event: dict[str, Any], kind: str, what: str) -> None:
    """Each kind of event chooses its own sentence."""
    view = shown(message(1, **event))
    assert (view.kind, view.what) == (kind, what)


def test_long_text_is_cut_and_says_so() -> None:
    """A page shows the beginning of a very long text and says that it does."""
    view = shown(message(1, content={"body": "x" * (MOST_TEXT + 1)}))
    assert (len(view.text), view.cut) == (MOST_TEXT, True)


def test_pages_lead_to_each_other(spool: Spool, make: Make) -> None:
    """A long room has pages that lead forth and back, the last one says that it is the last."""
    spool.rooms([Room(1, "!a:example.org", "a", "join")])
    spool.append(1, 0, [message(n) for n in range(1, 1_101)])
    with zipfile.ZipFile(make().volumes[0].path) as archive:
        pages = [archive.read(f"rooms/0001-a/page-000{n}.html").decode() for n in (1, 2, 3)]
    assert 'rel="next" href="page-0002.html"' in pages[0]
    assert 'rel="prev" href="page-0001.html"' in pages[1]
    assert 'rel="next"' not in pages[2]
    assert [page.count('<li id="e') for page in pages] == [500, 500, 100]

"""Archives of anything: every volume opens, its inspection passes or trips, nothing hostile is part of a page."""

import asyncio
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dpobot.archive.facts import Package
from dpobot.archive.inspect import inspect
from dpobot.archive.package import package
from dpobot.archive.spool import Room, Spool
from dpobot.errors import Tripwire
from dpobot.model.words import Scope
from dpobot.text.render import Renderer
from tests.fuzz.anything import fuzzed, json_with, leaves, texts
from tests.unit.archive.conftest import ALICE, blocks, facts, medium, message, renderer
from tests.unit.archive.pages import read

__all__ = ["renderer"]  # a fixture

_KEYS = st.sampled_from(
    [
        "body",
        "msgtype",
        "formatted_body",
        "url",
        "file",
        "info",
        "m.relates_to",
        "event_id",
        "key",
        "rel_type",
        "name",
        "m.new_content",
        "membership",
        "reason",
        "topic",
        "displayname",
        "avatar_url",
        "algorithm",
        "ciphertext",
    ]
)
_LIKELY = st.sampled_from(["m.text", "m.image", "m.replace", "m.annotation", "$1", "$2", "mxc://example.org/1"])
_JSON = json_with(_KEYS, _LIKELY)
_EVENT = st.fixed_dictionaries(
    {"content": st.one_of(st.dictionaries(_KEYS, st.one_of(_JSON, _LIKELY), max_size=6), _JSON)},
    optional={
        "type": st.one_of(st.sampled_from(["m.reaction", "m.room.member", "m.room.redaction", "m.sticker"]), leaves),
        "origin_server_ts": leaves,
        "state_key": leaves,
        "redacts": leaves,
        "unsigned": _JSON,
    },
)
_FILE = st.tuples(
    texts, st.one_of(st.sampled_from(["image/png", "image/svg+xml", "text/html"]), texts), st.binary(max_size=40)
)
_HELD = st.fixed_dictionaries(
    {
        "name": texts,
        "events": st.lists(_EVENT, max_size=4),
        "files": st.lists(_FILE, max_size=2),
        "records": st.lists(st.dictionaries(texts, _JSON, max_size=3), max_size=2),
    }
)


def _packed(folder: Path, renderer_: Renderer, held: dict[str, Any]) -> Package:
    shutil.rmtree(folder, ignore_errors=True)
    spool = Spool(folder / "spool")
    spool.rooms([Room(1, "!a:example.org", held["name"], "join")])
    spool.append(1, 0, [message(number, **each) for number, each in enumerate(held["events"], 1)])
    spool.account("account_data", held["records"], title=held["name"])
    offset = 0
    for number, (name, media_type, data) in enumerate(held["files"], 1):
        done, _ = asyncio.run(spool.medium(medium(number, name, media_type), offset, blocks(data)))
        offset = done.offset
    return package(spool, folder / "out", facts(), 90_000_000, renderer_)


@fuzzed(15)
@given(held=_HELD)
def test_an_archive_of_anything_is_whole_and_harmless(renderer: Renderer, tmp_path: Path, held: dict[str, Any]) -> None:
    """Names, events, records and files of any kind."""
    result = _packed(tmp_path / "work", renderer, held)
    paths = [volume.path for volume in result.volumes]
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            files = {name: archive.read(name) for name in archive.namelist()}
        _look(files)
    try:
        assert inspect(paths, ALICE, Scope.MINE).events == len(held["events"])
    except Tripwire as tripped:
        assert tripped.code != ""


def _look(files: dict[str, bytes]) -> None:
    """Every page is one in which nothing runs, loads or leads away; every JSON file can be read."""
    for name, data in files.items():
        assert ".." not in name.split("/")
        assert not name.startswith("/")
        if name.endswith(".html"):
            assert read(data.decode(), panel=name == "index.html").faults == []
        if name.endswith(".json"):
            json.loads(data)
        for line in data.splitlines() if name.endswith(".jsonl") else ():
            json.loads(line)

"""Files that staff add from other systems: placed, listed, shown, and looked at like everything else."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dpobot.archive import layout, other
from dpobot.archive import package as packing
from dpobot.archive.facts import Package
from dpobot.archive.inspect import inspect
from dpobot.archive.spool import Added, Spool
from dpobot.errors import Tripwire, Unavailable
from dpobot.model.words import Scope
from tests.unit.archive.conftest import ALICE, Make, entries, entry, noise
from tests.unit.archive.pages import links
from tests.unit.archive.test_inspect import drop, put, rewrite

LOG = b"2026-01-02 GET /\n" * 100


def _add(spool: Spool, *files: tuple[str, bytes | None]) -> None:
    """Let files lie in the spool as the job leaves them; None: one that could not be had."""
    offset = 0
    for number, (name, data) in enumerate(files, 1):
        if data is not None:
            spool.added_path(number).write_bytes(data)
        missing = "gone" if data is None else None
        appended, _ = spool.add(Added(number, name, "text/csv", 0, None, missing), offset)
        offset = appended.offset


def _manifest(result: Package) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(entry(result, "manifest.json"))
    return found


def _volumes(result: Package) -> list[Path]:
    return [volume.path for volume in result.volumes]


async def test_added_files_come_back(rich: Spool, make: Make) -> None:
    """In a folder of their own, under clean and numbered names, with what the manifest's schema demands."""
    _add(rich, ("log.csv", LOG), ("../../etc/passwd", b"x"), ("run.js", b"y"))
    result = make()
    names = [name for _, name, _ in entries(result) if name.startswith("other/")]
    assert names == ["other/0001-log.csv", "other/0002-etc-passwd.bin", "other/0003-run.js.txt"]
    assert entry(result, names[0]) == LOG
    manifest = _manifest(result)
    schema = json.loads((Path(packing.__file__).parent / "schemas" / "manifest.schema.json").read_text())
    assert [error.message for error in Draft202012Validator(schema).iter_errors(manifest)] == []
    assert manifest["other_systems"][0]["sha256"] == hashlib.sha256(LOG).hexdigest()
    assert result.totals.categories[other.OTHER] == 3
    page = entry(result, "index.html").decode()
    assert {name for name in links("index.html", page) if name.startswith("other/")} == set(names)
    assert "The DPO team has added these files" in page
    assert inspect(_volumes(result), ALICE, Scope.MINE).anomalies == ()


@pytest.mark.parametrize("name", ["", "CON", "a" * 5000, "\u202egpj.exe", "x/../y", "name\nwith\tcontrols.html", "."])
def test_no_name_is_dangerous(name: str) -> None:
    """Whatever a file is called, its entry stays in its folder and neither a browser nor a desktop runs it."""
    entry_name = layout.other_file(7, name, "text/html")
    assert layout.safe_entry(entry_name)
    assert entry_name.startswith("other/0007-")
    assert entry_name.rsplit(".", 1)[1] in {"txt", "bin"}


def test_what_is_larger_than_a_volume_comes_in_pieces(spool: Spool, make: Make) -> None:
    """Over several volumes, each within its size; together they are the file, and the index says how to join them."""
    film = noise(3, 1_500_000).encode()
    spool.added_path(1).write_bytes(film)
    spool.add(Added(1, "dump.bin", "application/octet-stream", 0, None, None), 0)
    result = make(volume_bytes=700_000)
    assert all(volume.size <= 700_000 for volume in result.volumes)
    pieces = {name: data for _, name, data in entries(result) if name.startswith("other/")}
    assert b"".join(pieces[name] for name in sorted(pieces)) == film
    (line,) = _manifest(result)["other_systems"]
    assert (line["files"], line["volume"]) == (sorted(pieces), 1)
    assert "README.txt says how to join them" in entry(result, "index.html").decode()
    assert inspect(_volumes(result), ALICE, Scope.MINE).anomalies == ()


def test_many_files_stay_within_the_volumes(spool: Spool, make: Make) -> None:
    """Each file stands in the index and the manifest of each volume: room is kept for that."""
    _add(spool, *((f"{noise(n, 40)}.csv", noise(n, 4_000).encode()) for n in range(200)))
    result = make(volume_bytes=700_000)
    assert all(volume.size <= 700_000 for volume in result.volumes)
    assert sum(name.startswith("other/") for _, name, _ in entries(result)) == 200


async def test_a_file_that_could_not_be_had_is_told(rich: Spool, make: Make) -> None:
    """In the manifest and on the page; and the package counts as unusual, so that staff decide."""
    _add(rich, ("log.csv", LOG), ("gone.csv", None))
    result = make()
    (held,) = [item for item in _manifest(result)["categories"] if item["category"] == other.OTHER]
    assert (held["count"], held["incomplete"], held["nothing_held"]) == (1, {"gone": 1}, False)
    assert "could not be had: the server no longer has it" in " ".join(
        entry(result, "index.html").decode().replace("<", " <").split()
    )
    assert inspect(_volumes(result), ALICE, Scope.MINE).anomalies == ("attachment_missing",)


def test_a_spool_that_lost_a_file_is_noticed(spool: Spool, make: Make) -> None:
    """Then everything begins again."""
    _add(spool, ("log.csv", LOG))
    spool.added_path(1).write_bytes(LOG[:-1])
    with pytest.raises(Unavailable, match="spool_lost"):
        make()


def test_what_a_crash_left_behind_does_not_count(spool: Spool) -> None:
    """A line behind the journal's offset is written again, not twice."""
    _add(spool, ("a.csv", LOG), ("b.csv", LOG))
    spool.added_path(1).write_bytes(b"other")
    spool.add(Added(1, "c.csv", "text/csv", 0, None, None), 0)
    assert [(added.name, added.size) for added in spool.added()] == [("c.csv", 5)]
    assert spool.added_path(1).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (put("other/0002-more.csv", b"x"), "unlisted"),
        (put("other/0001-log.csv", b"changed"), "digest"),
        (drop("other/0001-log.csv"), "absent"),
        (put("elsewhere/file.txt", b"x"), "unlisted"),
    ],
)
async def test_the_last_look_sees_changes(rich: Spool, make: Make, change: Any, code: str) -> None:
    """A file that is not listed as added, that is another one, or that is missing is found."""
    _add(rich, ("log.csv", LOG))
    with pytest.raises(Tripwire, match=code):
        inspect([rewrite(make().volumes[0].path, change)], ALICE, Scope.MINE)


def _listed(path: str, **manifest: Any) -> Any:
    def change(files: dict[str, bytes]) -> None:
        said = json.loads(files["manifest.json"])
        files[path] = b"x"
        said["files"].append({"path": path, "size": 1, "sha256": ""})
        files["manifest.json"] = json.dumps(said | manifest).encode()

    return change


@pytest.mark.parametrize("path", ["elsewhere/file.txt", "note.txt", "other/0002-more.csv", "rooms/a/b/c", "index.htm"])
async def test_a_listed_file_in_a_place_that_has_none_is_found(rich: Spool, make: Make, path: str) -> None:
    """That the manifest names it is not enough: an archive has its places."""
    _add(rich, ("log.csv", LOG))
    with pytest.raises(Tripwire, match="unlisted"):
        inspect([rewrite(make().volumes[0].path, _listed(path))], ALICE, Scope.MINE)


async def test_a_file_that_no_volume_holds_is_found(rich: Spool, make: Make) -> None:
    """What the manifest tells of other systems must be there."""
    line = {"number": 1, "files": ["other/0001-log.csv"], "sha256": "", "missing": None}
    changed = rewrite(make().volumes[0].path, lambda files: _with(files, other_systems=[line]))
    with pytest.raises(Tripwire, match="absent"):
        inspect([changed], ALICE, Scope.MINE)


def _with(files: dict[str, bytes], **manifest: Any) -> None:
    files["manifest.json"] = json.dumps(json.loads(files["manifest.json"]) | manifest).encode()

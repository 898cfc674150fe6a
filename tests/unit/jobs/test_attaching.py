"""Files of staff in the archive, anomalies that staff have accepted, and cases that are approved again."""

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import pytest

from dpobot.archive.inspect import Inspection, inspect
from dpobot.errors import Tripwire, Unavailable
from dpobot.jobs import releasing
from dpobot.model.ids import EventId, Mxc
from dpobot.model.records import Case, EncryptedFile, FileRef
from dpobot.model.words import CaseState
from dpobot.store import alerts, cases, files
from dpobot.store.database import Tx
from dpobot.store.files import Purpose
from tests.unit.jobs.conftest import STAFF, World

SHOP = b"order;price\n1;10\n"
HOSTILE = "../../CON<script>.html"


async def _attach(world: World, case: Case, name: str, data: bytes, number: int = 1) -> Mxc:
    """Let a file of staff lie in the staff room, and attach it."""
    stored: EncryptedFile = world.server.store(data)
    file = FileRef(name, "text/html", stored)
    event_id = EventId(f"$file{number}")

    async def add(tx: Tx) -> None:
        await files.add(
            tx, case.id, event_id, file, author=STAFF, purpose=Purpose.ARCHIVE, posted=True, now=world.server.now
        )

    await world.database.write(add)
    return stored.url


def _archive(world: World) -> dict[str, bytes]:
    newest = [event for event in world.server.timeline if event.content.get("msgtype") == "m.file"][-1]
    with zipfile.ZipFile(io.BytesIO(world.server.media[newest.content["file"]["url"]])) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def _approved_again(world: World, case: Case, accepted: str | None = None) -> None:
    held = await world.read(case)
    options = {**held.options, **({"accepted_anomaly": accepted} if accepted else {})}
    assert await world.database.write(
        lambda tx: cases.update(tx, held, {"state": CaseState.APPROVED, "options": options})
    )
    await world.want(case)


async def test_what_staff_attach_is_in_the_archive(world: World) -> None:
    """Under a harmless name, listed in the manifest as its own category with its SHA-256, and shown on the index."""
    case = await world.export()
    await _attach(world, case, HOSTILE, SHOP)
    await world.work()
    found = _archive(world)
    assert [name for name in found if name.startswith("other/")] == ["other/0001-CON-script.html.txt"]
    assert found["other/0001-CON-script.html.txt"] == SHOP
    manifest = json.loads(found["manifest.json"])
    (held,) = [item for item in manifest["categories"] if item["category"] == "other_systems"]
    assert (held["count"], held["incomplete"]) == (1, {})
    assert manifest["other_systems"][0]["sha256"] == hashlib.sha256(SHOP).hexdigest()
    page = found["index.html"].decode()
    assert 'href="other/0001-CON-script.html.txt"' in page
    assert "<script>" not in page
    sent = await world.database.read(lambda tx: files.of_case(tx, case.id, Purpose.ARCHIVE))
    assert [file.sent_at is not None for file in sent] == [True]


async def test_without_attachments_nothing_is_claimed_of_other_systems(world: World) -> None:
    """Nobody has looked there: the archive doesn't say that nothing is held."""
    await world.export()
    await world.work()
    manifest = json.loads(_archive(world)["manifest.json"])
    assert [item["category"] for item in manifest["categories"] if "other" in item["category"]] == []
    assert manifest["other_systems"] == []


async def test_a_download_that_broke_off_is_resumed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first file is not fetched again, the second one is, and both are in the archive once."""
    case = await world.export()
    await _attach(world, case, "a.csv", SHOP)
    await _attach(world, case, "b.csv", b"second", 2)
    real, fetched = world.parts.matrix.download_encrypted, list[str]()

    async def download(file: EncryptedFile, *args: Any, **more: Any) -> None:
        fetched.append(file.url)
        if len(fetched) == 2:
            raise Unavailable("connection")
        await real(file, *args, **more)

    monkeypatch.setattr(world.parts.matrix, "download_encrypted", download)
    await world.work()
    await world.work(minutes=1)
    assert [fetched.count(url) for url in dict.fromkeys(fetched)] == [1, 2]
    assert [name for name in _archive(world) if name.startswith("other/")] == [
        "other/0001-a.csv",
        "other/0002-b.csv",
    ]


async def test_what_is_attached_late_is_in_it_too(world: World) -> None:
    """While an archive waits to leave, staff add a file: it is made anew."""
    await world.pause_deliveries()
    case = await world.export()
    await world.work()
    await _attach(world, case, "late.csv", SHOP)
    await world.resume_deliveries()
    await world.work(minutes=1)
    await world.work(minutes=1)
    assert len(world.files()) == 1
    assert [name for name in _archive(world) if name.startswith("other/")] == ["other/0001-late.csv"]
    assert (await world.read(case)).state is CaseState.DELIVERED


async def test_an_attachment_that_is_gone_holds_the_package(world: World) -> None:
    """Staff decide whether it goes without; then the manifest says what is missing and why."""
    case = await world.export()
    url = await _attach(world, case, "shop.csv", SHOP)
    del world.server.media[url]
    await world.work()
    held = await world.read(case)
    assert held.state is CaseState.HELD
    (alert,) = await world.database.read(alerts.list_open)
    assert alert.code == "anomaly_attachment_missing"
    await _approved_again(world, held, alert.code)
    await world.work()
    manifest = json.loads(_archive(world)["manifest.json"])
    assert manifest["other_systems"][0]["missing"] == "gone"
    (category,) = [item for item in manifest["categories"] if item["category"] == "other_systems"]
    assert (category["count"], category["incomplete"]) == (0, {"gone": 1})


def _odd(*anomalies: str) -> Any:
    def look(*args: Any) -> Inspection:
        return replace(inspect(*args), anomalies=anomalies)

    return look


async def test_an_accepted_anomaly_passes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held, approved, delivered; the person hears of each, and the alert is closed."""
    monkeypatch.setattr(releasing, "inspect", _odd("ratio"))
    case = await world.export()
    await world.work()
    assert (await world.read(case)).state is CaseState.HELD
    first = sorted(path.name for path in world.parts.spool.iterdir())
    await _approved_again(world, case, "anomaly_ratio")
    await world.work()
    assert (await world.read(case)).state is CaseState.DELIVERED
    assert (len(world.files()), first, list(world.parts.spool.iterdir())) == (1, ["1"], [])
    await world.remind()
    assert await world.database.read(alerts.list_open) == []


async def test_exactly_the_accepted_anomaly_passes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one, or one more, holds the package again, and that is told again."""
    case = await world.export()
    monkeypatch.setattr(releasing, "inspect", _odd("ratio"))
    await world.work()
    monkeypatch.setattr(releasing, "inspect", _odd("large_event", "ratio"))
    await _approved_again(world, case, "anomaly_ratio")
    await world.work()
    assert (await world.read(case)).state is CaseState.HELD
    codes = [alert.code for alert in await world.database.read(alerts.list_open)]
    assert codes == ["anomaly_ratio", "anomaly_large_event.ratio"]
    assert sum("a safeguard found something unusual" in text for text in world.said()) == 2
    assert world.files() == []


async def test_somebody_elses_data_never_pass(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever staff have accepted: a tripwire holds."""

    def trip(*args: Any) -> Inspection:
        raise Tripwire("foreign_sender")

    monkeypatch.setattr(releasing, "inspect", trip)
    case = await world.export(options={"accepted_anomaly": "foreign_sender"})
    await world.work()
    assert (await world.read(case)).state is CaseState.HELD
    await _approved_again(world, case, "anomaly_foreign_sender")
    await world.work()
    assert ((await world.read(case)).state, world.files()) == (CaseState.HELD, [])

"""Somebody else's data never leaves: it is noticed when collected, and again in the finished package."""

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dpobot.archive.facts import Package
from dpobot.archive.inspect import inspect
from dpobot.archive.package import package
from dpobot.jobs import collecting, releasing
from tests.flow.conftest import ANNA, BERT
from tests.flow.planted import BODY
from tests.flow.stage import Stage

Change = Callable[[Path], None]


async def _held(stage: Stage, code: str) -> None:
    """Ask, and see the package held: staff are called, Anna hears so in general words, nothing left the machine."""
    room_id = await stage.meet(ANNA)
    said = await stage.ask(room_id, ANNA, "export")
    assert "a safeguard found something unusual" in said[-1]
    assert [word for word in ("foreign", "somebody else", code, BODY, "bert") if word in said[-1].lower()] == []
    assert await stage.states() == ["held"]
    assert [(alert["code"], alert["closed_at"]) for alert in await stage.rows("alert")] == [(code, None)]
    assert (stage.server.media, stage.files(room_id)) == ({}, [])
    await stage.pass_time(days=1)
    assert stage.files(room_id) == []
    (answer,) = await stage.ask(room_id, ANNA, "status")
    assert "DPO-" in answer


def _mixed_room(stage: Stage) -> None:
    room = stage.room("books", ANNA, "one")
    stage.homeserver.set_membership(room, BERT, "join")
    stage.homeserver.say(room, BERT, f"{BODY} of Bert")


async def test_a_foreign_event_is_noticed_when_collected(stage: Stage) -> None:
    """The homeserver's answer holds more than was asked for."""
    _mixed_room(stage)
    stage.homeserver.leaks = True
    await _held(stage, "foreign_sender")


async def test_a_filter_that_fails_is_noticed_by_the_adapter(stage: Stage) -> None:
    """The server ignores the filter: the adapter's own look is enough."""
    _mixed_room(stage)
    stage.homeserver.broken_filter = True
    await _held(stage, "foreign_sender")


async def test_the_finished_package_is_read_by_other_code(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look fails, too: the second one, at the finished ZIP, holds the package."""
    _mixed_room(stage)
    stage.homeserver.leaks = True
    monkeypatch.setattr(collecting, "own_event", lambda event, person, room_id: dict(event))
    await _held(stage, "foreign_sender")


def _another_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


def _another_file(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("note.txt", "not in the manifest")


def _no_zip(path: Path) -> None:
    path.write_bytes(b"nothing of the kind")


@pytest.mark.parametrize(
    ("change", "code"), [(_another_byte, None), (_another_file, "unlisted"), (_no_zip, "unreadable")]
)
async def test_a_package_that_was_changed_is_held(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, change: Change, code: str | None
) -> None:
    """Between packing and reading back somebody touched the file."""

    def touched(*args: Any) -> Package:
        done = package(*args)
        change(done.volumes[0].path)
        return done

    monkeypatch.setattr(releasing, "package", touched)
    room_id = await stage.meet(ANNA)
    said = await stage.ask(room_id, ANNA, "export")
    assert "a safeguard found something unusual" in said[-1]
    assert await stage.states() == ["held"]
    (alert,) = await stage.rows("alert")
    assert code is None or alert["code"] == code
    assert (stage.server.media, stage.files(room_id)) == ({}, [])


async def test_a_held_package_can_be_taken_back(stage: Stage) -> None:
    """A held case can be taken back, and then leaves nothing."""
    _mixed_room(stage)
    stage.homeserver.leaks = True
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, "export")
    (answer,) = await stage.ask(room_id, ANNA, "cancel")
    assert "taken back" in answer
    assert await stage.states() == ["withdrawn"]
    assert stage.spooled() == []


async def test_an_unusual_package_is_held(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the reading finds odd, somebody must look at."""
    _mixed_room(stage)
    monkeypatch.setattr(releasing, "inspect", lambda *read: replace(inspect(*read), anomalies=("ratio",)))
    await _held(stage, "anomaly_ratio")


async def test_a_package_that_holds_less_than_was_collected_is_held(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive that lost events on the way is not passed off as whole."""
    _mixed_room(stage)
    monkeypatch.setattr(releasing, "inspect", lambda *read: replace(inspect(*read), events=0))
    await _held(stage, "other_count")

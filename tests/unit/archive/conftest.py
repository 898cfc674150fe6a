"""A spool with a bit of everything, and the real renderer."""

import json
import random
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dpobot.archive.facts import Package, PackageFacts
from dpobot.archive.package import package
from dpobot.archive.spool import Medium, Room, Spool
from dpobot.config import OperatorConfig
from dpobot.model.ids import Reference, UserId
from dpobot.text.render import Renderer, templates_folder

ALICE = UserId("@alice:example.org")
BOB = UserId("@bob:example.org")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000154a24f5d0000000049454e44ae426082"
)

Make = Callable[..., Package]
RECIPIENTS: dict[str, Any] = {
    "servers": [
        {"server": "example.org", "own": True, "rooms": 2, "events": 6, "first": 1, "last": 2, "later": False},
        {
            "server": "other.example",
            "own": False,
            "rooms": 1,
            "events": 5,
            "first": 1_790_000_000_000,
            "last": 1_790_010_000_000,
            "later": False,
        },
    ],
    "services": [
        {"user_id": "@irc:other.example", "kind": "bridge", "network": "IRC", "rooms": 1, "first": None, "last": None}
    ],
    "push": [{"host": "push.example.org", "app": "im.example", "devices": 1}],
    "identity": [{"host": "identity.example"}],
    "incomplete": {"M_FORBIDDEN": 1},
    "rooms": 2,
    "events": 6,
}


def facts(**changes: Any) -> PackageFacts:
    operator = OperatorConfig(
        name="Example & Sons",
        service="example.org",
        dpo_email="dpo@example.org",
        security_email="security@example.org",
        postal_address="1 Example Street",
        authority="ICO",
        authority_url="https://ico.org.uk",
    )
    values: dict[str, Any] = {
        "reference": Reference("DPO-2026-0042"),
        "person": ALICE,
        "operator": operator,
        "created_at": datetime(2026, 11, 22, 12, tzinfo=UTC),
        "notice_version": "2026-01",
    }
    return PackageFacts(**(values | changes))


def message(number: int, room_id: str = "!a:example.org", **changes: Any) -> dict[str, Any]:
    event = {
        "type": "m.room.message",
        "event_id": f"${number}",
        "room_id": room_id,
        "sender": ALICE,
        "origin_server_ts": 1_790_000_000_000 + number * 3_600_000,
        "content": {"msgtype": "m.text", "body": f"message {number}"},
    }
    return event | changes


def noise(number: int, size: int) -> str:
    """Text that does not compress to less than about three quarters."""
    return "".join(
        random.Random(number).choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=size)
    )


async def blocks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 65_536):
        yield data[start : start + 65_536]


def medium(number: int, name: str | None, media_type: str, missing: str | None = None) -> Medium:
    return Medium(
        number, f"mxc://example.org/{number}", media_type, 0, name, "2026-01-02T03:04:05+00:00", None, missing
    )


def entries(result: Package) -> Iterator[tuple[int, str, bytes]]:
    """Every file of every volume."""
    for volume in result.volumes:
        with zipfile.ZipFile(volume.path) as archive:
            for name in archive.namelist():
                yield volume.number, name, archive.read(name)


def entry(result: Package, name: str) -> bytes:
    return next(data for _, found, data in entries(result) if found == name)


def events_of(result: Package) -> list[dict[str, Any]]:
    return [
        json.loads(line) for _, name, data in entries(result) if name.endswith(".jsonl") for line in data.splitlines()
    ]


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer(templates_folder(), {})


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.fixture
def make(spool: Spool, tmp_path: Path, renderer: Renderer) -> Make:
    def run(volume_bytes: int = 90_000_000, folder: str = "out", **changes: Any) -> Package:
        return package(spool, tmp_path / folder, facts(**changes), volume_bytes, renderer)

    return run


@pytest.fixture
async def rich(spool: Spool) -> Spool:
    """A room of each sort, account data, media that are there and one that is gone."""
    spool.account(
        "devices", [{"device_id": "A", "last_seen_ts": 1_790_000_000_000}, {"device_id": "B", "x": {"y": [1]}}]
    )
    spool.account("pushers", [])
    spool.account("account", [{"user_id": ALICE, "admin": False, "threepids": []}])
    spool.account("delayed_events", [], missing="not_offered")
    spool.account("receipts", [{"room": "!a"}], truncated=True)
    spool.rooms(
        [
            Room(1, "!a:example.org", "../Kitchen <b>", "join", False),
            Room(2, "!b:example.org", None, "forgotten", True),
            Room(3, "!c:example.org", "empty", "invite", None),
            Room(4, "!d:example.org", "broken", "leave", None, "M_FORBIDDEN"),
        ]
    )
    image = {"msgtype": "m.image", "body": "cat.png", "url": "mxc://example.org/1"}
    spool.append(
        1,
        0,
        [
            message(1),
            message(2, content=image),
            message(3, type="m.reaction", content={"m.relates_to": {"event_id": "$1", "key": "🎉"}}),
            message(4, content={}, unsigned={"redacted_because": {"event_id": "$r", "type": "m.room.redaction"}}),
            message(5, type="m.room.member", state_key=ALICE, content={"membership": "join", "displayname": "Alice"}),
        ],
    )
    spool.append(2, 0, [message(6, "!b:example.org", type="m.room.encrypted", content={"algorithm": "m.megolm.v1"})])
    offset = 0
    for item, data in (
        (medium(1, "cat.png", "image/png"), PIXEL),
        (medium(2, "../../evil.svg", "image/svg+xml"), b"<svg onload=alert(1)>"),
        (medium(3, "gone.jpg", "image/jpeg", "gone"), None),
    ):
        appended, _ = await spool.medium(item, offset, None if data is None else blocks(data))
        offset = appended.offset
    spool.keep("recipients", RECIPIENTS)
    return spool

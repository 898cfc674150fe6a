"""An archive with encrypted rooms, packed by the real code, and what its author knows of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dpobot.archive.package import package
from dpobot.archive.spool import Medium, Room, Spool
from dpobot.text.render import Renderer, templates_folder
from tests.author import Author, seal_file
from tests.unit.archive.conftest import facts, message

KITCHEN, CELLAR = "!kitchen:example.org", "!cellar:example.org"
PASSPHRASE = "über the hill 🔑"
PICTURE = b"\x89PNG what was seen" * 20_000


@dataclass
class Home:
    """An archive on disk: its volumes, who wrote it, and what was said, by event ID."""

    author: Author
    volumes: list[Path] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)


async def blocks(data: bytes) -> AsyncIterator[bytes]:
    yield data


def write(home: Home) -> dict[str, list[dict[str, Any]]]:
    """Two encrypted rooms: one with three sessions, an edit, a picture; one with a single message."""
    author = home.author
    rooms: dict[str, list[dict[str, Any]]] = {KITCHEN: [], CELLAR: []}
    for number in range(30):
        if number % 10 == 0:
            author.turn(KITCHEN)
        event = author.write(KITCHEN, f"words {number} ☕")
        home.said[event["event_id"]] = f"words {number} ☕"
        rooms[KITCHEN].append(event)
    edited = {"rel_type": "m.replace", "event_id": "$sealed1"}
    rooms[KITCHEN].append(
        author.write(KITCHEN, "* better", **{"m.new_content": {"body": "better"}, "m.relates_to": edited})
    )
    home.said[rooms[KITCHEN][-1]["event_id"]] = "* better"
    rooms[CELLAR].append(author.write(CELLAR, "down here"))
    home.said[rooms[CELLAR][-1]["event_id"]] = "down here"
    return rooms


@pytest.fixture(scope="session")
async def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Made of a spool by `package`; with secret storage, key backup, one encrypted picture. Only to be read."""
    tmp_path = tmp_path_factory.mktemp("home")
    made = Home(Author())
    rooms = write(made)
    sealed = seal_file(PICTURE, "mxc://example.org/1")
    info = {"mimetype": "image/png", "size": len(PICTURE)}
    picture = {"msgtype": "m.image", "body": "../../kitchen.png", "info": info, "file": sealed.file}
    rooms[KITCHEN].append(made.author.seal(KITCHEN, picture))
    made.said[rooms[KITCHEN][-1]["event_id"]] = "../../kitchen.png"
    rooms[KITCHEN].append(message(99, KITCHEN))
    spool = Spool(tmp_path / "spool")
    spool.rooms([Room(1, KITCHEN, "Kitchen", "join", True), Room(2, CELLAR, "../cellar", "leave", True)])
    for number, room_id in enumerate((KITCHEN, CELLAR), 1):
        spool.append(number, 0, rooms[room_id])
    spool.account("account_data", made.author.account_data())
    spool.account("key_backup", made.author.key_backup())
    stored = Medium(1, "mxc://example.org/1", "application/octet-stream", 0, None, None, None, None)
    await spool.medium(stored, 0, blocks(sealed.ciphertext))
    packed = package(spool, tmp_path / "out", facts(), 2_000_000, Renderer(templates_folder(), {}))
    made.volumes = [volume.path for volume in packed.volumes]
    return made

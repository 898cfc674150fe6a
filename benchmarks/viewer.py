"""A large archive in a browser, from the disk: until index.html can be used, something is found, all is decrypted.

An archive of 100,000 messages that the server could read and 20,000 that it could not (Megolm, made with vodozemac, a
new session every 100 messages, all of them in a key backup) is packed by the real code; headless Chromium opens it.

    python -m benchmarks.viewer [--messages 100000] [--encrypted 20000] [--rounds 3]
"""

import argparse
import asyncio
import statistics
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright, expect

from benchmarks.archive_memory import OPERATOR, PERSON
from benchmarks.measure import Figures, report
from dpobot.archive import viewer
from dpobot.archive.facts import Package, PackageFacts, Pages
from dpobot.archive.package import package
from dpobot.archive.spool import Room, Spool
from dpobot.model.ids import Reference
from dpobot.text.render import Renderer, templates_folder
from tests.author import Author
from tests.browser import reading, visitor

VOLUME = 90_000_000
ROOMS = 20  # with plain messages; the encrypted ones lie in two more
SECRET_ROOMS = 2
TURN = 100  # messages of a session, as clients do
WAIT = 60_000  # milliseconds
NOON = 1_700_000_000_000
WORDS = ("quick", "brown", "fox", "said", "lazy", "dog", "would", "never", "jump", "over", "fence", "evening", "café")
READY = "() => !document.getElementById('v-viewer').hidden"


def words(number: int) -> str:
    """Return some 50 characters, with a number that no other message has."""
    return " ".join(WORDS[number * step % len(WORDS)] for step in range(1, 10)) + f" number{number}"


def plain(room: Room, first: int, count: int) -> Iterator[dict[str, Any]]:
    for number in range(first, first + count):
        yield {
            "type": "m.room.message",
            "event_id": f"$plain{number:040d}",
            "room_id": room.room_id,
            "sender": PERSON,
            "origin_server_ts": NOON + number * 60_000,
            "content": {"msgtype": "m.text", "body": words(number)},
        }


def encrypted(author: Author, room: Room, count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        if number % TURN == 0:
            author.turn(room.room_id)
        yield author.write(room.room_id, f"secret {words(author.written)}")


def pack(folder: Path, author: Author, messages: int, sealed: int) -> Package:
    """Fill a spool and pack it."""
    spool = Spool(folder / "spool")
    rooms = [
        Room(number, f"!room{number}:example.org", f"Room {number}", "join", False) for number in range(1, ROOMS + 1)
    ]
    secret = range(ROOMS + 1, ROOMS + SECRET_ROOMS + 1)
    rooms += [Room(number, f"!room{number}:example.org", f"Room {number}", "join", True) for number in secret]
    spool.rooms(rooms)
    share = messages // ROOMS
    for at, room in enumerate(rooms):
        made = plain(room, at * share, share) if at < ROOMS else encrypted(author, room, sealed // SECRET_ROOMS)
        spool.append(room.number, 0, made)
    spool.account("account_data", author.account_data())
    spool.account("key_backup", author.key_backup())
    facts = PackageFacts(Reference("DPO-2026-0001"), PERSON, OPERATOR, datetime(2026, 1, 1, tzinfo=UTC), "1")
    return package(spool, folder / "out", facts, VOLUME, Renderer(templates_folder(), {}))


def unpack(made: Package, folder: Path) -> Path:
    """Unpack all volumes beside each other; return the index.html of the first."""
    for volume in made.volumes:
        with zipfile.ZipFile(volume.path) as held:
            held.extractall(folder / volume.path.stem)
    return folder / made.volumes[0].path.stem / "index.html"


def sizes(made: Package, pages: Pages) -> Figures:
    """Return bytes as they lie in the first volume: what the program and its data cost."""
    panel = viewer.Viewer(pages)
    text = pages.page("archive/viewer.html", "en", viewer=panel.values({}))
    with zipfile.ZipFile(made.volumes[0].path) as held:
        data = sum(entry.compress_size for entry in held.infolist() if entry.filename.startswith("viewer/"))
    program = deflated(text + panel.style)
    whole = made.volumes[0].size
    return {
        "program_kb": round(deflated(panel.program) / 1000, 1),
        "with_panel_kb": round(program / 1000, 1),
        "data_kb": round(data / 1000, 1),
        "volume_kb": round(whole / 1000, 1),
        "volume_without_kb": round((whole - program - data) / 1000, 1),
        "volumes": len(made.volumes),
    }


def deflated(text: str) -> int:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return len(packer.compress(text.encode()) + packer.flush())


async def visit(browser: Browser, index: Path, author: Author, messages: int) -> Figures:
    """Open the archive once, in a browser without anything in its caches, and measure what a person waits for."""
    context = await browser.new_context()
    await context.set_offline(True)
    page = await context.new_page()
    began = time.monotonic()
    await page.goto(index.as_uri())
    await page.wait_for_function(READY)
    usable = time.monotonic() - began
    first = await found(page, f"number{messages // 2}")
    again = await found(page, f"number{messages // 3}")
    began = time.monotonic()
    said = await reading.open_with_key(page, author.recovery_key)
    opened = time.monotonic() - began
    if said != f"{author.written:,} of {author.written:,} encrypted messages opened.":
        raise RuntimeError(f"not everything was opened: {said}")
    secret = await found(page, f"secret number{author.written - 1}")
    heap = await page.evaluate("() => performance.memory.usedJSHeapSize")
    await context.close()
    return {
        "usable_s": round(usable, 2),
        "first_result_s": round(first, 2),
        "next_result_s": round(again, 2),
        "decrypted_s": round(opened, 2),
        "result_in_decrypted_s": round(secret, 2),
        "heap_mb": round(heap / 1e6),
    }


async def found(page: Page, query: str) -> float:
    """Search for what one message has; return the seconds until it is shown."""
    began = time.monotonic()
    await page.fill("#v-query", query)
    await page.press("#v-query", "Enter")
    await expect(page.locator("#v-results mark").last).to_have_text(query.split()[-1], timeout=WAIT)
    return time.monotonic() - began


async def measure(made: Package, folder: Path, author: Author, messages: int, rounds: int) -> list[Figures]:
    """Visit the archive some times; return the figures of each visit."""
    index = unpack(made, folder / "unpacked")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=visitor.find(), args=["--enable-precise-memory-info"]
        )
        try:
            return [await visit(browser, index, author, messages) for _ in range(rounds)]
        finally:
            await browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--encrypted", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    if visitor.find() is None:
        raise SystemExit(visitor.CURE)
    author = Author()
    with tempfile.TemporaryDirectory(prefix="dpobot-benchmark-") as made:
        folder = Path(made)
        packed = pack(folder, author, asked.messages, asked.encrypted)
        size = sizes(packed, Renderer(templates_folder(), {}))
        visits = asyncio.run(measure(packed, folder, author, asked.messages, asked.rounds))
    median = {name: statistics.median(visit[name] for visit in visits) for name in visits[0]}
    rows = {f"visit {number}": figures for number, figures in enumerate(visits, 1)}
    goals = {
        "index.html can be used within 3 s": median["usable_s"] <= 3,
        f"{asked.encrypted:,} messages decrypted within 3 s": median["decrypted_s"] <= 3,
        "the program with its panel takes at most 100 kB of a volume": size["with_panel_kb"] <= 100,
    }
    report("viewer", {**rows, "median": median}, goals)
    report("viewer, sizes", {"first volume": size})


if __name__ == "__main__":
    main()

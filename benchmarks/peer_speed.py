"""How long Synapse's own ``export-data`` takes for the same account on the same homeserver: the whole run.

python -m benchmarks.peer_speed [--folder FOLDER] [--person NAME]...
"""

import argparse
import asyncio
import shutil
import tempfile
from pathlib import Path

from benchmarks.admin_api_speed import DEFAULT
from benchmarks.measure import Cost, Figures, report, run_measured
from benchmarks.seed import seeded
from benchmarks.world import Person, copy_of
from dpobot.demo.synapse import Synapse
from tests.live.peer import command, read_peer


async def measure(synapse: Synapse, person: Person, folder: Path) -> tuple[Cost, Figures]:
    """Run ``export-data`` beside the running server; return its cost and figures. ``folder`` is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    wanted = command(synapse, person.credentials.user_id, folder)
    cost = await asyncio.to_thread(run_measured, wanted, synapse.folder)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    own, written = await asyncio.to_thread(_count, folder, person.credentials.user_id)
    return cost, {"own_events": own, "events_written": written, "output_mb": round(size / 1e6, 1), **cost.figures()}


def _count(folder: Path, user: str) -> tuple[int, int]:
    found = read_peer(folder)
    return len(found.own(user)), sum(len(events) for events in found.events_by_room.values())


async def _main(folder: Path, names: list[str]) -> None:
    await seeded(folder)
    rows = {}
    with tempfile.TemporaryDirectory(prefix="dpobot-benchmark-") as work:
        synapse, world = copy_of(folder, Path(work) / "synapse")
        await synapse.start()
        try:
            for name in names:
                _, rows[f"export-data, {name}"] = await measure(synapse, world.people[name], Path(work) / "out")
        finally:
            await synapse.stop()
    report("peer_speed", rows)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="The whole run of export-data")
    parser.add_argument("--folder", type=Path, default=DEFAULT, help="seeded homeserver; made if missing")
    parser.add_argument("--person", action="append", help="small, main or large; default: main")
    given = parser.parse_args()
    asyncio.run(_main(given.folder, given.person or ["main"]))


if __name__ == "__main__":
    main()

"""Offline seeding makes rooms like any other: the benchmarks stand on it."""

from pathlib import Path

import pytest

from benchmarks.seed import seed, verify
from benchmarks.world import Load, reopen

pytestmark = pytest.mark.live


def test_a_load_is_split_without_loss() -> None:
    """Half of the events go to the first room, nothing is lost in rounding."""
    assert Load("someone", own=21, total=103, rooms=4).split() == [(12, 52), (3, 17), (3, 17), (3, 17)]


async def test_a_bulk_seeded_server_counts_right_and_stays_usable(tmp_path: Path) -> None:
    """The admin API gives exactly the seeded events, a template and a new one for each room; new messages come last."""
    load = Load("bulk", own=40, total=100, rooms=2, senders=3)
    await seed(tmp_path / "synapse", [load])
    synapse, world = reopen(tmp_path / "synapse")
    await synapse.start()
    try:
        assert await verify(synapse, world) == {"bulk": (40 + 2 * 2, 100 + 2 * (3 + 1))}
    finally:
        await synapse.stop()

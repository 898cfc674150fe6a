"""An encrypted upload beside a plain one: the same file, the same homeserver, in turn, as streams.

python -m benchmarks.upload [--megabytes 90] [--rounds 9]
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from benchmarks.measure import Figures, report
from dpobot.demo.synapse import Credentials, Synapse
from dpobot.matrix.session import Session
from dpobot.model.ids import UserId

_BLOCK = 1024 * 1024  # as the encrypted upload does


async def blocks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


async def plain(synapse: Synapse, account: Credentials, path: Path) -> None:
    """Upload a file as it is, in blocks of the same size."""
    headers = {
        "Authorization": f"Bearer {account.access_token}",
        "Content-Type": "application/octet-stream",
        "Content-Length": str(path.stat().st_size),
    }
    address = f"{synapse.url}/_matrix/media/v3/upload"
    async with aiohttp.ClientSession() as http, http.post(address, data=blocks(path), headers=headers) as answer:
        if answer.status != 200:
            raise RuntimeError(f"the plain upload was refused: {answer.status}")


async def compare(megabytes: int, rounds: int) -> None:
    """Upload in turn, plain and encrypted, and print megabytes a second and the ratio pair by pair."""
    with tempfile.TemporaryDirectory(prefix="dpobot-benchmark-") as made:
        folder = Path(made)
        path = folder / "volume.zip"
        path.write_bytes(os.urandom(megabytes * 1_000_000))
        synapse = Synapse(folder / "synapse", extra={"max_upload_size": f"{megabytes + 10}M"})
        await synapse.start()
        try:
            account = await synapse.register("uploader")
            session = await Session.open(
                homeserver_url=synapse.url,
                user_id=UserId(account.user_id),
                password=lambda: account.password,
                device_name="benchmark",
                folder=folder / "matrix",
            )
            try:
                pairs = [await pair(synapse, account, session, path, turn % 2) for turn in range(rounds + 1)]
            finally:
                await session.close()
        finally:
            await synapse.stop()
    pairs = pairs[1:]  # the first one warms up
    ratios = [plain_seconds / sealed_seconds for plain_seconds, sealed_seconds in pairs]
    rows: dict[str, Figures] = {
        name: {
            "megabytes": megabytes,
            "rounds": rounds,
            "wall_s": round(statistics.median(seconds), 3),
            "mb_per_s": round(megabytes / statistics.median(seconds), 1),
        }
        for name, seconds in (("plain", [first for first, _ in pairs]), ("encrypted", [second for _, second in pairs]))
    }
    share = statistics.median(ratios)
    report(
        "upload",
        rows,
        {
            f"encrypted at least 90 % of plain (median {share:.0%}, {min(ratios):.0%} to {max(ratios):.0%})": share
            >= 0.9
        },
    )


async def pair(
    synapse: Synapse, account: Credentials, session: Session, path: Path, turned: int
) -> tuple[float, float]:
    """Return the seconds of a plain and of an encrypted upload; ``turned``: the encrypted one goes first."""
    uploads = [lambda: plain(synapse, account, path), lambda: session.upload_encrypted(path, "application/zip")]
    seconds = [0.0, 0.0]
    for number in (1, 0) if turned else (0, 1):
        os.sync()  # what was written before must not weigh on who comes next
        began = time.monotonic()
        await uploads[number]()
        seconds[number] = time.monotonic() - began
    return seconds[0], seconds[1]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="An encrypted upload beside a plain one")
    parser.add_argument("--megabytes", type=int, default=90)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    asyncio.run(compare(given.megabytes, given.rounds))


if __name__ == "__main__":
    main()

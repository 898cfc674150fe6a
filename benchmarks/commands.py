"""How soon commands are answered: 20 people at once, then 500 commands live and 500 as a backlog.

Times are the homeserver's own, from the arrival of a question to the arrival of its answer. The 20 clients run in this
process, on the same machine as homeserver and bot.
"""

import asyncio
import logging
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import structlog

from benchmarks.measure import Figures, Watch, report
from dpobot.demo.synapse import Synapse
from tests.live.bot import RunningBot
from tests.live.crowd import Crowd

PEOPLE = 20
TIMES = 25  # commands of each person in a wave
P95_GOAL = 1.0  # seconds
_ROUNDS = 5  # of one command each


async def main() -> None:
    """Run and print."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory(prefix="dpobot-commands-") as name:
        folder = Path(name)
        synapse = Synapse(folder / "synapse")
        await synapse.start()
        try:
            admin = await synapse.register("admin", admin=True)
            # the default of 60 messages a minute would be met by 56: three waves and the rounds before them
            bot = await RunningBot.begin(folder / "bot", synapse, admin)
            try:
                rows = await _waves(synapse, bot, folder)
            finally:
                await bot.stop()
        finally:
            await synapse.stop()
    report("commands", rows, _goals(rows))


async def _waves(synapse: Synapse, bot: RunningBot, folder: Path) -> dict[str, Figures]:
    crowd = await Crowd.gather(synapse, bot, folder, PEOPLE, "person")
    rows = {"one command each, the first": await _wave(crowd, bot, 1)}
    before = len(crowd.people[0].asked)
    for _ in range(_ROUNDS):
        await crowd.ask(1)
        await crowd.hear(60)
    rows[f"one command each, {_ROUNDS} times"] = _figures(crowd, before)
    rows["500 live"] = await _wave(crowd, bot, TIMES)
    await bot.stop()
    before = len(crowd.people[0].asked)
    await crowd.ask(TIMES)
    await bot.start()
    await crowd.hear(300)
    rows["500 backlog"] = _figures(crowd, before)
    await crowd.leave()
    return rows


async def _wave(crowd: Crowd, bot: RunningBot, times: int) -> Figures:
    before = len(crowd.people[0].asked)
    with Watch(bot.pid) as watch:
        await crowd.ask(times)
        await crowd.hear(300)
    return _figures(crowd, before) | {"bot_cpu_s": round(watch.cost.cpu, 2), "bot_peak_rss_mb": round(watch.cost.rss)}


def _figures(crowd: Crowd, since: int) -> Figures:
    faults = crowd.wrong()
    if faults:
        return {"faults": len(faults), "first_fault": faults[0]}
    times = crowd.seconds(since)
    first = min(asker.questions()[since].sent_at for asker in crowd.people)
    last = max(asker.answers()[-1].sent_at for asker in crowd.people)
    wall = (last - first).total_seconds()
    return {
        "commands": len(times),
        "answered_once": len(times),
        "faults": 0,
        "p50_s": round(statistics.median(times), 3),
        "p95_s": round(_p95(times), 3),
        "max_s": round(times[-1], 3),
        "wall_s": round(wall, 2),
        "per_second": round(len(times) / wall, 1),
    }


def _p95(ordered: Sequence[float]) -> float:
    return ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]


def _goals(rows: dict[str, Figures]) -> dict[str, bool]:
    each = f"one command each, {_ROUNDS} times"
    return {
        f"20 people at once: p95 at most {P95_GOAL} s": rows[each].get("p95_s", 99.0) <= P95_GOAL,
        "500 of 500 answered once, live": rows["500 live"].get("answered_once") == PEOPLE * TIMES,
        "500 of 500 answered once, backlog": rows["500 backlog"].get("answered_once") == PEOPLE * TIMES,
    }


if __name__ == "__main__":
    asyncio.run(main())

"""The yardstick: time and peak memory of processes, what machine this is, and how figures are printed."""

import json
import os
import platform
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import psutil

MEGABYTE = 1024 * 1024
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a piece of work took: seconds and mebibytes. ``rss`` is the peak of the process tree."""

    wall: float
    cpu: float
    rss: float

    def figures(self) -> Figures:
        """Return rounded figures with their units in the names."""
        return {"wall_s": round(self.wall, 2), "cpu_s": round(self.cpu, 2), "peak_rss_mb": round(self.rss, 1)}


class Watch:
    """Measures a running process and its children between ``with`` and the end of the block."""

    def __init__(self, pid: int, every: float = 0.05) -> None:
        self._process = psutil.Process(pid)
        self._every = every
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._peak = 0
        self.cost = Cost(0, 0, 0)

    def __enter__(self) -> Self:
        self._began, self._cpu = time.monotonic(), cpu_seconds(self._process)
        self._peak = tree_rss(self._process)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        wall, cpu = time.monotonic() - self._began, cpu_seconds(self._process) - self._cpu
        self.cost = Cost(wall, cpu, max(self._peak, tree_rss(self._process)) / MEGABYTE)

    def _look(self) -> None:
        while not self._end.wait(self._every):
            self._peak = max(self._peak, tree_rss(self._process))


def tree_rss(process: psutil.Process) -> int:
    """Return the resident bytes of a process and its children; 0 if it has ended."""
    try:
        return sum(one.memory_info().rss for one in [process, *process.children(recursive=True)])
    except psutil.NoSuchProcess:
        return 0


def cpu_seconds(process: psutil.Process) -> float:
    """Return the user and system time of a process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def high_water(pid: int) -> float:
    """Return the kernel's own peak of a process's resident memory (VmHWM), MiB; what a sampler may miss."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel tells no VmHWM")


def run_measured(command: Sequence[str], cwd: Path, limit: float = 900.0) -> Cost:
    """Run a command to its end; raises `RuntimeError` if it fails, ends it after ``limit`` seconds."""
    began = time.monotonic()
    with (cwd / "measured.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=cwd)
    timer = threading.Timer(limit, process.kill)
    timer.start()
    _, status, usage = os.wait4(process.pid, 0)
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command[2]} ended with {process.returncode}; see {cwd / 'measured.log'}")
    return Cost(time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def machine() -> Figures:
    """Return what these figures were taken on."""
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "cores": os.cpu_count(),
        "cpu": model[0].split(":", 1)[1].strip() if model else platform.machine(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "synapse": version("matrix-synapse"),
        "database": "SQLite",
    }


def report(name: str, rows: Mapping[str, Figures], goals: Mapping[str, bool] | None = None) -> None:
    """Print the figures as JSON (one line) and as a table, with the goals and whether they were reached."""
    print(json.dumps({"benchmark": name, "machine": machine(), "figures": rows, "goals": goals or {}}))
    keys = list(dict.fromkeys(key for row in rows.values() for key in row))
    table = [["", *keys], *([label, *(_cell(row.get(key)) for key in keys)] for label, row in rows.items())]
    widths = [max(len(line[column]) for line in table) for column in range(len(keys) + 1)]
    for line in table:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
    for goal, reached in (goals or {}).items():
        print(f"{'reached' if reached else 'MISSED':>8}  {goal}")


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:,}" if isinstance(value, int | float) else str(value)

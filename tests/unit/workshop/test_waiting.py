"""What a worker that waits has in memory: measured by benchmarks.workers, kept by what it loads."""

import subprocess
import sys

_HEAVY = ("PIL", "aiohttp", "aiosqlite", "alembic", "jinja2", "nio", "prometheus_client", "pydantic", "reportlab")
_LOADED = f"""
import sys
import dpobot.worker, dpobot.engine.cluster, sqlalchemy.dialects.postgresql.psycopg
print(*sorted(set({_HEAVY!r}) & sys.modules.keys()))
"""


def test_a_waiting_worker_loads_nothing_of_what_jobs_need() -> None:
    """Each of these costs megabytes for as long as the process runs; the first job brings what it needs."""
    loaded = subprocess.run([sys.executable, "-c", _LOADED], check=True, capture_output=True, text=True).stdout
    assert loaded.split() == []

"""Asks the advisory database (OSV) about every version that uv.lock pins; `make audit`.

What is accepted for a while stands in accepted.toml with a reason and a last day. Exits with 0 (nothing known, or
nobody to ask: said in a sentence), 1 (a vulnerability, or an entry there whose day is over) or 2 (it can't be checked).
"""

import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ACCEPTED = Path(__file__).with_name("accepted.toml")
NOBODY = "skipped: no advisory database reachable"
_AWAY = ("error sending request", "request failed", "timed out", "connection")  # how uv says that nobody answers
_FAILED = 2  # of uv: it could not audit


def overdue(accepted: Sequence[Mapping[str, Any]], today: date) -> list[str]:
    """Return what is wrong with the list of what is accepted: a day that is over, a reason that is missing."""
    problems = [f"{each['id']}: accepted until {each['until']} only" for each in accepted if each["until"] < today]
    return problems + [f"{each['id']}: accepted without a reason" for each in accepted if not each.get("reason")]


def ask(folder: Path, accepted: Sequence[Mapping[str, Any]], service: str | None) -> tuple[int, str]:
    """Return the exit status and what there is to say about a folder's uv.lock; ``service``: another database."""
    command = [str(Path(sys.executable).with_name("uv")), "audit", "--frozen", "--preview-features", "audit-command"]
    command += [part for each in accepted for part in ("--ignore", str(each["id"]))]
    if service is not None:
        command += ["--service-url", service]
    environment = os.environ | {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "8", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    said = f"{done.stdout}{done.stderr}".strip()
    if done.returncode == _FAILED and any(word in said.lower() for word in _AWAY):
        return 0, NOBODY
    return done.returncode, said


def main() -> int:
    """Audit this project."""
    accepted = tomllib.loads(ACCEPTED.read_text("utf-8")).get("accepted", [])
    problems = overdue(accepted, datetime.now(UTC).date())
    status, said = ask(ROOT, accepted, os.environ.get("DPOBOT_ADVISORIES"))
    print("\n".join([*problems, said]))
    return status or int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())

"""`dpobot import`: what it reads, what it says, and how it ends."""

import argparse
import getpass
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dpobot.config import secret
from dpobot.moving import parcel
from dpobot.moving.carrying import Carrying, report
from dpobot.moving.item import SECTIONS, Verdict
from dpobot.moving.journal import Journal
from dpobot.moving.line import PATIENCE_SECONDS
from dpobot.moving.line import Line as Connection
from dpobot.moving.opening import Opened, opened
from dpobot.moving.plan import STAYS, Line, foreseen, items
from dpobot.moving.present import look
from dpobot.moving.signing import discover, signed_in
from dpobot.moving.stopped import ImportStopped

DESCRIPTION = (
    "Brings what an archive holds of an account (Art. 20 GDPR) to an account on another homeserver: profile, rooms,"
    " direct messages, ignore list, tags, notification rules, settings. What the new account has already stays. A run"
    " that was stopped goes on where it stopped if the same command is given again. Exits with 0, or with 1 if"
    " something failed. docs/portable.md says what arrives where."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of the command."""
    parser.add_argument(
        "archive", nargs="+", type=Path, metavar="ARCHIVE", help="volumes, the unpacked folder, or its portable.json"
    )
    parser.add_argument("--user", required=True, metavar="@USER:SERVER", help="the new account")
    parser.add_argument(
        "--homeserver", metavar="URL", help="its homeserver (default: as the server name's well-known says)"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--password-file", type=Path, metavar="FILE", help="its password (default: asked for)")
    how.add_argument("--token-file", type=Path, metavar="FILE", help="an access token of a session that stays")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
    parser.add_argument("--only", type=_sections, default=(), metavar="SECTIONS", help=f"some of: {','.join(SECTIONS)}")
    parser.add_argument("--direct", action="store_true", help="begin direct messages anew: the others are invited")
    parser.add_argument("--state", type=Path, metavar="FILE", help="the state file (default: beside the archive)")
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE_SECONDS,
        metavar="SECONDS",
        help=f"how long one request may wait for a homeserver that asks to (default: {PATIENCE_SECONDS:.0f})",
    )
    parser.add_argument("--json", action="store_true", help="the report for machines: a list of items")


async def run(given: argparse.Namespace) -> int:
    """Import; return 0, or 1 if something failed. Raises `ImportStopped`, `ConfigurationError`."""
    if not given.user.startswith("@") or ":" not in given.user:
        raise ImportStopped("--user is no user ID", "write it whole: @name:server")
    found = opened(given.archive)
    url = await discover(given.user, given.homeserver)
    password, token = _secrets(given)
    header = {"bundle": found.digest, "user": given.user, "homeserver": url}
    with _journal(given, header) as journal:
        async with (
            Connection(url, _say, patience=given.patience) as line,
            signed_in(line, given.user, password, token),
        ):
            lines = await _moved(line, found, journal, given)
    _tell(lines, found, given)
    return int(any(each.standing.verdict is Verdict.FAILED for each in lines))


def _secrets(given: argparse.Namespace) -> tuple[str | None, str | None]:
    """Return password and token; one of them is None."""
    if given.token_file is not None:
        return None, secret(given.token_file)
    if given.password_file is not None:
        return secret(given.password_file), None
    if not sys.stdin.isatty():
        raise ImportStopped("no password", "name a file with it: --password-file FILE (mode 0600)")
    return getpass.getpass(f"password of {given.user}: "), None


def _journal(given: argparse.Namespace, header: dict[str, str]) -> Journal:
    return Journal(given.state or state_file(given.archive[0], given.user), header, keep=not given.dry_run)


def state_file(archive: Path, user: str) -> Path:
    """Return where the state lies unless named: beside the archive, one for each account."""
    name = "".join(character if character.isalnum() else "-" for character in user[1:])
    archive = archive.resolve()
    return archive.with_name(f"{archive.name}.import-{name}.jsonl")


async def _moved(line: Connection, found: Opened, journal: Journal, given: argparse.Namespace) -> list[Line]:
    present = await look(line, given.user)
    moving = items(found.parcel, given.only, anew=given.direct)
    if given.dry_run:
        return foreseen(moving, present, frozenset(journal.done))
    return await Carrying(line, present, journal, found.picture, _say).all(moving)


def _tell(lines: Sequence[Line], found: Opened, given: argparse.Namespace) -> None:
    if given.json:
        print(json.dumps([_machine(line) for line in lines], indent=1))
        return
    for text in report(lines):
        print(text)
    for text in _notes(found, dry=given.dry_run):
        print(text)


def _machine(line: Line) -> dict[str, Any]:
    return {
        "item": line.item.key,
        "section": line.item.section,
        "label": line.item.label,
        "verdict": line.standing.verdict.value,
        "why": line.standing.why,
    }


def _notes(found: Opened, *, dry: bool) -> Iterator[str]:
    """Yield what does not come along, and why."""
    left = sum(room.membership != "join" for room in found.parcel.rooms)
    if left:
        yield f"{left} rooms that you had left are not joined."
    if found.parcel.missing:
        yield f"The archive could not hold: {', '.join(parcel.shown(name) for name in sorted(found.parcel.missing))}."
    yield from STAYS
    if dry:
        yield "This was a dry run: nothing was changed."


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _sections(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if unknown := [name for name in names if name not in SECTIONS]:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    return names

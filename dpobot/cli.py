"""The command line: parses, calls, and turns errors into sentences and exit statuses."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, tzinfo
from importlib.metadata import version
from pathlib import Path

from dpobot import app, exits, log, memory, recovery, rotation, worker
from dpobot.audit import access, chain
from dpobot.cases import access_log, holidays, identity, register
from dpobot.check import checks, report
from dpobot.check.place import place
from dpobot.clock import SystemClock
from dpobot.config import Config, load
from dpobot.demo import story
from dpobot.errors import ConfigurationError
from dpobot.model.ids import UserId
from dpobot.moving import command as moving
from dpobot.receipt import command
from dpobot.receipt.key import load_or_create
from dpobot.setup import command as setup
from dpobot.store.database import Database, Tx
from dpobot.text.render import Renderer, templates_folder
from dpobot.unlocking import command as unlocking

_TRUST = (
    "Somebody has reset their cross-signing identity (lost all devices, or began anew), and dpobot no longer takes them"
    " for who they were. Whoever holds a homeserver, or has broken into an account, can reset an identity, too: first"
    " make sure over another channel, by phone or in person, that it was them. Then this forgets the identity that was"
    " known; the next message from a device that they have verified brings the new one, which counts from then on."
    " The bot may be running meanwhile. The audit trail notes it."
)
_CHECK = "is what the notice promises true here? Exits with 0 (ok), 1 (a warning) or 2 (something has failed)"
_LOST = "the database's lock is lost, another process may be the bot now; this one stops at once; start it again"
_ACCESS_LOG = (
    "Each time that staff have the bot show them a case, its trail, a plan, a worksheet or a list of cases, and each"
    " time that staff or an admin take the register or this log. Cards, threads and files in the staff room are open to"
    " all who are in it."
)
_Made = Callable[[Tx, date, date, tzinfo], Awaitable[bytes]]
_Noted = Callable[[Tx, datetime, str, int], Awaitable[None]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that ``arguments`` name; exits with 0, 1, 2 (configuration) or 75 (try again)."""
    given = _parser().parse_args(arguments)
    sys.exit(exits.run(lambda: _coroutine(given)))


async def _coroutine(given: argparse.Namespace) -> int:
    status: int = await given.run(given)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dpobot", description="The Data Protection Officer's contact point on a Matrix homeserver."
    )
    parser.add_argument("--version", action="version", version=f"dpobot {version('dpobot')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("run", help="serve until stopped")
    serve.set_defaults(run=_run)
    helper = commands.add_parser("worker", help="run jobs beside the bot, on any machine, until stopped")
    helper.set_defaults(run=_worker)
    migrate = commands.add_parser("migrate", help="bring the database up to date and stop")
    migrate.set_defaults(run=_migrate)
    book = commands.add_parser("register", help="the register of requests as CSV, or a check of the audit trail")
    book.add_argument("first", nargs="?", metavar="FROM", type=date.fromisoformat, help="first day, 2026-01-01")
    book.add_argument("last", nargs="?", metavar="TO", type=date.fromisoformat, help="last day, 2026-12-31")
    book.add_argument("--verify", action="store_true", help="walk the audit trail; exits with 1 if it was tampered")
    book.add_argument("--head", metavar="HASH", help="a head that was posted earlier: is it still in the chain?")
    book.set_defaults(run=_register)
    looks = commands.add_parser("access-log", help="who has looked at which case, as CSV", description=_ACCESS_LOG)
    for name, which in (("first", "FROM"), ("last", "TO")):
        looks.add_argument(name, metavar=which, type=date.fromisoformat, help="a day, 2026-12-31")
    looks.set_defaults(run=_access_log)
    trust = commands.add_parser(
        "trust",
        help="accept that somebody's cryptographic identity is a new one",
        description=_TRUST,
    )
    trust.add_argument("user_id", metavar="@USER:SERVER", type=UserId, help="the full user ID")
    trust.set_defaults(run=_trust)
    checking = commands.add_parser("check", help=_CHECK)
    checking.add_argument("--json", action="store_true", help="for machines: an object with status and findings")
    checking.set_defaults(run=_check)
    rotate = commands.add_parser("rotate-keys", help="new keys, while the bot runs", description=rotation.DESCRIPTION)
    rotation.arguments(rotate)
    rotate.set_defaults(run=_rotate)
    begin, contact = setup.parsers(commands)
    for each in (serve, helper, migrate, book, looks, trust, checking, rotate, begin, contact):
        each.add_argument(
            "--config", type=Path, default=Path("bot.toml"), help="configuration file (default: bot.toml)"
        )
    _recovery(commands)
    _receipts(commands)
    _opening(commands)
    move = commands.add_parser(
        "import", help="bring an archive's account to one on another homeserver", description=moving.DESCRIPTION
    )
    moving.arguments(move)
    move.set_defaults(run=moving.run)
    demo = commands.add_parser(
        "demo", help="a whole conversation on a throwaway homeserver, ending with an archive on disk"
    )
    demo.add_argument(
        "--target", type=Path, default=Path("demo-archive"), help="folder for the archive (default: demo-archive)"
    )
    demo.add_argument("--quiet", action="store_true", help="print the result only")
    demo.set_defaults(run=_demo)
    return parser


def _recovery(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    backing = commands.add_parser("backup", help="copy the database, while the bot runs", description=recovery.BACKUP)
    recovery.backup_arguments(backing)
    backing.set_defaults(run=_back_up)
    again = commands.add_parser("restored", help="after a backup was put back", description=recovery.RESTORED)
    recovery.restored_arguments(again)
    again.set_defaults(run=_restored)
    for each in (backing, again):
        each.add_argument(
            "--config", type=Path, default=Path("bot.toml"), help="configuration file (default: bot.toml)"
        )


def _receipts(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    check = commands.add_parser("verify", help="check the receipt of an erasure, offline", description=command.VERIFY)
    check.add_argument("file", metavar="FILE", type=Path, help="the receipt, or the page that it came in")
    check.add_argument("--key", metavar="KEY", help="the public key, or a file with it, or with the published ones")
    check.add_argument(
        "--subject", nargs=2, metavar=("CODE", "@USER:SERVER"), help="is it about this user? CODE is the receipt's"
    )
    check.set_defaults(run=_verify_receipt)
    key = commands.add_parser("receipt-key", help="the public key of receipts, to publish", description=command.KEY)
    key.set_defaults(run=_receipt_key)
    for each in (check, key):
        each.add_argument(
            "--config", type=Path, default=Path("bot.toml"), help="configuration file (default: bot.toml)"
        )


def _opening(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "open", help="decrypt an archive's encrypted messages on this machine", description=unlocking.OPEN
    )
    parser.add_argument("archive", metavar="ARCHIVE", type=Path, nargs="+", help="a volume: ZIP file, or folder")
    parser.add_argument("--keys", metavar="FILE", type=Path, help="the keys that a client has exported")
    parser.add_argument("--passphrase-file", metavar="FILE", type=Path, help="holds the passphrase of --keys")
    parser.add_argument(
        "--recovery-key",
        metavar="FILE",
        type=Path,
        nargs="?",
        const=unlocking.ASK,
        help="open the key backup in the archive; FILE holds the recovery key (else it is asked for)",
    )
    parser.add_argument("--output", metavar="DIR", type=Path, help="a new folder for what is decrypted")
    parser.set_defaults(run=_open)


async def _run(given: argparse.Namespace) -> int:
    memory.one_arena()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with app.bot(load(given.config)) as bot:
        leaving = asyncio.create_task(_leave_when(bot.lock.lost)) if bot.lock is not None else None
        await bot.run(stop)
        del leaving  # it lives as long as the lock is wanted
    return 0


async def _worker(given: argparse.Namespace) -> int:
    worker.become(load(given.config))


async def _leave_when(lost: asyncio.Event) -> None:
    """End this process at once, without finishing anything, when another one may be the bot: as after a crash."""
    await lost.wait()
    print(f"dpobot: {_LOST}", file=sys.stderr, flush=True)
    os._exit(exits.UNAVAILABLE)


async def _migrate(given: argparse.Namespace) -> int:
    database = await app.open_database(load(given.config), SystemClock())
    await database.close()
    print("the database is up to date")
    return 0


async def _register(given: argparse.Namespace) -> int:
    asked = given.verify or given.head is not None
    if asked == (given.first is not None) or (given.first is None) != (given.last is None):
        raise ConfigurationError(["register: name two days, FROM and TO, or --verify; try dpobot register --help"])
    config = load(given.config)
    database = await app.open_database(config, SystemClock())
    try:
        if asked:
            return await database.read(lambda tx: _verify(tx, given.head))
        return await _give(config, database, register.as_csv, access.register_given, given)
    finally:
        await database.close()


async def _access_log(given: argparse.Namespace) -> int:
    config = load(given.config)
    database = await app.open_database(config, SystemClock())
    try:
        return await _give(config, database, access_log.as_csv, access.log_given, given)
    finally:
        await database.close()


async def _give(config: Config, database: Database, made: _Made, noted: _Noted, given: argparse.Namespace) -> int:
    """Write the lines of some days to standard output; that an admin was given them is recorded first."""
    zone = holidays.zone_of(config.operator.country)

    async def lines(tx: Tx) -> bytes:
        found = await made(tx, given.first, given.last, zone)
        await noted(tx, SystemClock().now(), "admin", len(found))
        return found

    sys.stdout.write((await database.write(lines)).decode())
    return 0


async def _trust(given: argparse.Namespace) -> int:
    """Let a person's pinned identity go; 1 if there is nobody of that name."""
    clock = SystemClock()
    database = await app.open_database(load(given.config), clock)
    try:
        accepted = await database.write(lambda tx: identity.accept_new(tx, clock.now(), given.user_id, "admin"))
    except LookupError:
        print(f"dpobot: {given.user_id} has never talked with this bot; is the user ID complete?", file=sys.stderr)
        return 1
    finally:
        await database.close()
    known = f"the identity of {given.user_id} is forgotten" if accepted else f"no identity of {given.user_id} is known"
    print(f"{known}: the next message from a device that they have verified brings the one that counts from then on")
    return 0


async def _back_up(given: argparse.Namespace) -> int:
    return await recovery.back_up(given, load(given.config), SystemClock())


async def _restored(given: argparse.Namespace) -> int:
    return await recovery.restored(given, load(given.config), SystemClock())


async def _rotate(given: argparse.Namespace) -> int:
    return await rotation.run(given, load(given.config), SystemClock())


async def _verify_receipt(given: argparse.Namespace) -> int:
    config = load(given.config) if given.key is None and given.config.exists() else None
    renderer = Renderer(templates_folder(), {})
    return command.verify(renderer, given.file, given.key, config, tuple(given.subject) if given.subject else None)


async def _receipt_key(given: argparse.Namespace) -> int:
    data = load(given.config).data
    print(command.published(load_or_create(data.directory, data.receipt_key_file).publics))
    return 0


async def _open(given: argparse.Namespace) -> int:
    return unlocking.run(
        unlocking.Given(given.archive, given.keys, given.passphrase_file, given.recovery_key, given.output)
    )


async def _verify(tx: Tx, head: str | None) -> int:
    """Say whether the audit trail holds, and contains what was its head once."""
    verdict = await chain.verify(tx)
    if not verdict.holds:
        print(
            f"the audit trail is broken at row {verdict.broken_at} ({verdict.problem}); {verdict.rows} rows before hold"
        )
        return 1
    print(f"the audit trail holds: {verdict.rows} rows")
    if head is not None and not await chain.contains(tx, head.lower()):
        print("but that head is not in it: the trail was replaced since, or the head belongs to another installation")
        return 1
    return 0


async def _check(given: argparse.Namespace) -> int:
    config = load(given.config)
    log.configure("ERROR", config.log.format)
    async with place(config, SystemClock()) as where:
        findings = await checks.run(where)
    print(report.as_json(findings) if given.json else "\n".join(report.lines(findings)))
    return report.status(findings)


async def _demo(given: argparse.Namespace) -> int:
    log.configure("WARNING", "console")  # the conversation is read here; the bot's process has a log of its own
    return await story.tell(given.target, quiet=given.quiet)

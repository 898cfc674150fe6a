"""`dpobot open`: what it reads, and what it says."""

import getpass
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dpobot.errors import ConfigurationError
from dpobot.unlocking import backup, key_export
from dpobot.unlocking.event import Outcome
from dpobot.unlocking.opened import Opened
from dpobot.unlocking.output import Output
from dpobot.unlocking.ring import Ring
from dpobot.unlocking.unlock import Room, unlock

ALL, NOT_ALL = 0, 1
ASK = Path("-")  # no file: ask on the terminal
_MOST_SECRET = 10_000  # bytes of a file with a passphrase or a recovery key
OPEN = (
    "Decrypts the encrypted messages of an archive on this machine, without any network. ARCHIVE: its volumes, as ZIP"
    " files or unpacked folders; give all of them. The keys come from a file that the person's client has exported"
    " (--keys), or from the encrypted key backup that the archive brings along (--recovery-key); passphrase and"
    " recovery key are asked for if no file holds them, and never taken from the command line. Without --output it"
    " only counts. Exits with 0 if everything could be decrypted, 1 if something could not, 2 if nothing could."
)
_REASONS = {
    Outcome.NO_KEY: "key missing",
    Outcome.LATER_KEY: "key begins later",
    Outcome.REPEATED: "copies of another message",
    Outcome.DAMAGED: "damaged",
}


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says. ``recovery``: a file, `ASK`, or None if there is nothing to recover with."""

    archives: Sequence[Path]
    keys: Path | None
    passphrase_file: Path | None
    recovery: Path | None
    output: Path | None


def run(given: Given) -> int:
    """Decrypt and print the counts; return the exit status. Raises `ConfigurationError` if nothing can be tried."""
    if given.keys is None and given.recovery is None:
        raise ConfigurationError(
            ["open: nothing to decrypt with: name a key export with --keys, or use --recovery-key"]
        )
    ring = Ring()
    with Opened(given.archives) as archive:
        if given.keys is not None:
            passphrase = _secret(given.passphrase_file, f"Passphrase of {given.keys}: ").rstrip("\r\n")
            key_export.load(given.keys, passphrase, ring)
        if given.recovery is not None:
            typed = _secret(None if given.recovery == ASK else given.recovery, "Recovery key or passphrase: ")
            backup.load(archive, typed, ring)
        with Output(given.output) as output:
            rooms = unlock(archive, ring, output)
    return _say(rooms, ring, given.output)


def _secret(file: Path | None, prompt: str) -> str:
    try:
        if file is None:
            return getpass.getpass(prompt)
        with file.open("rb") as opened:
            return opened.read(_MOST_SECRET).decode("utf-8-sig")
    except EOFError as error:
        raise ConfigurationError(["open: there is no terminal to ask on: name a file that holds the secret"]) from error
    except OSError as error:
        raise ConfigurationError([f"open: {file}: can't be read ({error.strerror})"]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([f"open: {file} holds no text"]) from error


def _say(rooms: Sequence[Room], ring: Ring, target: Path | None) -> int:
    total, files = Counter[Outcome](), Counter[str]()
    for room in rooms:
        total += room.events
        files += room.files
        print(f"{room.folder}: {_counts(room.events)}")
    print(f"all rooms: {_counts(total)}" if rooms else "there is nothing encrypted in these volumes")
    if files:
        print(f"attachments: {_files(files)}")
    if ring.refused:
        print(f"{ring.refused} keys were left out: damaged, or not what they say")
    if total[Outcome.NO_KEY] or total[Outcome.LATER_KEY]:
        print("hint: keys that are missing here may be in another client: export them there, or give more volumes")
    if target is not None:
        print(f"written to {target}; what could not be decrypted is listed in undecrypted.jsonl, if anything")
    whole = total.total() == total[Outcome.DECRYPTED] and not files["missing"] and not files["altered"]
    return ALL if whole else NOT_ALL


def _counts(counts: Counter[Outcome]) -> str:
    parts = [f"{counts[Outcome.DECRYPTED]} of {counts.total()} decrypted"]
    return ", ".join(parts + [f"{counts[each]} {text}" for each, text in _REASONS.items() if counts[each]])


def _files(counts: Counter[str]) -> str:
    texts = {
        "written": "decrypted, SHA-256 as sent",
        "found": "here (name --output to decrypt them)",
        "missing": "not in these volumes",
        "altered": "altered, not written",
    }
    return ", ".join(f"{counts[each]} {text}" for each, text in texts.items() if counts[each])

"""The state file: JSON Lines, 0600, each line on disk before the next thing happens; a later run goes on from it."""

import errno
import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dpobot.moving.stopped import ImportStopped

VERSION = 1
BEGUN, DONE = "begun", "done"


def lines_of(raw: bytes) -> tuple[list[dict[str, Any]], int]:
    """Return the whole lines of a state file and where the last of them ends; what a cut left behind it is ignored."""
    found: list[dict[str, Any]] = []
    end = 0
    for line in raw.splitlines(keepends=True):
        try:
            value = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            value = None
        if not isinstance(value, dict):
            break
        found.append(value)
        end += len(line)
    return found, end


def notes_of(lines: list[dict[str, Any]]) -> tuple[dict[str, str], set[str]]:
    """Return the last note of each item that was begun, and the items that are done."""
    begun: dict[str, str] = {}
    done: set[str] = set()
    for line in lines:
        key, state = line.get("item"), line.get("state")
        if isinstance(key, str) and state == BEGUN:
            begun[key] = str(line.get("note") or begun.get(key, ""))
        elif isinstance(key, str) and state == DONE:
            done.add(key)
    return begun, done


class Journal:
    """What has been carried over. Nothing in it but item names, server-made IDs, and whose import it is."""

    def __init__(self, path: Path, header: Mapping[str, str], *, keep: bool = True) -> None:
        """Open the file, made if ``keep``; without, an existing one is only read (a dry run).

        Raises `ImportStopped` if it is of another import, or in use.
        """
        self._path = path
        self._file: int | None = None
        head: dict[str, Any] = {"import": VERSION, **header}
        if keep:
            self._file = _opened(path)
        raw = path.read_bytes() if path.exists() else b""
        lines, end = lines_of(raw)
        if lines and lines[0] != head:
            self.close()
            raise ImportStopped(
                f"{path.name} is the state of another import", "name another file with --state, or remove that one"
            )
        self.begun, self.done = notes_of(lines)
        if self._file is not None:
            os.ftruncate(self._file, end)
            if not lines:
                self._write(head)

    def begin(self, key: str, note: str = "") -> None:
        """Note that an item is being carried over, with what a later run must know to go on with it."""
        if self._file is not None:
            self.begun[key] = note or self.begun.get(key, "")
            self._write({"item": key, "state": BEGUN, **({"note": note} if note else {})})

    def finish(self, key: str) -> None:
        """Note that an item is done."""
        if self._file is not None:
            self.done.add(key)
            self._write({"item": key, "state": DONE})

    def close(self) -> None:
        """Let go of the file."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, value: Mapping[str, Any]) -> None:
        assert self._file is not None  # noqa: S101 - asked by the callers; this tells the type checker
        try:
            os.write(self._file, json.dumps(value).encode() + b"\n")
            os.fsync(self._file)
        except OSError as error:
            hint = "make room and run it again" if error.errno == errno.ENOSPC else "name another file with --state"
            raise ImportStopped(f"{self._path.name} can't be written ({error.strerror})", hint) from error


def _opened(path: Path) -> int:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise ImportStopped(
            f"{path.name} can't be written ({error.strerror})", "name another file with --state"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise ImportStopped("this import is running already", "wait until it has ended") from error
    return file

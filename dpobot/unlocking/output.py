"""Where the decrypted goes: a new private folder (0700, files 0600), or nowhere if only counts are wanted."""

import json
import os
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Self

from dpobot.errors import ConfigurationError
from dpobot.unlocking.attachment import Altered

_MOST_OPEN = 8


class Output:
    """A folder that is filled: JSON Lines by name, and files."""

    def __init__(self, folder: Path | None) -> None:
        """Make the folder; None writes nothing. Raises `ConfigurationError` if it is in use or can't be made."""
        self._folder = folder
        self._open: dict[str, BinaryIO] = {}
        self._stack = ExitStack()
        if folder is None:
            return
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            taken = any(folder.iterdir())
        except OSError as error:
            raise ConfigurationError([f"open: {folder}: can't be written ({error.strerror})"]) from error
        if taken:
            raise ConfigurationError([f"open: {folder} is not empty: name a new folder for what is decrypted"])
        folder.chmod(0o700)

    @property
    def wanted(self) -> bool:
        """Whether anything is written."""
        return self._folder is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *trouble: object) -> None:
        self._stack.close()

    def line(self, name: str, value: dict[str, Any]) -> None:
        """Append a line of JSON to a file."""
        if self._folder is None:
            return
        if name not in self._open:
            if len(self._open) == _MOST_OPEN:  # one room comes after the other: those before are done with
                self._stack.close()
                self._open.clear()
            self._open[name] = self._stack.enter_context(_private(self._folder, name))
        self._open[name].write(json.dumps(value, separators=(",", ":")).encode() + b"\n")

    def file(self, name: str, blocks: Iterable[bytes]) -> bool:
        """Write a file; False, and there is no file, if its bytes turn out to be altered."""
        if self._folder is None:
            return True
        draft = f"{name}.draft"
        try:
            with _private(self._folder, draft) as file:
                for block in blocks:
                    file.write(block)
            (self._folder / draft).rename(self._folder / name)
        except Altered:
            return False
        finally:
            (self._folder / draft).unlink(missing_ok=True)
        return True


def _private(folder: Path, name: str) -> BinaryIO:
    path = folder / name
    try:
        for parent in reversed(Path(name).parents):  # not mkdir(parents=True): that makes parents for all to read
            (folder / parent).mkdir(mode=0o700, exist_ok=True)
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ConfigurationError([f"open: {path}: can't be written ({error.strerror})"]) from error
    return os.fdopen(number, "ab")

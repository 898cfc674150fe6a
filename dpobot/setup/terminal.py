"""Whom `dpobot init` asks: somebody at a terminal."""

import getpass
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from dpobot.errors import ConfigurationError


class Terminal(Protocol):
    """Says and asks; in tests somebody else answers."""

    def say(self, text: str) -> None:
        """Show a text."""
        ...

    def ask(self, prompt: str) -> str:
        """Return a line that was typed. Raises `ConfigurationError` if there is nobody who could."""
        ...

    def ask_secret(self, prompt: str) -> str:
        """The same without showing what is typed."""
        ...


class Console:
    """The terminal that the command was started from."""

    def say(self, text: str) -> None:
        """Show a text."""
        print(text, flush=True)

    def ask(self, prompt: str) -> str:
        """Return a line that was typed."""
        with _asking():
            return input(prompt)

    def ask_secret(self, prompt: str) -> str:
        """Return a line that was typed without an echo."""
        with _asking():
            return getpass.getpass(prompt)


@contextmanager
def _asking() -> Iterator[None]:
    """Let Ctrl-C end the wait for a line: asyncio would only take note of it."""
    if not sys.stdin.isatty():
        raise ConfigurationError(["init: there is no terminal to ask at; answer with options and --non-interactive"])
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except EOFError:
        raise ConfigurationError(["init: stopped; run it again, it finds what is there"]) from None
    finally:
        signal.signal(signal.SIGINT, before)

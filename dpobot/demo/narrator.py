"""Says on the terminal what happens in the demo."""

import time

from dpobot.matrix.api import Received


class Narrator:
    """Scenes with the time since the beginning, and quotations."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._began = time.monotonic()

    def scene(self, text: str) -> None:
        """Say what is being done."""
        if not self._quiet:
            print(f"[{time.monotonic() - self._began:5.1f} s] {text}", flush=True)

    def line(self, who: str, text: str) -> None:
        """Quote somebody, indented."""
        if not self._quiet:
            said = [f"            {'' if number else who:>6} | {part}" for number, part in enumerate(text.splitlines())]
            print("\n".join(said), flush=True)


def text_of(event: Received) -> str:
    """Return what a message says, after its newest edit."""
    content = event.content.get("m.new_content", event.content)
    return str(content.get("body", ""))

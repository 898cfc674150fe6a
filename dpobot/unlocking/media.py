"""Which entries of an archive hold a medium's bytes."""

from collections.abc import Iterator
from typing import Any

from dpobot.unlocking.attachment import BLOCK
from dpobot.unlocking.opened import Opened


class Media:
    """Media by their address; memory grows by some hundred bytes for each."""

    def __init__(self, archive: Opened) -> None:
        self._archive = archive
        self._files: dict[str, tuple[str, ...]] = {}
        for document in archive.documents("viewer/media"):
            media = document.get("media") if isinstance(document, dict) else None
            for url, each in media.items() if isinstance(media, dict) else ():
                self._note(url, [each.get("file")] if isinstance(each, dict) else [])
        for document in archive.documents("media.json"):  # names the pieces, too
            for each in document if isinstance(document, list) else ():
                if isinstance(each, dict):
                    self._note(each.get("url"), each.get("files"))

    def entry(self, url: str) -> str | None:
        """Return the (first) entry of a medium, None if these volumes do not hold all of it."""
        files = self._files.get(url)
        return files[0] if files else None

    def blocks(self, url: str) -> Iterator[bytes]:
        """Yield the bytes of a medium, its pieces one after the other."""
        for name in self._files[url]:
            with self._archive.reading(name) as file:
                while block := file.read(BLOCK):
                    yield block

    def _note(self, url: Any, files: Any) -> None:
        if not isinstance(url, str) or not isinstance(files, list) or not files:
            return
        if all(isinstance(name, str) and name.startswith("media/") and self._archive.holds(name) for name in files):
            self._files[url] = tuple(files)

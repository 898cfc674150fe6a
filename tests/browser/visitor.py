"""A real browser that opens a page from the disk, without any network, and notes whatever it does beside showing it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import BrowserContext, ConsoleMessage, Dialog, Page, Request

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CURE = "tests in a browser need Chromium: apt-get install chromium"
_OWN = ("file:", "blob:", "data:", "about:")


def find() -> str | None:
    """Return the path of the machine's Chromium, None if there is none."""
    return next((found for found in map(shutil.which, NAMES) if found), None)


@dataclass
class Visitor:
    """A page and what it did. ``deeds``: requests beyond the disk, errors, dialogs, windows; none if all is well."""

    context: BrowserContext
    page: Page
    deeds: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)  # every one, those for files included

    @classmethod
    async def arrive(cls, context: BrowserContext) -> "Visitor":
        """Open an empty page and begin to watch."""
        await context.set_offline(True)
        made = cls(context, await context.new_page())
        context.on("request", made._request)
        context.on("page", lambda page: made.deeds.append(f"window: {page.url}"))
        context.on("dialog", made._dialog)
        context.on("console", made._console)
        context.on("weberror", lambda trouble: made.deeds.append(f"exception: {trouble.error}"))
        return made

    async def open(self, path: Path, fragment: str = "") -> Page:
        """Open a file as a double click does."""
        await self.page.goto(path.resolve().as_uri() + fragment)
        return self.page

    async def settled(self) -> list[str]:
        """Return what the pages did beside showing themselves, once nothing is under way in them."""
        for page in self.context.pages:
            await page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")
        return self.deeds

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)
        if not request.url.startswith(_OWN):
            self.deeds.append(f"request: {request.url}")

    async def _dialog(self, dialog: Dialog) -> None:
        self.deeds.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.deeds.append(f"console: {message.text}")


def pages(folder: Path) -> Iterator[Path]:
    """Yield every page of an unpacked archive."""
    return iter(sorted(folder.rglob("*.html")))

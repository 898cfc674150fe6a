"""For everybody: with a keyboard, a screen reader, in the dark, on paper; every page of an archive in a browser."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page, expect

from tests.browser import reading
from tests.browser.test_program import Archive, archive
from tests.browser.visitor import Visitor, pages

__all__ = ["archive"]  # a fixture

FAULTS = (Path(__file__).parent / "faults.js").read_text("utf-8")
MOST_TABS = 30  # from the top of the page to its search field


async def faults(page: Page) -> list[str]:
    found: list[str] = await page.evaluate(FAULTS)
    return found


async def unfold(page: Page) -> None:
    await page.evaluate("() => document.querySelectorAll('details').forEach(each => { each.open = true; })")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_is_for_everybody(
    browser_page: Visitor, archive: Archive, scheme: Literal["light", "dark"]
) -> None:
    """Landmarks, headings, names of controls, words for pictures, contrast of all texts; opened rooms, too."""
    page, found = browser_page.page, dict[str, list[str]]()
    await page.emulate_media(color_scheme=scheme)
    folder = archive.folders[0]
    for path in pages(folder):
        await browser_page.open(path)
        await unfold(page)
        found[path.relative_to(folder).as_posix()] = await faults(page)
    await browser_page.open(folder / "index.html")
    await reading.open_with_key(page, archive.author.recovery_key)
    await reading.rooms(page)
    await reading.search(page, "tea")
    await page.set_input_files("#v-folder", folder.parent)
    await page.locator("#v-gallery img").first.wait_for()
    found["unlocked"] = await faults(page)
    await reading.open_with_key(page, "words")
    found["refused"] = await faults(page)
    assert len(found) > 6
    assert {name: faults for name, faults in found.items() if faults} == {}


async def test_the_watch_on_faults_sees_them(browser_page: Visitor, tmp_path: Path) -> None:
    """A page with one of each."""
    (tmp_path / "page.html").write_text(
        "<!doctype html><body><p style='color:#999;background:#fff'>pale</p><h3>deep</h3><img src='data:,'><input>"
        "<p id=a>1</p><p id=a>2</p><section></section><table><tr><td>x</td></tr></table><button tabindex=3></button>",
        "utf-8",
    )
    page = await browser_page.open(tmp_path / "page.html")
    said = " | ".join(await faults(page))
    parts = [
        "no language",
        "no title",
        "0 of main",
        "contrast 2.85: p pale",
        "from h0 to h3 deep",
        "no words for data:,",
    ]
    parts += ["no name: input", "twice: a", "no name: section", "a table without heads", "order of tabs: button"]
    assert [part for part in parts if part not in said] == []


async def test_a_keyboard_is_enough(browser_page: Visitor, archive: Archive) -> None:
    """Tab to the search field, words, Enter, Tab to what was found, Enter: there it is. The first Tab offers a way."""
    page = await browser_page.open(archive.folders[0] / "index.html")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.id") == "v-query":
            break
    await page.keyboard.type("beete")
    await page.keyboard.press("Enter")
    await expect(page.locator("#v-results a")).to_have_count(1)
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.closest('#v-results') !== null"):
            break
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/rooms/0002-Garden/page-0001.html#e2")
    assert await browser_page.settled() == []


async def test_a_room_can_be_printed(browser_page: Visitor, archive: Archive) -> None:
    """The paper is white and has the words, also if the screen is dark; what is only to be clicked is left out."""
    page = browser_page.page
    await page.emulate_media(color_scheme="dark", media="print")
    await browser_page.open(archive.folders[0] / "index.html")
    assert [each for each in ("#v-search", ".skip") if await page.locator(each).first.is_visible()] == []
    assert (await page.pdf())[:5] == b"%PDF-"
    await browser_page.open(archive.folders[0] / "rooms/0002-Garden/page-0001.html")
    assert await page.get_by_text("the café in the garden").is_visible()
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert await faults(page) == []
    assert (await page.pdf())[:5] == b"%PDF-"

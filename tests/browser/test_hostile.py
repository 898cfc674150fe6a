"""What people write never runs, hides or asks for anything in an archive: every page and the program, in a browser."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from dpobot.model.words import Scope
from dpobot.text.render import Renderer, templates_folder
from tests.browser import reading
from tests.browser.hostile import ATTACKS, HTML, PASSPHRASE, SVG, Hostile
from tests.browser.visitor import Visitor, pages

# Control signs, marks of direction, half signs: nothing of that is ever to be seen
UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
LOOK = Path(__file__).with_name("look.js").read_text("utf-8")


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(templates_folder(), {})


@pytest.fixture(scope="module", params=[Scope.MINE, Scope.VISIBLE])
async def hostile(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, renderer: Renderer
) -> Hostile:
    """Only to be read."""
    made = Hostile(tmp_path_factory.mktemp("hostile"), request.param)
    await made.pack(renderer)
    return made


async def look(page: Page) -> str:
    """Return what the page says; nothing in it is what an attack would have put there."""
    found = await page.evaluate(LOOK)
    assert found["faults"] == []
    said = "\n".join(found["texts"])
    assert UNSEEN.findall(said) == []
    return said


async def test_every_page_only_shows_itself(browser_page: Visitor, hostile: Hostile) -> None:
    """Texts stand there as they were written; nothing of them became part of a page."""
    said = {}
    for path in pages(hostile.folder):
        page = await browser_page.open(path)
        await page.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        said[path.relative_to(hostile.folder).as_posix()] = await look(page)
        assert await browser_page.settled() == [], path
    kinds = ("index", "media", "rooms.", "rooms/", "account/account_data", "account/devices", "recipients", "statement")
    assert [kind for kind in kinds if not any(name.startswith(kind) for name in said)] == []
    assert [
        kind for kind in kinds if ATTACKS[0][:24] not in "".join(said[each] for each in said if each.startswith(kind))
    ] == []


async def test_files_are_no_documents(browser_page: Visitor, hostile: Hostile) -> None:
    """A page or drawing that was sent as a file opens as text; none has an ending that a browser runs."""
    files = [path for part in ("media", "other") for path in sorted((hostile.folder / part).iterdir())]
    texts = [path for path in files if path.suffix == ".txt"]
    assert {path.suffix for path in files} == {".bin", ".png", ".txt"}
    assert {path.read_bytes() for path in texts} == {SVG, HTML}
    for path in texts[:4] + texts[-1:]:
        page = await browser_page.open(path)
        assert await page.evaluate("document.contentType") == "text/plain"
    for path in [each for each in files if each.suffix == ".png"][:2]:
        await browser_page.open(path)
    assert await browser_page.settled() == []


async def test_the_program_only_shows_texts(browser_page: Visitor, hostile: Hostile) -> None:
    """Searched, decrypted, read as a conversation, files opened in the gallery; nothing runs, nothing is lost."""
    page = await browser_page.open(hostile.folder / "index.html")
    assert await reading.search(page, "alert tea") != []
    await look(page)
    said = await reading.open_with_file(page, hostile.keys, PASSPHRASE)
    assert re.fullmatch(r"(\d+) of \1 encrypted messages opened\.", said)
    await look(page)
    buttons = page.locator("#v-rooms button")
    await buttons.first.click()
    shown = await look(page)
    while not await page.locator("#v-later").is_disabled():
        await page.click("#v-later")
        shown += await look(page)
    assert [attack for attack in ATTACKS[:11] if attack not in shown] == []
    await page.set_input_files("#v-folder", hostile.folder)
    await expect(page.locator("#v-gallery img").first).to_have_js_property("naturalWidth", 1)
    for words in ("alert tea", "__proto__", "constructor", "<script", "gnp.exe", "{what}"):
        assert await reading.search(page, words) != [], words
        await look(page)
    await page.locator("#v-results button").first.click()
    await look(page)
    assert await browser_page.settled() == []


async def test_the_gallery_draws_pictures_only(browser_page: Visitor, hostile: Hostile) -> None:
    """A drawing or a page that says it is a picture is none; saved, each has a name that nothing runs."""
    page = await browser_page.open(hostile.folder / "index.html")
    await reading.open_with_file(page, hostile.keys, PASSPHRASE)
    await page.set_input_files("#v-folder", hostile.folder)
    figures = page.locator("#v-gallery figure")
    await expect(figures).to_have_count(5)
    await expect(page.get_by_text(await reading.word(page, "file-not-shown"))).to_have_count(2, timeout=reading.WAIT)
    assert [await each.locator("img").count() for each in await figures.all()] == [1, 0, 0, 1, 1]
    for figure in await figures.all():
        async with page.expect_download() as begun:
            await figure.get_by_role("button", name="Save").click()
        assert re.fullmatch(r"[^<>:\"/\\|?*]+\.(bin|png)", (await begun.value).suggested_filename)
    await look(page)
    assert await browser_page.settled() == []


async def test_the_watch_sees_what_runs(browser_page: Visitor, tmp_path: Path) -> None:
    """The same texts in a page that does not mind them."""
    (tmp_path / "page.html").write_text(f"<!doctype html><title>x</title>{ATTACKS[0]}{ATTACKS[4]}", "utf-8")
    page = await browser_page.open(tmp_path / "page.html")
    assert await page.evaluate("window.hit") == 1
    assert {deed.split(":")[0] for deed in await browser_page.settled()} >= {"dialog", "request"}
    with pytest.raises(AssertionError, match="data-evil"):
        await look(page)

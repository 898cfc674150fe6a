"""What a person does in an archive's index.html, and what they then see there."""

from pathlib import Path

from playwright.async_api import Page, expect

WAIT = 60_000  # milliseconds that a busy machine may take


async def open_with_key(page: Page, typed: str) -> str:
    """Type a recovery key or phrase and open; return what the page says of it."""
    await page.fill("#v-key", typed)
    await page.click("#v-key-form button[type=submit]")
    return await answer(page)


async def open_with_file(page: Page, path: Path, passphrase: str) -> str:
    """Choose a key export, type its passphrase and open; return what the page says of it."""
    await page.set_input_files("#v-file", path)
    await page.fill("#v-passphrase", passphrase)
    await page.click("#v-file-form button[type=submit]")
    return await answer(page)


async def answer(page: Page) -> str:
    """Wait until the page has made up its mind; return its sentence."""
    await expect(page.locator("#v-unlock-status")).not_to_have_text("", timeout=WAIT)
    await expect(page.locator("#v-unlock-status")).not_to_have_text(await word(page, "opening"), timeout=WAIT)
    return await page.inner_text("#v-unlock-status")


async def word(page: Page, code: str) -> str:
    """Return one of the program's sentences."""
    found = await page.evaluate("code => JSON.parse(document.getElementById('words').textContent)[code]", code)
    return str(found)


async def rooms(page: Page) -> dict[str, list[str]]:
    """Read every opened room from its first to its last line; return their lines by the room's name."""
    found: dict[str, list[str]] = {}
    buttons = page.locator("#v-rooms button")
    for number in range(await buttons.count()):
        name = await buttons.nth(number).inner_text()
        await buttons.nth(number).click()
        found[name] = await lines(page)
        while not await page.locator("#v-later").is_disabled():
            await page.click("#v-later")
            found[name] += await lines(page)
    return found


async def lines(page: Page) -> list[str]:
    """Return what each line of the shown part of a conversation says, edits' former words included."""
    for closed in await page.locator("#v-lines details:not([open])").all():
        await closed.locator("summary").click()
    return await page.locator("#v-lines ol.talk > li > div").all_inner_texts()


async def search(page: Page, words: str) -> list[str]:
    """Search; return what each result says."""
    await page.fill("#v-query", "")
    await page.fill("#v-query", words)
    await page.press("#v-query", "Enter")
    await expect(page.locator("#v-find-status")).not_to_have_text("", timeout=WAIT)
    await expect(page.locator("#v-find-status")).not_to_have_text(await word(page, "loading"), timeout=WAIT)
    return await page.locator("#v-results > li").all_inner_texts()

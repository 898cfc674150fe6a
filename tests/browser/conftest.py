"""Chromium for the whole session, and a fresh visitor without network for each test."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from tests.browser import visitor
from tests.browser.visitor import Visitor


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The machine's own Chromium; without one these tests are skipped with what cures that."""
    path = visitor.find()
    if path is None:
        pytest.skip(visitor.CURE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path)
        yield browser
        await browser.close()


@pytest.fixture
async def browser_page(chromium: Browser) -> AsyncIterator[Visitor]:
    """Somebody who opens pages from their disk: ``await browser_page.open(path)``, ``await browser_page.settled()``."""
    context = await chromium.new_context(accept_downloads=True)
    yield await Visitor.arrive(context)
    await context.close()

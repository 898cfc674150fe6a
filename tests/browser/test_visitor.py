"""The watch itself: what it must notice, it notices."""

from pathlib import Path

import pytest

from tests.browser.visitor import Visitor


@pytest.mark.parametrize(
    ("body", "deed"),
    [
        ("<script>alert('x')</script>", "dialog: x"),
        ("<script>throw new Error('x')</script>", "exception: x"),
        ("<script>console.error('x')</script>", "console: x"),
        ("<script>fetch('http://127.0.0.1:9/x').catch(() => 0)</script>", "request: http://127.0.0.1:9/x"),
        ("<img src='https://example.org/x.png'>", "request: https://example.org/x.png"),
        ("<script>window.open('about:blank')</script>", "window: about:blank"),
    ],
)
async def test_every_deed_is_noticed(browser_page: Visitor, tmp_path: Path, body: str, deed: str) -> None:
    """Scripts, errors, requests, windows: a watch that sees nothing would prove nothing."""
    (tmp_path / "page.html").write_text(f"<!doctype html><title>x</title>{body}", "utf-8")
    await browser_page.open(tmp_path / "page.html")
    await browser_page.page.wait_for_load_state("load")
    assert deed in await browser_page.settled()


async def test_a_still_page_does_nothing(browser_page: Visitor, tmp_path: Path) -> None:
    """Pictures of its own folder are no deed."""
    (tmp_path / "page.html").write_text("<!doctype html><title>x</title><p>words<img src='data:,x' alt=''>", "utf-8")
    await browser_page.open(tmp_path / "page.html")
    assert await browser_page.settled() == []
    assert browser_page.requests[0].startswith("file://")

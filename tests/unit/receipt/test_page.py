"""The page that comes with a receipt: its own script in Node, and, where there is one, in a browser."""

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.receipt import check, codes, page, reasons
from dpobot.receipt.check import ReceiptError
from dpobot.text.language import available
from dpobot.text.render import Renderer, templates_folder
from tests.interop import node
from tests.unit.receipt.bad import BAD, signed
from tests.unit.receipt.conftest import ANNA, CODE, KEY, receipt

SCRIPT = templates_folder() / "receipt" / "verify.js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# what Python tells apart, and the page can't: it compares with the only right text
SAME_IN_THE_PAGE = {"duplicate_key": "not_canonical"}

Ask = Callable[[str, str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def in_page() -> Iterator[Ask]:
    """Asks the page's script, running in one Node."""
    try:
        command = [node.find().node, str(Path(__file__).with_name("page.mjs")), str(SCRIPT)]
    except node.NodeMissing as missing:
        pytest.skip(str(missing))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        to, from_ = process.stdin, process.stdout

        def ask(what: str, first: str, second: str) -> dict[str, Any]:
            to.write(json.dumps({"ask": what, "first": first, "second": second}) + "\n")
            to.flush()
            answer: dict[str, Any] = json.loads(from_.readline())
            return answer

        yield ask
        to.close()
        assert process.wait(timeout=30) == 0


def in_python(document: str) -> str | None:
    """Return the code with which Python refuses a receipt, None for a good one."""
    try:
        check.verify(document, KEY.public)
    except ReceiptError as error:
        return error.code
    return None


def test_a_good_receipt_is_good_in_the_page(in_page: Ask) -> None:
    """And says the same."""
    assert in_page("verify", receipt(), KEY.public) == {"said": json.loads(receipt())}
    assert "said" in in_page("verify", "\ufeff\r\n " + receipt() + "\n", f" {KEY.public}=\n")


@pytest.mark.parametrize("case", ["DPO-2026-0042", '\U0001f600 \u2028 \x7f \x01 " \\ é', ""])
def test_both_write_one_text_for_one_value(in_page: Ask, case: str) -> None:
    """Whatever stands in it, as in Python's canonical form; members in the order of their code points."""
    document = signed(case=case, counts={"\uffff": 1, "\U00010000": 2, "a": 3})
    assert in_python(document) is None
    assert in_page("verify", document, KEY.public) == {"said": json.loads(document)}


@pytest.mark.parametrize(("name", "document", "public", "expected"), BAD)
def test_what_is_wrong_is_the_same_in_the_page(
    in_page: Ask, name: str, document: str, public: str, expected: str
) -> None:
    """Two programs that read one receipt differently would be a way to deceive one of them."""
    assert in_page("verify", document, public) == {"code": SAME_IN_THE_PAGE.get(expected, expected)}


@given(st.integers(0, len(receipt().encode()) - 1), st.integers(0, 255))
def test_no_byte_may_be_another_in_the_page(in_page: Ask, place: int, byte: int) -> None:
    """Refused wherever it is altered, also where Python refuses it."""
    raw = bytearray(receipt().encode())
    raw[place] = byte if raw[place] != byte else (byte + 1) % 256
    document = raw.decode("utf-8", "replace")
    assert (in_python(document) is not None, "code" in in_page("verify", document, KEY.public)) == (True, True)


@pytest.mark.parametrize("typed", [CODE, CODE.lower(), CODE.replace("-", " "), CODE.replace("-", "\N{EN DASH}")])
def test_the_page_knows_whose_it_is(in_page: Ask, typed: str) -> None:
    """However the code was typed."""
    assert in_page("subject", typed, ANNA) == {"subject": codes.subject_of(CODE, ANNA)}
    assert in_page("subject", typed + "A", ANNA) == {"subject": None}


@pytest.mark.parametrize("language", sorted(available()))
def test_it_is_one_file_that_may_load_nothing(renderer: Renderer, language: str) -> None:
    """By its policy, which allows the very style and script within; and every word of a receipt is in it."""
    made = page.attachment(renderer, KEY.publics, receipt(), language)
    text = made.data.decode()
    assert (made.name, made.media_type) == ("receipt-DPO-2026-0042.html", "text/html")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[^' ]+'; script-src 'sha256-[^' ]+'; "
        r"base-uri 'none'; form-action 'none'",
        html.unescape(policy.group(1)),
    )
    assert not re.findall(r'(?:src|href|action)="', text)
    assert f'<html lang="{language}">' in text
    words = dict(re.findall(r'<li data-word="([^"]+)"(?: data-expected)?>([^<]+)</li>', text))
    wanted = {f"reason {code}" for code in reasons.REASONS} | {f"error {code}" for code in check.CODES}
    assert words.keys() >= wanted | {f"category {name}" for name in reasons.CATEGORIES}
    assert [name for name, said in words.items() if "_" in name and said == name.split()[1]] == []
    sentences = {said for name, said in words.items() if name.startswith(("reason ", "error "))}
    assert {said[-1] for said in sentences} <= {".", "?"}
    assert page.document_in(text) == receipt()
    labelled = set(re.findall(r'<label for="([^"]+)"', text))
    assert labelled == set(re.findall(r'<(?:input|textarea) id="([^"]+)"', text))


def test_a_document_can_not_break_out_of_the_page(renderer: Renderer) -> None:
    """What stands in it is text."""
    evil = signed(case="</textarea><script>alert(1)</script>")
    text = page.page(renderer, KEY.public, evil, "en")
    assert text.count("<script") == text.count("</script") == 1
    assert page.document_in(text) == evil


def in_browser(folder: Path, text: str) -> str:
    """Return what a browser makes of a page that was opened from disk."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    file = folder / "receipt.html"
    file.write_text(text, "utf-8")
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=5000", "--dump-dom", file.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def verdict(dom: str) -> tuple[str, bool]:
    """Return what the page says first, and whether it shows what the receipt says."""
    found = re.search(r'<div id="verdict"[^>]*>(.*?)</div>', dom, re.DOTALL)
    assert found is not None
    return html.unescape(re.sub(r"<[^>]+>", "", found.group(1))), '<section id="said" hidden' not in dom


def test_a_browser_shows_a_good_receipt(renderer: Renderer, tmp_path: Path) -> None:
    """From disk, without network, under the page's own policy, in the person's language."""
    dom = in_browser(tmp_path, page.page(renderer, KEY.public, receipt(), "de"))
    assert verdict(dom) == ("GÜLTIG: Diese Quittung ist bis aufs letzte Zeichen, was unterschrieben wurde.", True)
    assert "<dt>Nachrichten</dt><dd>2.031</dd>" in dom
    assert "Regeln von Räumen (12). Räume brauchen dies für alle anderen darin" in html.unescape(dom)
    assert 'download="receipt-DPO-2026-0042.json"' in dom


def test_a_browser_refuses_an_altered_one(renderer: Renderer, tmp_path: Path) -> None:
    """And shows nothing of what it says."""
    altered = receipt().replace("2031", "2030")
    dom = in_browser(tmp_path, page.page(renderer, KEY.public, altered, "en"))
    said, shown = verdict(dom)
    assert said.startswith("NOT VALID. The signature does not fit")
    assert not shown

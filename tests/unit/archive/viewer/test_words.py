"""The program's sentences: each that a part asks for is in the page, in every language, and none too many."""

import json
import re
import zlib

import pytest

from dpobot.archive import viewer
from dpobot.text.language import available
from dpobot.text.render import Renderer, templates_folder

ISLAND = re.compile(r'<script type="application/json" id="words">(.*?)</script>', re.DOTALL)
ASKED = re.compile(r'\b(?:word|button|pointer)\(\s*(?:[^()"?]*\? )?"([a-z-]+)"(?:(?: : )"([a-z-]+)")?')
PROBLEM = re.compile(r'new Problem\(\s*(?:\w+ \? )?"([a-z-]+)"(?: : "([a-z-]+)")?')
# parts whose Problems belong to a single message, to a file in the gallery, or to what was typed or chosen
OF_MESSAGES = {"missing", "altered", "other-room", "repeated", "unsupported", "broken"}
OF_FILES = {"choose-first", "not-held", "no-file", "altered", "unsupported", "broken", "not-a-zip"}


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(templates_folder(), {})


def words(renderer: Renderer, language: str) -> dict[str, str]:
    """Return the sentences of a page."""
    page = renderer.page("archive/viewer.html", language, viewer=viewer.Viewer(renderer).values({}))
    found = ISLAND.search(page)
    assert found
    said: dict[str, str] = json.loads(found[1])
    return said


def asked(renderer: Renderer) -> set[str]:
    """Return the names of all sentences that the program can want."""
    text = viewer.program(renderer)
    found = {name for pair in ASKED.findall(text) for name in pair if name}
    problems = {name for pair in PROBLEM.findall(text) for name in pair if name} | {"fault"}
    found |= {
        f"problem-{code}" for code in problems - {"choose-first", "not-held", "missing", "repeated", "other-room"}
    }
    found |= {f"{where}-{code}" for code in OF_MESSAGES for where in ("why", "closed")}
    return found | {f"file-problem-{code}" for code in OF_FILES}


def test_every_sentence_is_there_and_none_is_left_over(renderer: Renderer) -> None:
    """A name without a sentence would be shown as it is; kinds of events are named by the data."""
    held = {name for name in words(renderer, "en") if not name.startswith("kind-")}
    assert sorted(held) == sorted(asked(renderer))


@pytest.mark.parametrize("language", sorted(available()))
def test_every_language_has_the_same_places(renderer: Renderer, language: str) -> None:
    """What the program fills in stands in each translation."""

    def places(said: dict[str, str]) -> dict[str, list[str]]:
        return {name: sorted(re.findall(r"\{[a-z]+\}", text)) for name, text in said.items()}

    assert places(words(renderer, language)) == places(words(renderer, "en"))


def test_no_sentence_can_end_its_element(renderer: Renderer) -> None:
    """Whatever a room is called, it stays inside the JSON that it stands in."""
    assert "<" not in viewer.island({"name": "</script><script>alert(1)</script>"})


def test_the_program_takes_less_than_forty_kilobytes_packed(renderer: Renderer) -> None:
    """With the sentences of the longest language; a volume may have 100."""
    made = viewer.Viewer(renderer)
    pages = [renderer.page("archive/viewer.html", code, viewer=made.values({})) for code in available()]
    assert [
        size for size in (len(zlib.compress((page + made.style).encode())) for page in pages) if size > 40_000
    ] == []

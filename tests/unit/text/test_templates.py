"""Every sentence of `templates/user`: it renders, in both forms, and the code and the folder know the same ones."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dpobot
from dpobot.model.records import Reply
from dpobot.text.render import Renderer, templates_folder
from tests.unit.text.samples import GLOBALS, SAMPLES

# What Matrix clients show of HTML (spec 11.2.1.1 "m.room.message msgtypes")
ALLOWED = {"p", "ul", "ol", "li", "code", "strong", "a", "br"}
CASES = [(name, values) for name, sets in SAMPLES.items() for values in sets]


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(templates_folder(), GLOBALS)


def _sources() -> Iterator[ast.AST]:
    for path in Path(dpobot.__file__).parent.rglob("*.py"):
        yield from ast.walk(ast.parse(path.read_text("utf-8")))


def _first_words(called: str) -> set[str]:
    """The first argument of each call of a name, where it is written out."""
    return {
        node.args[0].value
        for node in _sources()
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == called
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_every_template_has_a_sample(renderer: Renderer) -> None:
    """The folder and the samples name the same templates, so that no sentence goes untested."""
    names = {name.removeprefix("user/").removesuffix(".html") for name in renderer.templates() if name[:5] == "user/"}
    assert {name for name in names if not name.startswith("parts/")} == set(SAMPLES)


@pytest.mark.parametrize(("name", "values"), CASES)
def test_it_reads_well_in_both_forms(renderer: Renderer, name: str, values: dict[str, Any]) -> None:
    """A message has HTML of allowed elements, and a plain text without markup, doubled blanks or loose punctuation."""
    content = renderer.message(Reply(name, values), "en")
    html, body = str(content["formatted_body"]), str(content["body"])
    assert set(re.findall(r"</?([a-z0-9]+)", html)) <= ALLOWED
    assert html.count("<p>") == html.count("</p>") >= 1 or "<ul>" in html
    assert not re.search(
        r"</?\w+>|&\w+;|None|Undefined|\(\)| [.,:;)]|\( |  +\S(?<!-)|\n{3}|[.!?:][A-Z]|(?<!@dpo):[a-z]|\d{4}[a-z]", body
    ), body
    assert body.strip() == body
    assert len(body) > 15


@pytest.mark.parametrize(("name", "values"), CASES)
def test_it_mentions_nobody(renderer: Renderer, name: str, values: dict[str, Any]) -> None:
    """No message of the bot notifies anybody but by being a message (MSC3952: an empty m.mentions)."""
    content = renderer.message(Reply(name, values), "en")
    assert content["m.mentions"] == {}
    assert "matrix.to" not in str(content["formatted_body"])


def test_every_refusal_has_a_sentence_and_every_sentence_a_refusal(renderer: Renderer) -> None:
    """The codes raised anywhere in the code are exactly the templates `refusal_*`."""
    codes = {name.removeprefix("refusal_") for name in SAMPLES if name.startswith("refusal_")}
    assert _first_words("Refusal") == codes


def test_every_reply_in_the_code_has_a_template() -> None:
    """No code names a template that doesn't exist."""
    assert _first_words("Reply") - set(SAMPLES) == set()


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_values_are_data(renderer: Renderer, name: str) -> None:
    """Hostile values in any place come out escaped, cleaned and short enough to send."""
    hostile = (
        "<img src=x onerror=alert(1)>{{ 7*7 }}\u202e\x00\x1b[31m**b**[p](https://evil.example) @room " + "A" * 1_000_000
    )
    values = {
        key: hostile if isinstance(value, str) and key not in ("kind", "state", "trust", "name") else value
        for key, value in SAMPLES[name][0].items()
    }
    content = renderer.message(Reply(name, values), "en")
    html = str(content.get("formatted_body", ""))
    assert "<img" not in html
    assert "49" not in html.replace("2490", "")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", html + str(content["body"]))
    assert 'href="https://evil' not in html
    assert len(str(content)) < 60_000

"""Every sentence of `templates/user` and `templates/staff`: it renders in each language, and code and folder agree."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dpobot
from dpobot.model.records import Reply
from dpobot.text.language import available
from dpobot.text.render import Renderer, templates_folder
from tests.unit.text.collected import SAMPLES
from tests.unit.text.samples import GLOBALS

_MESSAGES = ("user/", "staff/", "receipt/", "federation/")
LANGUAGES = ("en", "de", "fr")
# What Matrix clients show of HTML (spec 11.2.1.1 "m.room.message msgtypes")
ALLOWED = {"p", "ul", "ol", "li", "code", "strong", "a", "br"}
# markup, a missing value, a blank before a mark, doubled blanks, too many empty lines, two sentences run together
USER_ID = re.compile(r"@[\w.-]+:(?=\w)")
UNTIDY = re.compile(r"</?\w+>|&\w+;|None|Undefined|\(\)| [.,:;)]|\( |  +\S(?<!-)|\n{3}|[.!?:][A-Z]|:[a-z]|\d{4}[a-z]")
# what the language writes in another way
FOREIGN = {
    "en": re.compile(r"[„«»]|\u202f[:;!?]"),
    "de": re.compile(r"[”«»]|\u202f[:;!?]"),
    "fr": re.compile(r"[„“”]|[^\s\u202f][:;!?](?!\S)|«(?!\u202f)|(?<!\u202f)»"),
}
CODE = re.compile(r"`[^`]*`")


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(templates_folder(), GLOBALS)


def _sources() -> Iterator[ast.AST]:
    for path in Path(dpobot.__file__).parent.rglob("*.py"):
        yield from ast.walk(ast.parse(path.read_text("utf-8")))


def _written_out(node: ast.expr) -> Iterator[str]:
    """The texts that an argument can be: itself, or either side of a condition."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _written_out(node.body)
        yield from _written_out(node.orelse)


def _first_words(called: str) -> set[str]:
    """The first argument of each call of a name, where it is written out."""
    return {
        word
        for node in _sources()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == called and node.args
        for word in _written_out(node.args[0])
    }


def _refusals(folder: str) -> set[str]:
    return {name.removeprefix(f"{folder}refusal_") for name in SAMPLES if name.startswith(f"{folder}refusal_")}


def test_these_are_the_languages_that_dpobot_speaks() -> None:
    """Each has its catalogue."""
    assert sorted(available()) == sorted(LANGUAGES)


def test_every_template_has_a_sample(renderer: Renderer) -> None:
    """The folders and the samples name the same templates, so that no sentence goes untested."""
    paths = {name.removesuffix(".html") for name in renderer.templates() if "/parts/" not in name}
    paths -= {"receipt/verify"}  # a page
    names = {path.removeprefix("user/") for path in paths if path.startswith(_MESSAGES)}
    assert names == set(SAMPLES)


def _shown(values: dict[str, Any], language: str) -> str:
    """Return in which language a message is quoted; the reader's if none is."""
    plan = values.get("plan", {})
    quoted = plan.get("notice", values.get("notice"))
    return str(plan.get("language") or (quoted["language"] if isinstance(quoted, dict) else language))


def _messages(renderer: Renderer, name: str, language: str) -> Iterator[tuple[str, str, str]]:
    """HTML and plain text of each way in which a template can come out, and the language of what it shows of a plan."""
    for values in SAMPLES[name]:
        content = renderer.message(Reply(name, values), language)
        assert content["m.mentions"] == {}  # no message notifies anybody but by being a message (MSC3952)
        shown = _shown(values, language)
        yield str(content["formatted_body"]), str(content["body"]), shown


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_it_reads_well_in_both_forms(renderer: Renderer, name: str, language: str) -> None:
    """A message has HTML of allowed elements, and a plain text without markup, doubled blanks or loose punctuation."""
    for html, body, shown in _messages(renderer, name, language):
        assert set(re.findall(r"</?([a-z0-9]+)", html)) <= ALLOWED
        assert html.count("<p>") == html.count("</p>") >= 1 or "<ul>" in html
        assert "matrix.to" not in html
        assert not UNTIDY.search(USER_ID.sub("", body)), body
        assert shown != language or not FOREIGN[language].search(CODE.sub("", body)), body
        assert body.strip() == body
        assert len(body) > 15


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_translation_is_not_the_english_text(renderer: Renderer, name: str, language: str) -> None:
    """A template whose words stand outside of every `trans` would never be translated."""
    reply = Reply(name, SAMPLES[name][0])
    assert renderer.message(reply, language)["body"] != renderer.message(reply, "en")["body"]


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
@pytest.mark.parametrize("name", sorted(SAMPLES.keys() - {"refusal_no_words"}))  # this one shows words of one's own
def test_what_is_to_be_typed_is_the_same_in_every_language(renderer: Renderer, name: str, language: str) -> None:
    """The parser knows the commands; codes and user IDs are nobody's language."""
    for values in SAMPLES[name]:
        english, other = (renderer.message(Reply(name, values), each)["body"] for each in ("en", language))
        assert sorted(CODE.findall(str(other))) == sorted(CODE.findall(str(english)))


@pytest.mark.parametrize(("error", "folder"), [("Refusal", ""), ("StaffRefusal", "staff/")])
def test_every_refusal_has_a_sentence_and_every_sentence_a_refusal(error: str, folder: str) -> None:
    """The codes raised anywhere in the code are exactly the templates `refusal_*`."""
    assert _first_words(error) == _refusals(folder)


def test_every_reply_in_the_code_has_a_template() -> None:
    """No code names a template that doesn't exist."""
    assert _first_words("Reply") - set(SAMPLES) == set()


def test_every_template_is_named_in_the_code() -> None:
    """No sentence is kept that nobody says: its name, or how it begins, stands in the code."""
    texts = {node.value for node in _sources() if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    beginnings = tuple(text for text in texts if text.endswith("_"))
    refusals = {f"{folder}refusal_{code}" for folder in ("", "staff/") for code in _refusals(folder)}
    assert {name for name in set(SAMPLES) - texts - refusals if not name.startswith(beginnings)} == set()


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

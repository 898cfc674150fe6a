"""The catalogues are complete: each sentence of code and templates has its translation, with the same values in it."""

import io
import re
from collections import Counter
from pathlib import Path

import jinja2
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from dpobot.text.language import DOMAIN, LOCALES, available, translations
from tests.test_shape import ROOT

LANGUAGES = ("de", "fr")
HINT = "run `make catalogues`, then write the translations into dpobot/text/locale/*/LC_MESSAGES/dpobot.po"
_VALUE = re.compile(r"%\(\w+\)s|%%|\{\w+\}")
_TAG = re.compile(r"</?\w+[^>]*>")
_CODE = re.compile(r"<code>(.*?)</code>")
_STRAIGHT = re.compile(r"""['"]""")
_ADDRESS = r'"[^"]*"|&\w+;'  # attributes of tags, entities
_UNREAD = re.compile(r"<code>.*?</code>|<!--.*?-->|<[^>]*>|&\w+;|\w+\.json", re.DOTALL)
_FRENCH_MARK = re.compile(r"[^\s\u202f][:;!?](?=\s|<|$)|[ \u00a0][:;!?]|«(?!\u202f)|(?<!\u202f)»")
_MARKS = {
    "de": re.compile(r"[”«»]|\b(?:du|dein\w*|dir|dich)\b", re.IGNORECASE),
    "fr": re.compile(r"[„“”]|\b(?:tu|ton|toi)\b", re.IGNORECASE),
}

Key = tuple[str | None, str | tuple[str, ...]]


def _key(message: Message) -> Key:
    return message.context, tuple(message.id) if isinstance(message.id, list | tuple) else message.id


def _strings(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def _done(catalogue: Catalog) -> list[Message]:
    """The sentences that have a translation; one test lists those that have none."""
    return [each for each in catalogue if each.id and all(_strings(each))]


def _catalogue(path: Path, language: str | None = None) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


@pytest.fixture(scope="module")
def template() -> dict[Key, Message]:
    return {_key(each): each for each in _catalogue(LOCALES / f"{DOMAIN}.pot") if each.id}


@pytest.fixture(scope="module", params=LANGUAGES)
def translated(request: pytest.FixtureRequest) -> Catalog:
    return _catalogue(LOCALES / request.param / "LC_MESSAGES" / f"{DOMAIN}.po", request.param)


def _extracted() -> set[Key]:
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # Babel's commands have no types
    found = Catalog()
    for folder in ("templates", "dpobot"):
        keywords = DEFAULT_KEYWORDS | {"translatable": None}
        for _, _, text, _, context in extract_from_dir(ROOT / folder, methods, options, keywords):
            found.add(text, context=context)
    return {_key(each) for each in found if each.id}


def test_the_template_holds_what_code_and_templates_say_now(template: dict[Key, Message]) -> None:
    """Neither a sentence too few nor one that nobody says any more."""
    now = _extracted()
    assert (now - template.keys(), template.keys() - now) == (set(), set()), HINT


def test_every_language_has_every_sentence_and_no_other(translated: Catalog, template: dict[Key, Message]) -> None:
    """A missing translation is an error, and so is one that nobody needs."""
    done = {_key(each) for each in _done(translated)}
    missing = [f"{each.locations[0][0]}: {each.id}" for key, each in template.items() if key not in done]
    assert missing == [], "\n".join(["no translation; " + HINT, *missing])
    assert (done - template.keys(), list(translated.obsolete)) == (set(), []), HINT


def test_nothing_is_only_guessed(translated: Catalog) -> None:
    """A fuzzy translation is not compiled: the person would read English."""
    assert [each.id for each in translated if each.id and each.fuzzy] == []


def _same(pattern: re.Pattern[str], message: Message) -> bool:
    ids = [message.id] if isinstance(message.id, str) else list(message.id)
    wanted = [Counter(pattern.findall(each)) for each in ids]
    return all(Counter(pattern.findall(each)) in wanted for each in _strings(message))


@pytest.mark.parametrize("pattern", [_VALUE, _TAG, _CODE], ids=["values", "tags", "code"])
def test_a_translation_has_the_same_values_tags_and_commands(translated: Catalog, pattern: re.Pattern[str]) -> None:
    """What stands in a sentence for a value, its markup, and the words that the parser knows, are no words of it."""
    assert [each.string for each in _done(translated) if not _same(pattern, each)] == []


def test_no_percent_sign_stands_alone(translated: Catalog) -> None:
    """Each sentence of a template is filled in with `%`."""
    texts = [text for each in _done(translated) for text in _strings(each)]
    assert [text for text in texts if "%" in _VALUE.sub("", text)] == []


def test_plural_forms_are_all_there(translated: Catalog) -> None:
    """As many as the language has, wherever English has two."""
    plurals = [each for each in _done(translated) if not isinstance(each.id, str)]
    assert plurals
    assert {len(_strings(each)) for each in plurals} == {translated.num_plurals}


def test_it_is_written_as_the_language_is_written(translated: Catalog) -> None:
    """Its own quotation marks, curved apostrophes, French spaces before marks, and polite forms of address."""
    language = str(translated.locale)
    texts = {text: re.sub(_ADDRESS, "", text) for each in _done(translated) for text in _strings(each)}
    wrong = [text for text, plain in texts.items() if _STRAIGHT.search(plain) or _MARKS[language].search(plain)]
    if language == "fr":
        wrong += [text for text, plain in texts.items() if _FRENCH_MARK.search(plain)]
    assert wrong == []


def _words_outside(template: str) -> set[str]:
    """The words of a template that no translator ever sees: neither in a sentence, nor in code, nor in a tag."""
    text, sentence, place = "", False, ""
    for _, kind, value in jinja2.Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).lex(template):
        if kind == "name" and place == "block_begin" and value in ("trans", "endtrans"):
            sentence = value == "trans"
        if kind == "data" and not sentence:
            text += value
        if kind != "whitespace":
            place = kind
    return set(re.findall(r"[^\W\d_]{2,}", _UNREAD.sub(" ", text)))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "templates").glob("*/**/*.html")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_no_word_of_a_template_stands_outside_of_a_sentence(path: Path) -> None:
    """It would be English in every language."""
    assert _words_outside(path.read_text("utf-8")) - {"JSON", "Lines", "SHA"} == set()


def test_blanks_at_the_ends_are_kept(translated: Catalog) -> None:
    """A translation joins its neighbours as the English sentence does."""
    ends = re.compile(r"^\s*|\s*$")
    pairs = [(each.id, str(each.string)) for each in _done(translated) if isinstance(each.id, str)]
    assert [pair for pair in pairs if pair[0].strip() and ends.findall(pair[0]) != ends.findall(pair[1])] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    """The .mo files, which the wheel brings along, hold the .po files."""
    folder = LOCALES / language / "LC_MESSAGES"
    compiled = io.BytesIO()
    write_mo(compiled, _catalogue(folder / f"{DOMAIN}.po", language))
    assert (folder / f"{DOMAIN}.mo").read_bytes() == compiled.getvalue(), HINT


def test_the_languages_are_found_without_babel() -> None:
    """Python's own gettext reads them."""
    assert list(available()) == ["en", *LANGUAGES]
    assert [translations(code).gettext("Your data") for code in ("en", *LANGUAGES)] == [
        "Your data",
        "Ihre Daten",
        "Vos données",
    ]

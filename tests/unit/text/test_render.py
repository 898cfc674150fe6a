"""The renderer itself, on templates of its own."""

from pathlib import Path

import jinja2
import pytest

from dpobot.model.records import Reply
from dpobot.text.plain import plain_text
from dpobot.text.render import Renderer, templates_folder


def _renderer(folder: Path, template: str, **values: object) -> Renderer:
    (folder / "user").mkdir()
    (folder / "user" / "x.html").write_text(template, "utf-8")
    return Renderer(folder, values)


def test_a_message_has_both_forms(tmp_path: Path) -> None:
    """HTML for clients that show it, plain text for those that don't."""
    renderer = _renderer(
        tmp_path, "<p>Hello\n <strong>{{ who }}</strong></p>\n<p>{{ service }}</p>", service="example.org"
    )
    assert renderer.message(Reply("x", {"who": "you"}), "en") == {
        "msgtype": "m.text",
        "body": "Hello you\n\nexample.org",
        "format": "org.matrix.custom.html",
        "formatted_body": "<p>Hello <strong>you</strong></p><p>example.org</p>",
        "m.mentions": {},
    }


def test_a_notice_is_a_notice(tmp_path: Path) -> None:
    """What need not notify anybody is m.notice."""
    assert _renderer(tmp_path, "<p>x</p>").message(Reply("x", notice=True), "en")["msgtype"] == "m.notice"


def test_a_forgotten_value_is_an_error(tmp_path: Path) -> None:
    """A template never shows an empty place where a fact belongs."""
    with pytest.raises(jinja2.UndefinedError):
        _renderer(tmp_path, "<p>{{ missing }}</p>").message(Reply("x"), "en")


def test_a_broken_template_shows_at_the_start(tmp_path: Path) -> None:
    """Not only when somebody needs it."""
    with pytest.raises(jinja2.TemplateSyntaxError):
        _renderer(tmp_path, "{% if %}")


def test_an_unknown_language_is_english(tmp_path: Path) -> None:
    """A person always gets an answer."""
    renderer = _renderer(tmp_path, "<p>{% trans %}Yes{% endtrans %}</p>")
    assert renderer.message(Reply("x"), "tlh")["body"] == "Yes"


def test_marks_outside_of_sentences_follow_the_language(tmp_path: Path) -> None:
    """French puts a narrow unbreakable space before a colon, each language has its own quotation marks."""
    renderer = _renderer(
        tmp_path,
        "<p>{% if word %}<code>{{ word }}</code>:{% endif %} {% trans %}yes{% endtrans %}; “{{ word }}”? "
        "&amp; {{ address }}:1 "
        '<a href="mailto:{{ address }}">{{ address }}</a></p>',
    )
    reply = Reply("x", {"word": "a: b", "address": "c: d"})
    bodies = {code: renderer.message(reply, code)["body"] for code in ("en", "de", "fr")}
    assert bodies == {
        "en": "`a: b`: yes; “a: b”? & c: d:1 c: d",
        "de": "`a: b`: ja; „a: b“? & c: d:1 c: d",
        "fr": "`a: b`\u202f: oui\u202f; «\u202fa: b\u202f»\u202f? & c: d:1 c: d",
    }


def test_marks_of_code_stay_as_they_are_typed(tmp_path: Path) -> None:
    """A command with a narrow space before its colon would be another word."""
    renderer = _renderer(
        tmp_path,
        "<p><code>close: …</code>: <code>{{ word }}: “{{ word }}”: x</code>: "
        "<code>{% if word %}a: {% endif %}b: c</code>: d:<code>x</code></p>",
    )
    body = renderer.message(Reply("x", {"word": "w"}), "fr")["body"]
    assert body == "`close: …`\u202f: `w: “w”: x`\u202f: `a: b: c`\u202f: d\u202f:`x`"


def test_marks_of_a_sentence_are_left_to_its_translation(tmp_path: Path) -> None:
    """Otherwise it would not be found in the catalogue, or be changed where there is none."""
    renderer = _renderer(tmp_path, "<p>{% trans %}Person:{% endtrans %} {% trans %}“a”: b{% endtrans %}</p>")
    assert renderer.message(Reply("x"), "fr")["body"] == "Personne\u202f: “a”: b"


def test_translated_sentences_escape_their_values(tmp_path: Path) -> None:
    """Names inside a translated sentence are as harmless as elsewhere."""
    renderer = _renderer(tmp_path, "<p>{% trans who=who %}Hello {{ who }}{% endtrans %}</p>")
    assert renderer.message(Reply("x", {"who": "<b>"}), "en")["formatted_body"] == "<p>Hello &lt;b&gt;</p>"


def test_names_in_lists_are_cleaned_too(tmp_path: Path) -> None:
    """Cleaning reaches every depth of the values."""
    renderer = _renderer(tmp_path, "<p>{% for each in rooms %}{{ each.name }}{% endfor %}</p>")
    reply = Reply("x", {"rooms": [{"name": "a\u202eb\x07c"}]})
    assert renderer.message(reply, "en")["body"] == "abc"


def test_a_message_that_would_not_fit_is_cut_as_plain_text(tmp_path: Path) -> None:
    """An event may have 65,536 bytes after encryption; a longer answer keeps its beginning."""
    renderer = _renderer(tmp_path, "<p>{% for each in names %}{{ each }} {% endfor %}</p>")
    content = renderer.message(Reply("x", {"names": ["n" * 5000] * 100}), "en")
    assert "formatted_body" not in content
    assert 5_000 < len(str(content["body"])) < 40_000


def test_a_page_keeps_every_character_and_escapes_it(tmp_path: Path) -> None:
    """An archive shows data as it is: nothing is cut or cleaned away, only made harmless."""
    renderer = _renderer(tmp_path, "<p>{{ text }}</p>")
    text = "\u202e<b>" + "x" * 20_000
    assert renderer.page("user/x.html", "en", text=text) == f"<p>\u202e&lt;b&gt;{'x' * 20_000}</p>"


def test_pages_of_an_archive_speak_the_language() -> None:
    """Not only messages do."""
    renderer = Renderer(templates_folder(), {})
    end = {"following": None, "continued": False}
    pages = [renderer.page("archive/room_end.html", code, **end) for code in ("en", "de", "fr")]
    assert [plain_text(page) for page in pages] == ["End of this room.", "Ende dieses Raums.", "Fin de ce salon."]


def test_the_templates_of_this_checkout_are_found() -> None:
    """Top-level templates/ in a checkout."""
    assert (templates_folder() / "user" / "help.html").is_file()


def test_plain_text_of_lists_links_and_code() -> None:
    """Lists get bullets or numbers, code its marks, links their address unless it is shown already."""
    html = (
        '<p>See <a href="https://a.example">here</a> or <a href="https://b.example">https://b.example</a>:</p>'
        "<ul><li>one<ul><li>inner</li></ul></li><li>two <code>x</code></li></ul><ol><li>a</li><li>b</li></ol><p>end</p>"
    )
    assert plain_text(html) == (
        "See here (https://a.example) or https://b.example:\n\n- one\n  - inner\n- two `x`\n\n1. a\n2. b\n\nend"
    )

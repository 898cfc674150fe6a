"""Templates in, Matrix messages and archive pages out."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

import dpobot
from dpobot.model.records import Reply
from dpobot.text import filters, language, typography
from dpobot.text.plain import plain_text

# An event may have 65,536 bytes (spec 4.2.8 "Size limits"); Megolm and base64 make a third more of it, and the
# envelope takes its share.
MOST_BYTES = 40_000
MOST_CHARACTERS = 8_000  # of one value
MOST_ITEMS = 200  # of one list
HTML_FORMAT = "org.matrix.custom.html"

_BLOCK = re.compile(
    r"[ \t\r\n]*(</?(?:p|ul|ol|li|h[1-6]|blockquote|br|hr|table|thead|tbody|tr|td|th)\b[^>]*>)[ \t\r\n]*"
)
_SPACES = re.compile(r"[ \t\r\n]+")  # not the unbreakable ones


def templates_folder() -> Path:
    """Return the folder of all templates: top level of a checkout, or inside the installed package."""
    package = Path(dpobot.__file__).resolve().parent
    installed = package / "_templates"
    return installed if installed.is_dir() else package.parent / "templates"


class Renderer:
    """Renders templates; ``values`` (the operator's facts and the like) are known to each of them.

    Compiled templates are kept. Escaping is always on, an unknown name in a template is an error.
    """

    def __init__(self, templates: Path, values: Mapping[str, object]) -> None:
        self._folder = templates
        self._values = dict(values)
        self._environments: dict[str, jinja2.Environment] = {}
        self._for_messages: dict[str, jinja2.Environment] = {}
        for name in self._environment(language.DEFAULT).list_templates(extensions=["html"]):
            self._environment(language.DEFAULT).get_template(name)  # a broken template shows at the start

    def page(self, template: str, language: str, **values: object) -> str:
        """Return a whole page, e.g. ``archive/index.html``. Its values are escaped, but neither cut nor cleaned."""
        return self._environment(language).get_template(template).render(**values)

    def message(self, reply: Reply, language: str) -> dict[str, object]:
        """Return the content of an ``m.room.message`` (spec 11.2 "Instant Messaging") that mentions nobody.

        Strings among the reply's values lose control and direction characters and are cut at a generous length.
        """
        name = reply.template if "/" in reply.template else f"user/{reply.template}"
        template = self._message_environment(language).get_template(f"{name}.html")
        html = _tidy(template.render(**{key: _harmless(value) for key, value in reply.values.items()}))
        content: dict[str, object] = {
            "msgtype": "m.notice" if reply.notice else "m.text",
            "body": plain_text(html),
            "format": HTML_FORMAT,
            "formatted_body": html,
            "m.mentions": {"user_ids": list(reply.mentions)} if reply.mentions else {},
        }
        return content if len(json.dumps(content)) <= MOST_BYTES else _shortened(content)

    def templates(self) -> frozenset[str]:
        """Return the names of all templates, with their folder: ``user/help.html``."""
        return frozenset(self._environment(language.DEFAULT).list_templates(extensions=["html"]))

    def _as_read(self, template: str, language: str, **values: object) -> Markup:
        """Return, for a template in one language, what somebody reads in another: one message shown within another.

        The values are those of the template that asks, and have been cleaned with it.
        """
        return Markup(self._message_environment(language).get_template(template).render(**values))  # noqa: S704 - ours

    def _message_environment(self, wanted: str) -> jinja2.Environment:
        """In messages a line end between two sentences is a blank; in pages blanks would only make them larger."""
        code = wanted if wanted in language.available() else language.DEFAULT
        if code not in self._for_messages:
            pages = self._environment(code)
            self._for_messages[code] = pages.overlay(trim_blocks=False, lstrip_blocks=False)
        return self._for_messages[code]

    def _environment(self, wanted: str) -> jinja2.Environment:
        code = wanted if wanted in language.available() else language.DEFAULT
        if code not in self._environments:
            self._environments[code] = _environment(self._folder, self._values | {"as_read": self._as_read}, code)
        return self._environments[code]


def _environment(folder: Path, values: Mapping[str, object], code: str) -> jinja2.Environment:
    translations = language.translations(code)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n", *typography.of(code)],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.policies["ext.i18n.trimmed"] = True
    # the extension adds this method to the environment when it is loaded
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(values)
    environment.filters.update(filters.all_filters(translations))
    return environment


def _harmless(value: Any) -> Any:
    """Clean every string in a value that is to stand in a message; Markup is ours and stays."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return filters.clean(value, MOST_CHARACTERS)
    if isinstance(value, Mapping):
        return {key: _harmless(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_harmless(item) for item in list(value)[:MOST_ITEMS]]
    return value


def _tidy(html: str) -> str:
    """Take the white space out that only the template's layout needed."""
    return _BLOCK.sub(r"\1", _SPACES.sub(" ", html)).strip()


def _shortened(content: dict[str, object]) -> dict[str, object]:
    """Keep what fits of the plain text; cutting HTML in two would break it."""
    body = str(content["body"])
    while len(json.dumps(body)) > MOST_BYTES // 2:
        body = body[: len(body) // 2].rstrip() + " …"
    return {"msgtype": content["msgtype"], "body": body, "m.mentions": content["m.mentions"]}

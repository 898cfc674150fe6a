"""What a browser is shown: small pages without scripts, with the headers that keep a link to the one who has it."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol

from aiohttp import web

from dpobot.text.language import DEFAULT, available

_ALWAYS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
_NOTHING = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
_MOST_LANGUAGES = 20  # of a header that anybody can write


class Pages(Protocol):
    """Renders whole pages (kept by `text.render.Renderer`)."""

    def page(self, template: str, language: str, **values: object) -> str:
        """Return a page."""
        ...


class Answers:
    """Makes answers of templates."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._style = pages.page("download/style.css", DEFAULT)
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        self._policy = f"{_NOTHING}; style-src 'sha256-{digest}'; form-action 'self'"

    def page(self, name: str, language: str, status: int = 200, **values: object) -> web.Response:
        """Return ``templates/download/<name>.html``."""
        text = self._pages.page(f"download/{name}.html", language, lang=language, style=self._style, **values)
        headers = {"Content-Security-Policy": self._policy, "Content-Language": language}
        return web.Response(text=text, content_type="text/html", status=status, headers=headers)


async def seal(_request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Give every answer, errors included, what each must have; and don't say what software answers."""
    for name, value in _ALWAYS.items():
        response.headers[name] = value
    response.headers.setdefault("Content-Security-Policy", _NOTHING)
    response.headers.popall("Server", None)


def language_of(accepted: Sequence[str]) -> str:
    """Return the language that a browser likes best of ours (RFC 9110, 12.5.4 "Accept-Language")."""
    wishes: list[tuple[float, str]] = []
    for wish in ",".join(accepted).split(",")[:_MOST_LANGUAGES]:
        name, _, quality = wish.partition(";")
        code = name.strip().lower().partition("-")[0]
        weight = _weight(quality)
        if code in available() and weight > 0:
            wishes.append((weight, code))
    return max(wishes, key=lambda pair: pair[0], default=(0.0, DEFAULT))[1]


def _weight(quality: str) -> float:
    name, _, value = quality.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    digits = value.strip()
    return float(digits) if len(digits) <= 5 and digits.replace(".", "", 1).isascii() and _is_number(digits) else 0.0


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()

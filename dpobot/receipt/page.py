"""The page that comes with a receipt: one file that shows it and checks it in a browser, without network."""

import base64
import hashlib
import html
import re
from collections.abc import Mapping
from typing import Protocol

from dpobot.model.records import Attachment
from dpobot.receipt import check, reasons

WELL_KNOWN = "/.well-known/matrix/org.dpobot.receipt_keys"
TIMES = ("requested", "confirmed", "begun", "erased", "checked")
_HELD = re.compile(r'<textarea id="receipt"[^>]*>(.*?)</textarea>', re.DOTALL)


class Pages(Protocol):
    """Renders whole pages (kept by `text.render.Renderer`)."""

    def page(self, template: str, language: str, **values: object) -> str:
        """Return a page."""
        ...


def attachment(pages: Pages, keys: Mapping[str, str], document: str, language: str) -> Attachment:
    """Return the page with a receipt in it, to be sent; also `dpobot verify` reads it.

    ``keys``: public keys by their names, the current one first; the one that has signed is shown.
    """
    case = str(check.parsed(document)["case"])
    signed_with = keys.get(check.key_id_in(document)) or next(iter(keys.values()))
    data = page(pages, signed_with, document, language).encode()
    return Attachment(f"receipt-{case}.html", "text/html", data)


def page(pages: Pages, public_key: str, document: str, language: str) -> str:
    """Return the page; ``document`` may be empty."""
    style, script = (pages.page(f"receipt/{name}", language) for name in ("style.css", "verify.js"))
    return pages.page(
        "receipt/verify.html",
        language,
        lang=language,
        policy=(
            f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; "
            "base-uri 'none'; form-action 'none'"
        ),
        style=style,
        script=script,
        document=document,
        public_key=public_key,
        path=WELL_KNOWN,
        categories=sorted(reasons.CATEGORIES),
        reasons=sorted(reasons.REASONS),
        expected=reasons.EXPECTED,
        errors=check.CODES,
        times=TIMES,
    )


def document_in(text: str) -> str:
    """Return the receipt in a text: what the page holds, or the text itself."""
    held = _HELD.search(text)
    return html.unescape(held.group(1)) if held else text


def _source(text: str) -> str:
    """Return what a Content-Security-Policy names an inline part by (CSP Level 3, "Hash source")."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

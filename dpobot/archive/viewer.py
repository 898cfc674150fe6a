"""The program of an archive's ``index.html``: it searches, and decrypts on the person's own machine.

How a page takes it in: ``Viewer(pages)`` once; ``policy`` is the page's Content-Security-Policy, ``style`` goes behind
the archive's own (the hash in the policy is that of both together); the template gets
``viewer=viewer.values(contents)`` and says ``{% include "archive/viewer.html" %}`` once, in its main part. That brings
panel, sentences, contents and program.
``contents`` is what the program is told of the volume: `docs/archive.md`, "Data for the program".
"""

import base64
import hashlib
import json
from collections.abc import Mapping

from dpobot.archive import layout
from dpobot.archive.facts import Pages

# In the order in which they stand in the program; each uses only what is above it when the page is read.
PARTS = (
    "bytes",
    "sha256",
    "aes",
    "cbc",
    "megolm",
    "keyfile",
    "secrets",
    "backup",
    "safe",
    "shown",
    "vault",
    "talk",
    "data",
    "fold",
    "search",
    "zip",
    "source",
    "attachment",
    "dom",
    "archive",
    "find",
    "conversation",
    "gallery",
    "unlock",
    "panel",
)
_LANGUAGE = "en"  # the program itself holds no sentences


class Viewer:
    """The program with what belongs to it, the same for every volume of an archive."""

    def __init__(self, pages: Pages) -> None:
        self.program = program(pages)
        self.style = pages.page("archive/viewer.css", _LANGUAGE)

    def policy(self, style_sha256: str) -> str:
        """Return the Content-Security-Policy of the page; ``style_sha256`` is the base64 digest of its style.

        The program may add scripts beside it, markup that somebody smuggled in may not (CSP Level 3, "strict-dynamic");
        only the program's own policy makes their addresses (Trusted Types).
        """
        return (
            f"default-src 'none'; script-src 'sha256-{_digest(self.program)}' 'strict-dynamic'; "
            f"style-src 'sha256-{style_sha256}'; img-src 'self' file: blob:; media-src 'self' file: blob:; "
            "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types dpobot"
        )

    def values(self, contents: Mapping[str, object]) -> dict[str, object]:
        """Return what the template ``archive/viewer.html`` needs as ``viewer``."""
        shown = {"image": layout.IMAGES, "video": layout.VIDEOS, "audio": layout.AUDIOS}
        types = {kind: sorted(names) for kind, names in shown.items()}
        return {"program": self.program, "contents": island({**contents, "types": types})}


def program(pages: Pages) -> str:
    """Return the text of the program: its parts in one strict function, out of reach of the page's other names."""
    parts = "\n".join(source(pages, part) for part in PARTS)
    return f'"use strict";\n(() => {{\n{parts}\nstart();\n}})();\n'


def source(pages: Pages, part: str) -> str:
    """Return one part of the program."""
    return pages.page(f"archive/viewer/{part}.js", _LANGUAGE)


def island(value: object) -> str:
    """Return JSON that can stand in ``<script type="application/json">``: nothing in it ends the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

"""The statement (Art. 15(1) and (2) GDPR): what is really held of this person, why, how long, who received it."""

from collections.abc import Iterable

from dpobot.archive.spool import encode
from dpobot.archive.statement.document import RIGHTS, data, statement
from dpobot.archive.statement.held import State
from dpobot.archive.statement.paper import paper
from dpobot.archive.telling import Telling
from dpobot.archive.volume import Packed, pack

PAGE, DATA, PAPER = "statement.html", "statement.json", "statement.pdf"


def chapter(telling: Telling) -> Iterable[Packed]:
    """Return ``statement.html``, ``statement.json`` and ``statement.pdf``."""
    told = statement(telling)
    values = {"told": told, **{state.value: told.of(state) for state in State}, "rights": RIGHTS}
    page = telling.writer.text("statement", PAGE, values)
    return (
        pack(PAGE, page.encode()),
        pack(DATA, encode(data(told)) + b"\n"),
        pack(PAPER, paper(page, telling.facts)),
    )

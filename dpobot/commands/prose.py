"""Talk between staff that only begins like a command: nothing of it may reach a person or change a case. Pure."""

from collections.abc import Mapping
from enum import Enum, auto

from dpobot.commands.parse import normal
from dpobot.commands.staff_parse import StaffSaid

# A sentence that goes on after a verb ("close to the deadline", "hold on", "verify that he is") does so with these.
_GOES_ON = frozenset(
    (  # noqa: SIM905 a hundred quotation marks less
        "a about after again all an and any as at because been before but by can case cases could did do does "
        "down during each enough for from had has have he her here him his how i if in into is it its just "
        "later like maybe me might must my no not now of off on once one or our out over own perhaps please "
        "she should since so some soon still than that the their them then there these they this those till "
        "to today tomorrow too until up us was we were what when where whether while who why will with would "
        "yet you your "
    ).split()
)
# "reply to him", "reply was sent": talk about a reply
_ABOUT_IT = frozenset({"came", "from", "has", "sent", "to", "was"})
_QUOTES = "\"'“„«‘"  # noqa: RUF001 quotation marks as people type them


class Guard(Enum):
    """How sure it must be that the words behind a command belong to it."""

    SENTENCE = auto()  # can't be undone: a sentence of its own (capital letter, quotation mark) or a colon before it
    PROSE = auto()  # may not go on as talk does
    ABOUT_IT = auto()  # may not go on as talk about a reply does


GUARDS: Mapping[str, Guard] = {
    "close": Guard.SENTENCE,
    "extend": Guard.PROSE,
    "hold": Guard.PROSE,
    "pause": Guard.PROSE,
    "pause-deliveries": Guard.PROSE,
    "reply": Guard.ABOUT_IT,
    "verify": Guard.PROSE,
}


def reads_like_talk(said: StaffSaid, text: str) -> bool:
    """Say whether ``text``, the free words of a command, may be meant for colleagues. A colon or a prefix says no."""
    guard = GUARDS.get(said.command)
    if guard is None or said.marked or said.prefixed or not text:
        return False
    if guard is Guard.SENTENCE:
        return not (text[0].isupper() or text[0] in _QUOTES)
    words = _ABOUT_IT if guard is Guard.ABOUT_IT else _GOES_ON
    return not text[0].isupper() and normal(text.split()[0]) in words

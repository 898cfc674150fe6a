"""Talk between staff that only begins like a command: nothing of it may reach a person or change a case. Pure."""

from collections.abc import Mapping

from dpobot.commands.parse import normal
from dpobot.commands.staff_parse import StaffSaid

# Sentences that go on after a verb do so with these ("pause for now", "hold on", "verify that he is", "reply to him").
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
GOES_ON: Mapping[str, frozenset[str]] = {
    "pause": _GOES_ON,  # the person reads the words: they are a sentence of their own
    "extend": frozenset({"day", "days", "month", "months", "more", "week", "weeks"}),
    "hold": frozenset({"back", "her", "him", "it", "off", "on", "please", "still", "that", "them", "this", "your"}),
    "reply": frozenset({"came", "from", "has", "sent", "to", "was"}),
    "verify": frozenset(
        {"again", "first", "her", "him", "his", "if", "it", "please", "that", "their", "them", "this", "whether", "who"}
    ),
}
# What can't be undone takes a sentence: a capital letter or a quotation mark ("close to the deadline" has neither).
SENTENCE = frozenset({"close"})
_QUOTES = "\"'“„«‘"  # noqa: RUF001 quotation marks as people type them


def reads_like_talk(said: StaffSaid, text: str) -> bool:
    """Say whether ``text``, the free words of a command, may be meant for colleagues. A colon or a prefix says no."""
    if said.marked or said.prefixed or not text:
        return False
    if said.command in SENTENCE:
        return not (text[0].isupper() or text[0] in _QUOTES)
    return not text[0].isupper() and normal(text.split()[0]) in GOES_ON.get(said.command, frozenset())

"""Filters that the person's clients stored to ask for less (spec, "Filtering")."""

from dpobot.errors import Gone
from dpobot.homeserver.category import PLAIN, WHOLE, Category, Found, Record, Subject
from dpobot.homeserver.puppet import ENDPOINTS as PUPPET
from dpobot.text.language import translatable

_FILTER = "GET /_matrix/client/v3/user/{user}/filter/{filter}"
_MOST = 1000


async def _ask(subject: Subject) -> Found:
    found: list[Record] = []
    async with subject.acting() as person:
        # there is no list, but Synapse counts up from 0 and never deletes one
        for number in range(_MOST):
            try:
                held = await person.ask(_FILTER, filter=str(number))
            except Gone as error:
                if error.code == "M_NOT_FOUND":
                    return Found(tuple(found))
                raise
            found.append({"filter_id": str(number), "filter": held})
    return Found(tuple(found), truncated=True)


CATEGORY = Category(
    name="filters",
    title=translatable("Stored filters"),
    purpose="Kept for the person's clients (Art. 6(1)(b)).",
    endpoints=(_FILTER, *PUPPET),
    fields={"filter_id": PLAIN, "filter": WHOLE},
    ask=_ask,
)

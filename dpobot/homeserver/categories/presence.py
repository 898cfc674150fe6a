"""Whether the person is online, and their status message (spec, "Presence")."""

from dpobot.errors import Rejected
from dpobot.homeserver.category import PLAIN, Category, Found, Subject
from dpobot.homeserver.puppet import ENDPOINTS as PUPPET
from dpobot.text.language import translatable

_PRESENCE = "GET /_matrix/client/v3/presence/{user}/status"


async def _ask(subject: Subject) -> Found:
    try:
        async with subject.acting() as person:
            answer = await person.ask(_PRESENCE)
    except Rejected as error:
        if error.code == "M_NOT_FOUND":
            return Found()
        raise
    return Found((answer,))


CATEGORY = Category(
    name="presence",
    title=translatable("Presence"),
    purpose="Shown to people in the same rooms while the person is online (Art. 6(1)(b)).",
    endpoints=(_PRESENCE, *PUPPET),
    fields=dict.fromkeys(("presence", "last_active_ago", "status_msg", "currently_active"), PLAIN),
    ask=_ask,
)

"""The public profile: display name, picture, and custom fields such as the time zone (spec, "Profiles"; MSC4133)."""

from dpobot.errors import Gone
from dpobot.homeserver.category import PLAIN, WHOLE, Category, Found, Subject, entries
from dpobot.text.language import translatable

_PROFILE = "GET /_matrix/client/v3/profile/{user}"


async def _ask(subject: Subject) -> Found:
    try:
        answer = await subject.ask(_PROFILE)
    except Gone as error:
        if error.code in {"M_NOT_FOUND", "M_UNKNOWN"}:  # an account may have no profile; Synapse knows two words for it
            return Found()
        raise
    return Found(tuple({"field": name, "value": value} for name, value in entries(answer)))


CATEGORY = Category(
    name="profile",
    title=translatable("Public profile"),
    purpose="Published by the person so that others recognise them (Art. 6(1)(b)).",
    endpoints=(_PROFILE,),
    fields={"field": PLAIN, "value": WHOLE},
    ask=_ask,
)

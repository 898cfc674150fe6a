"""How many invitations the person sent and how many rooms they joined, as the server counts them."""

from dpobot.homeserver.category import PLAIN, Category, Found, Subject
from dpobot.homeserver.rooms import JOINED_EVER, joined_ever
from dpobot.text.language import translatable

_INVITES = "GET /_synapse/admin/v1/users/{user}/sent_invite_count"


async def _ask(subject: Subject) -> Found:
    invites = (await subject.ask(_INVITES, params={"from_ts": 0})).get("invite_count")
    return Found(({"invitations_sent": invites, "rooms_joined": await joined_ever(subject)},))


CATEGORY = Category(
    name="activity_counts",
    title=translatable("Counts of activity"),
    purpose="Counted from the person's own events when an administrator asks, to recognise abuse (Art. 6(1)(f)).",
    endpoints=(_INVITES, JOINED_EVER),
    fields={"invitations_sent": PLAIN, "rooms_joined": PLAIN},
    ask=_ask,
    remote=True,
)

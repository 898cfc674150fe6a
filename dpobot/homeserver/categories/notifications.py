"""What the person was notified of: when, where and of which event (spec, "Listing Notifications")."""

from dpobot.homeserver.category import PLAIN, WHOLE, Category, Found, Record, Subject, following, records_of
from dpobot.homeserver.puppet import ENDPOINTS as PUPPET
from dpobot.text.language import translatable

_NOTIFICATIONS = "GET /_matrix/client/v3/notifications"
_PAGE = 500
_MOST = 20_000


async def _ask(subject: Subject) -> Found:
    found: list[Record] = []
    async with subject.acting() as person:
        params: dict[str, str | int] = {"limit": _PAGE}
        while len(found) < _MOST:
            answer = await person.ask(_NOTIFICATIONS, params=params)
            page = records_of(answer.get("notifications"))
            # cut down here, not only at the end: the events are other people's and may be large
            found.extend(_without_words(each) for each in page)
            later = following(answer, "next_token", str)
            if not page or later is None or later == params.get("from"):
                return Found(tuple(found))
            params["from"] = later
    return Found(tuple(found[:_MOST]), truncated=True)


def _without_words(notification: Record) -> Record:
    event = notification.get("event")
    about = {key: event.get(key) for key in ("event_id", "type")} if isinstance(event, dict) else {}
    return {**notification, "event": about}


CATEGORY = Category(
    name="notifications",
    title=translatable("Notifications"),
    purpose="Kept for a while to show missed mentions; the messages are other people's (Art. 6(1)(b), 15(4)).",
    endpoints=(_NOTIFICATIONS, *PUPPET),
    fields={
        "room_id": PLAIN,
        "ts": PLAIN,
        "read": PLAIN,
        "profile_tag": PLAIN,
        "actions": WHOLE,
        "event": {"event_id": PLAIN, "type": PLAIN},
    },
    ask=_ask,
)

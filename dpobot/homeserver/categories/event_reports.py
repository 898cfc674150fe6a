"""Messages that the person reported to the moderators of the server, and their own messages that somebody reported."""

from dpobot.homeserver.category import PLAIN, Category, Fields, Found, Subject
from dpobot.homeserver.reports import all_reports
from dpobot.text.language import translatable

_REPORTS = "GET /_synapse/admin/v1/event_reports"
_ABOUT: Fields = dict.fromkeys(("id", "received_ts", "room_id", "event_id", "score"), PLAIN)


async def _made(subject: Subject) -> Found:
    return Found(await all_reports(subject, _REPORTS, "event_reports", user_id=subject.user))


async def _received(subject: Subject) -> Found:
    return Found(await all_reports(subject, _REPORTS, "event_reports", event_sender_user_id=subject.user))


CATEGORIES = (
    Category(
        name="event_reports_made",
        title=translatable("Reports of messages, made by the person"),
        purpose="Kept so that moderators can act on them (Art. 6(1)(f)).",
        endpoints=(_REPORTS,),
        fields={**_ABOUT, "reason": PLAIN},
        ask=_made,
        remote=True,
    ),
    Category(
        name="event_reports_received",
        title=translatable("Reports of the person's messages, made by others"),
        purpose="Kept so that moderators can act; who reported, and in which words, stays out (Art. 6(1)(f), 15(4)).",
        endpoints=(_REPORTS,),
        fields=_ABOUT,
        ask=_received,
        remote=True,
    ),
)

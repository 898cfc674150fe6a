"""People that the person reported to the moderators of the server, and reports about the person."""

from dpobot.homeserver.category import PLAIN, Category, Found, Subject
from dpobot.homeserver.reports import all_reports
from dpobot.text.language import translatable

_REPORTS = "GET /_synapse/admin/v1/user_reports"


async def _made(subject: Subject) -> Found:
    return Found(await all_reports(subject, _REPORTS, "user_reports", user_id=subject.user))


async def _received(subject: Subject) -> Found:
    return Found(await all_reports(subject, _REPORTS, "user_reports", target_user_id=subject.user))


CATEGORIES = (
    Category(
        name="user_reports_made",
        title=translatable("Reports of people, made by the person"),
        purpose="Kept so that moderators can act on them (Art. 6(1)(f)).",
        endpoints=(_REPORTS,),
        fields={"id": PLAIN, "received_ts": PLAIN, "target_user_id": PLAIN, "reason": PLAIN},
        ask=_made,
        remote=True,
    ),
    Category(
        name="user_reports_received",
        title=translatable("Reports of the person, made by others"),
        purpose="Kept so that moderators can act; who reported, and in which words, stays out (Art. 6(1)(f), 15(4)).",
        endpoints=(_REPORTS,),
        fields={"id": PLAIN, "received_ts": PLAIN},
        ask=_received,
        remote=True,
    ),
)

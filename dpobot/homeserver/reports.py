"""Reports to the moderators, page by page (Synapse admin API, "Show reported events", "Show reported users")."""

from dpobot.homeserver.category import Record, Subject, following, records_of

_PAGE = 500


async def all_reports(subject: Subject, endpoint: str, member: str, **whose: str) -> tuple[Record, ...]:
    """Return all reports of one kind, oldest first, so that a new one does not move a later page."""
    found: list[Record] = []
    start = 0
    while True:
        params: dict[str, str | int] = {"from": start, "limit": _PAGE, "dir": "f", **whose}
        answer = await subject.ask(endpoint, params=params)
        found.extend(records_of(answer.get(member)))
        later = following(answer, "next_token", int)
        if later is None or later <= start:
            return tuple(found)
        start = later

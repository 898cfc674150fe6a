"""Threads that the person follows (MSC4306, MSC4308)."""

from collections.abc import Iterator
from typing import Any

from dpobot.homeserver.category import PLAIN, Category, Found, Record, Subject, entries, following, object_of
from dpobot.homeserver.puppet import ENDPOINTS as PUPPET
from dpobot.text.language import translatable

_THREADS = "GET /_matrix/client/unstable/io.element.msc4308/thread_subscriptions"
_PAGE = 500


async def _ask(subject: Subject) -> Found:
    found: list[Record] = []
    params: dict[str, str | int] = {"dir": "b", "limit": _PAGE}
    async with subject.acting() as person:
        while True:
            answer = await person.ask(_THREADS, params=params)
            found.extend(_threads(answer))
            later = following(answer, "end", str)
            if later is None or later == params.get("from"):
                return Found(tuple(found))
            params["from"] = later


def _threads(answer: Any) -> Iterator[Record]:
    for state in ("subscribed", "unsubscribed"):
        for room, threads in entries(answer.get(state, {})):
            for thread, how in entries(threads):
                yield {**object_of(how), "state": state, "room_id": room, "thread": thread}


CATEGORY = Category(
    name="thread_subscriptions",
    title=translatable("Followed threads"),
    purpose="Needed to notify the person of replies in these threads (Art. 6(1)(b)).",
    endpoints=(_THREADS, *PUPPET),
    fields=dict.fromkeys(("room_id", "thread", "state", "automatic"), PLAIN),
    ask=_ask,
)

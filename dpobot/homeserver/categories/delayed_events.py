"""Events that the person asked the server to send later (MSC4140)."""

from dpobot.homeserver.category import PLAIN, WHOLE, Category, Found, Subject, records_of
from dpobot.homeserver.puppet import ENDPOINTS as PUPPET
from dpobot.text.language import translatable

_DELAYED = "GET /_matrix/client/unstable/org.matrix.msc4140/delayed_events"


async def _ask(subject: Subject) -> Found:
    async with subject.acting() as person:
        answer = await person.ask(_DELAYED)
    return Found(records_of(answer.get("delayed_events")))


CATEGORY = Category(
    name="delayed_events",
    title=translatable("Events to be sent later"),
    purpose="Needed to send them at their time; the key that cancels one stays out (Art. 6(1)(b)).",
    endpoints=(_DELAYED, *PUPPET),
    fields={
        **dict.fromkeys(
            ("room_id", "type", "state_key", "delay", "delay_ms", "running_since", "delayed_since_ts"), PLAIN
        ),
        "content": WHOLE,
    },
    ask=_ask,
)

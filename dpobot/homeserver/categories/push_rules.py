"""Rules that decide what the person is notified of (spec, "Push Rules")."""

from dpobot.homeserver.category import PLAIN, WHOLE, Category, Found, Subject, entries, records_of
from dpobot.homeserver.puppet import ENDPOINTS as PUPPET
from dpobot.text.language import translatable

_RULES = "GET /_matrix/client/v3/pushrules/"


async def _ask(subject: Subject) -> Found:
    async with subject.acting() as person:
        answer = await person.ask(_RULES)
    return Found(
        tuple(
            {**rule, "scope": scope, "kind": kind}
            for scope, kinds in entries(answer)
            for kind, rules in entries(kinds)
            for rule in records_of(rules)
        )
    )


CATEGORY = Category(
    name="push_rules",
    title=translatable("Notification rules"),
    purpose="Needed to notify the person as they wish (Art. 6(1)(b)).",
    endpoints=(_RULES, *PUPPET),
    fields={
        "scope": PLAIN,
        "kind": PLAIN,
        "rule_id": PLAIN,
        "default": PLAIN,
        "enabled": PLAIN,
        "pattern": PLAIN,
        "conditions": WHOLE,
        "actions": WHOLE,
    },
    ask=_ask,
)

"""Exceptions that the administrators made for the account: rate limits and experimental functions."""

from dpobot.homeserver.category import PLAIN, Category, Found, Subject, entries
from dpobot.text.language import translatable

_RATE_LIMIT = "GET /_synapse/admin/v1/users/{user}/override_ratelimit"
_EXPERIMENTS = "GET /_synapse/admin/v1/experimental_features/{user}"


async def _rate_limit(subject: Subject) -> Found:
    answer = await subject.ask(_RATE_LIMIT)
    return Found((answer,) if answer else ())


async def _experiments(subject: Subject) -> Found:
    features = (await subject.ask(_EXPERIMENTS)).get("features")
    return Found(tuple({"feature": name} for name, enabled in entries(features) if enabled is True))


CATEGORIES = (
    Category(
        name="rate_limit",
        title=translatable("Own rate limit"),
        purpose="Lets the account do more, or less, at a time than others (Art. 6(1)(f)).",
        endpoints=(_RATE_LIMIT,),
        fields={"messages_per_second": PLAIN, "burst_count": PLAIN},
        ask=_rate_limit,
    ),
    Category(
        name="experimental_features",
        title=translatable("Experimental functions"),
        purpose="Lets the account try functions that are not for everybody yet (Art. 6(1)(f)).",
        endpoints=(_EXPERIMENTS,),
        fields={"feature": PLAIN},
        ask=_experiments,
    ),
)

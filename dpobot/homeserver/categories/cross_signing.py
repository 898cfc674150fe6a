"""The public keys of the person's devices and of their identity (spec, "End-to-End Encryption", "Cross-signing")."""

from collections.abc import Iterator
from typing import Any

from dpobot.homeserver.category import PLAIN, WHOLE, Category, Found, Record, Subject, entries, object_of
from dpobot.homeserver.puppet import ENDPOINTS as PUPPET
from dpobot.model.ids import UserId
from dpobot.text.language import translatable

_QUERY = "POST /_matrix/client/v3/keys/query"
_IDENTITY = ("master_keys", "self_signing_keys", "user_signing_keys")


async def _ask(subject: Subject) -> Found:
    async with subject.acting() as person:
        answer = await person.ask(_QUERY, body={"device_keys": {subject.user: []}})
    return Found(tuple(_keys(answer, subject.user)))


def _keys(answer: Any, user: UserId) -> Iterator[Record]:
    for kind in _IDENTITY:
        key = object_of(answer.get(kind, {})).get(user)
        if key is not None:
            yield {**object_of(key), "kind": kind.removesuffix("_keys")}
    for _, device in entries(object_of(answer.get("device_keys")).get(user, {})):
        yield {**object_of(device), "kind": "device"}


CATEGORY = Category(
    name="cross_signing",
    title=translatable("Public encryption keys"),
    purpose="Needed so that others can encrypt for the person and recognise them (Art. 6(1)(b)).",
    endpoints=(_QUERY, *PUPPET),
    fields={
        "kind": PLAIN,
        "user_id": PLAIN,
        "device_id": PLAIN,
        "usage": PLAIN,
        "algorithms": PLAIN,
        "keys": WHOLE,
        "signatures": WHOLE,
        "unsigned": {"device_display_name": PLAIN},
    },
    ask=_ask,
)

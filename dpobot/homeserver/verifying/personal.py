"""What only the account itself may read. Asked with a lent token while the server lends one for an erased account."""

from collections.abc import Sequence

from dpobot.errors import Rejected
from dpobot.homeserver.verifying.account import MEMBERSHIPS
from dpobot.homeserver.verifying.asking import (
    NOT_ASKABLE,
    NOT_FOR_OTHERS,
    Answer,
    Asking,
    Inquiry,
    left,
    listed,
    mapped,
)
from dpobot.model.erasure import Residual

TAGS = "GET /_matrix/client/v3/user/{user}/rooms/{room}/tags"
PRESENCE = "GET /_matrix/client/v3/presence/{user}/status"
FILTER = "GET /_matrix/client/v3/user/{user}/filter/{filter}"
PUSH_RULES = "GET /_matrix/client/v3/pushrules/"
KEY_BACKUP = "GET /_matrix/client/v3/room_keys/version"
DEHYDRATED = "GET /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device"
DELAYED = "GET /_matrix/client/unstable/org.matrix.msc4140/delayed_events"
THREADS = "GET /_matrix/client/unstable/io.element.msc4308/thread_subscriptions"
ENDPOINTS = (TAGS, PRESENCE, FILTER, PUSH_RULES, KEY_BACKUP, DEHYDRATED, DELAYED, THREADS)

_MOST_FILTERS = 1000


async def tags(asking: Asking) -> Sequence[Residual]:
    """How the person sorted their rooms."""
    rooms = mapped(await asking.speaking_as(None).ask(MEMBERSHIPS), "memberships")
    return left("tags", sum([len(mapped(await asking.ask(TAGS, room=room), "tags")) for room in sorted(rooms)]))


async def status_message(asking: Asking) -> Sequence[Residual]:
    """What they said they were doing."""
    return left("presence", bool((await asking.ask(PRESENCE)).get("status_msg")))


async def filters(asking: Asking) -> Sequence[Residual]:
    """What their clients wanted to see; a server has no way to delete one."""
    count = 0
    while count < _MOST_FILTERS:
        try:
            await asking.ask(FILTER, filter=str(count))
        except Rejected as refusal:
            if refusal.code != "M_NOT_FOUND":
                raise
            break
        count += 1
    return left("filters", count, "no_way_to_delete")


async def push_rules(asking: Asking) -> Sequence[Residual]:
    """Rules of their own about notifications."""
    kinds = mapped(await asking.ask(PUSH_RULES), "global")
    rules: list[Answer] = [rule for kind in kinds for rule in listed(kinds, kind)]
    return left("push_rules", sum(rule.get("default") is False for rule in rules))


async def key_backup(asking: Asking) -> Sequence[Residual]:
    """Keys of encrypted rooms that their clients stored, themselves encrypted."""
    return left("key_backup", bool(await asking.ask(KEY_BACKUP)))


async def dehydrated_device(asking: Asking) -> Sequence[Residual]:
    """A device that waits, without anybody logged in (MSC3814)."""
    return left("dehydrated_device", bool(await asking.ask(DEHYDRATED)))


async def delayed_events(asking: Asking) -> Sequence[Residual]:
    """What was to be sent later (MSC4140)."""
    return left("delayed_events", len(listed(await asking.ask(DELAYED), "delayed_events")))


async def thread_subscriptions(asking: Asking) -> Sequence[Residual]:
    """Threads that they followed (MSC4306)."""
    answer = await asking.ask(THREADS, {"dir": "b", "limit": 100})
    rooms = mapped(answer, "subscribed")
    return left("thread_subscriptions", sum(len(mapped(rooms, room)) for room in rooms))


INQUIRIES = (
    Inquiry("tags", tags, open=NOT_FOR_OTHERS),
    Inquiry("presence", status_message, none=("M_NOT_FOUND",), open=NOT_FOR_OTHERS),
    Inquiry("filters", filters, open=NOT_FOR_OTHERS),
    Inquiry("push_rules", push_rules, open=NOT_FOR_OTHERS),
    Inquiry("key_backup", key_backup, none=("M_NOT_FOUND",), open=NOT_FOR_OTHERS),
    Inquiry("dehydrated_device", dehydrated_device, none=("M_NOT_FOUND",), open=NOT_FOR_OTHERS),
    Inquiry("delayed_events", delayed_events, open=NOT_FOR_OTHERS),
    Inquiry("thread_subscriptions", thread_subscriptions, open=NOT_FOR_OTHERS),
)


def not_lent(refusal: Rejected) -> list[Residual]:
    """Return, if no token is lent, of each category that it can't be asked. Raises the refusal if it is a fault."""
    if refusal.code != "acting_refused" and refusal.code not in NOT_FOR_OTHERS:
        raise refusal
    return [Residual(inquiry.category, 0, NOT_ASKABLE) for inquiry in INQUIRIES]

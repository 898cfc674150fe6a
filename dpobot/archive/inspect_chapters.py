"""What the last look asks of the chapters: nobody's user ID but services' among recipients, nobody else's events."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dpobot.errors import Tripwire
from dpobot.model.ids import UserId

STATEMENT, RECIPIENTS, PORTABLE = "statement.json", "recipients.json", "portable.json"
CHAPTERS = frozenset({STATEMENT, RECIPIENTS, PORTABLE})

_OWNER = {STATEMENT: "person", RECIPIENTS: "person", PORTABLE: "user_id"}  # the member that says whose it is
# what a recipient may be called by: anything else with an @ in it would be a person
_NAMED = frozenset({"user_id", "network", "app"})
_SERVICES = frozenset({"bridge", "bot"})


def look(name: str, data: bytes, person: UserId) -> None:
    """Look at a chapter's data. Raises `Tripwire`: ``unreadable``, ``wrong_person``, ``foreign_recipient``."""
    said = _parsed(data)
    if said.pop(_OWNER[name], None) != person:
        raise Tripwire("wrong_person")
    recipients = said.get("recipients") if name == STATEMENT else said
    if name != PORTABLE and recipients is not None:
        _recipients(recipients)


def _recipients(recipients: object) -> None:
    for place in _objects(recipients):
        if "user_id" in place and place.get("kind") not in _SERVICES:
            raise Tripwire("foreign_recipient")
        texts = (value for key, value in place.items() if isinstance(value, str) and key not in _NAMED)
        if any("@" in text for text in texts) or any("@" in key for key in place):
            raise Tripwire("foreign_recipient")


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield all objects at any depth; a text in a list counts as one."""
    waiting: list[object] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend({"text": each} if isinstance(each, str) else each for each in item)


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Tripwire("unreadable") from error
    if not isinstance(said, dict):
        raise Tripwire("unreadable")
    return said

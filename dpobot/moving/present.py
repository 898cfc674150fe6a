"""What the new account has already: asked once, and kept up to date with what the import does."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dpobot.errors import Gone
from dpobot.moving.line import Line

Json = dict[str, Any]


def _filter() -> str:
    """Return a filter that was never asked with before: Synapse answers a first sync again from its cache."""
    nobody = {"not_types": ["*"], "not_senders": [f"@{secrets.token_hex(8)}:invalid"]}
    nothing = {"not_types": ["*"]}
    state = {**nothing, "lazy_load_members": True}  # else a room that was only just joined may be left out
    rooms = {"timeline": {"limit": 1, **nobody}, "state": state, "ephemeral": nothing}
    return json.dumps({"presence": nothing, "room": rooms})


@dataclass
class Present:
    """The account; by room ID where it is about rooms. ``rules``: push rules by kind and rule ID."""

    user_id: str
    displayname: str | None = None
    avatar_url: str | None = None
    fields: Json = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)
    invited: set[str] = field(default_factory=set)
    knocked: set[str] = field(default_factory=set)
    account_data: dict[str, Json] = field(default_factory=dict)
    tags: dict[str, dict[str, Json]] = field(default_factory=dict)
    room_data: dict[str, dict[str, Json]] = field(default_factory=dict)
    rules: dict[tuple[str, str], Json] = field(default_factory=dict)

    @property
    def localpart(self) -> str:
        """The name before the colon: what a server calls an account that has no name yet."""
        return self.user_id[1:].partition(":")[0]


async def look(line: Line, user_id: str) -> Present:
    """Ask for everything: profile, push rules, joined rooms, and one sync that nobody sees."""
    present = Present(user_id)
    await _profile(line, present)
    _rules(await line.call("GET", "pushrules", ""), present)
    params = {"filter": _filter(), "set_presence": "offline", "timeout": "0"}
    synced = await line.call("GET", "sync", params=params)
    present.account_data = _by_type(synced)
    # a sync leaves out rooms that it has nothing to say of under this filter
    present.joined = {str(room) for room in (await line.call("GET", "joined_rooms")).get("joined_rooms", ())}
    rooms = _object(synced.get("rooms"))
    present.invited, present.knocked = set(_object(rooms.get("invite"))), set(_object(rooms.get("knock")))
    for room, content in _object(rooms.get("join")).items():
        present.room_data[room] = kept = _by_type(_object(content))
        present.tags[room] = _object(kept.pop("m.tag", {}).get("tags"))
    return present


async def _profile(line: Line, present: Present) -> None:
    try:
        fields = await line.call("GET", "profile", present.user_id)
    except Gone:
        return  # an account may have none
    name, picture = fields.pop("displayname", None), fields.pop("avatar_url", None)
    present.displayname = name if isinstance(name, str) else None
    present.avatar_url = picture if isinstance(picture, str) else None
    present.fields = fields


def _rules(answer: Mapping[str, Any], present: Present) -> None:
    for kind, rules in _object(answer.get("global")).items():
        for rule in rules if isinstance(rules, list) else ():
            if isinstance(rule, dict) and isinstance(rule.get("rule_id"), str):
                present.rules[kind, rule["rule_id"]] = rule


def _by_type(content: Mapping[str, Any]) -> dict[str, Json]:
    events = _object(content.get("account_data")).get("events")
    known = (event for event in events if isinstance(event, dict)) if isinstance(events, list) else ()
    return {str(event.get("type")): _object(event.get("content")) for event in known}


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}

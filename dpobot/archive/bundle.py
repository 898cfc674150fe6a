"""The portable bundle (Art. 20 GDPR): what `dpobot import` brings to an account on another server (docs/portable.md).

Only what the person gave or set themselves, in the words of the client-server API, and nothing that is a secret.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dpobot.archive import layout, settings
from dpobot.archive.spool import Room, Spool
from dpobot.archive.telling import Telling
from dpobot.archive.volume import Packed, pack

NAME = "portable.json"
FORMAT = "dpobot.portable"
VERSION = "1.0"
SOURCES = ("profile", "account_data", "room_account_data", "tags", "push_rules")  # categories that it is made of
VIA = "via"  # the spool's note of the servers that were in each room at the end
MOST_VIA = 5

_DIRECT, _IGNORED = "m.direct", "m.ignored_user_list"
_LEFT = frozenset({"leave", "forgotten"})
_NOT_ASKED = "not_asked"

Record = Mapping[str, Any]
Json = dict[str, Any]


def chapter(telling: Telling) -> Iterable[Packed]:
    """Return ``portable.json``; nothing where only the statement is handed out, without the data."""
    if telling.facts.only_statement:
        return ()
    made = bundle(telling.spool, telling.facts.person, telling.facts.created_at.isoformat())
    text = json.dumps(made, ensure_ascii=True, indent=1)  # a lone surrogate of somebody's settings stays readable
    return (pack(NAME, text.encode()),)


def bundle(spool: Spool, person: str, made_at: str) -> Json:
    """Return the bundle as a JSON object; ``missing`` says by code which of its sources could not be had."""
    found = _Sources(spool)
    kept = {str(record.get("type")): record.get("content") for record in found.records("account_data")}
    rooms = [_room(room, found, spool.kept(VIA) or {}) for room in spool.room_list() if _counts(room)]
    direct, ignored = _direct(kept.pop(_DIRECT, None)), _ignored(kept.pop(_IGNORED, None))
    carried = {type_: content for type_, content in kept.items() if settings.portable(type_, content)}
    return {
        "format": FORMAT,
        "version": VERSION,
        "user_id": person,
        "made_at": made_at,
        "profile": _profile(found, spool),
        "rooms": rooms,
        "direct": direct,
        "ignored": ignored,
        "push_rules": [dict(rule) for rule in found.records("push_rules") if _usable(rule)],
        "account_data": carried,
        "left_out": sorted({*(kept.keys() - carried.keys()), *found.left_out}),
        "missing": found.missing,
    }


class _Sources:
    """The categories that the bundle is made of, by room where they belong to one."""

    def __init__(self, spool: Spool) -> None:
        held = {name: spool.category(name) for name in spool.categories() if name in SOURCES}
        self._records = {name: category.records for name, category in held.items()}
        self.missing = {
            name: held[name].missing if name in held else _NOT_ASKED
            for name in SOURCES
            if name not in held or held[name].missing
        }
        self.left_out: set[str] = set()
        self.tags = self._by_room("tags", "tag")
        self.settings = self._by_room("room_account_data", "type")

    def records(self, name: str) -> Iterable[Record]:
        """Return a category's records."""
        return self._records.get(name, ())

    def _by_room(self, name: str, key: str) -> dict[str, dict[str, Any]]:
        rooms: dict[str, dict[str, Any]] = {}
        for record in self.records(name):
            kind, content = str(record.get(key)), record.get("content")
            if key == "type" and not settings.portable(kind, content, settings.ROOM_TYPES):
                self.left_out.add(kind)
            elif isinstance(content, Mapping):
                rooms.setdefault(str(record.get("room_id")), {})[kind] = content
        return rooms


def _counts(room: Room) -> bool:
    """Whether a room is one that the person was in: an invitation is nothing that they could take along."""
    return room.membership == "join" or room.membership in _LEFT


def _room(room: Room, found: _Sources, via: Mapping[str, list[str]]) -> Json:
    return {
        "room_id": room.room_id,
        "name": room.name,
        "alias": room.alias,
        "join_rule": room.join_rule,
        "membership": "leave" if room.membership in _LEFT else room.membership,
        "encrypted": room.encrypted,
        "via": _via(room, via.get(room.room_id, [])),
        "tags": found.tags.get(room.room_id, {}),
        "account_data": found.settings.get(room.room_id, {}),
    }


def _via(room: Room, known: list[str]) -> list[str]:
    """Return up to five servers to join through (spec, "Routing"): those that were there, else those in its names."""
    named = [name.partition(":")[2] for name in (room.alias or "", room.room_id)]
    return list(dict.fromkeys(server for server in (*known, *named) if server))[:MOST_VIA]


def _profile(found: _Sources, spool: Spool) -> Json:
    fields = {str(record.get("field")): record.get("value") for record in found.records("profile")}
    name, picture = fields.pop("displayname", None), fields.pop("avatar_url", None)
    return {
        "displayname": name if isinstance(name, str) and name else None,
        "avatar": _picture(picture, spool) if isinstance(picture, str) and picture else None,
        "fields": fields,
    }


def _picture(url: str, spool: Spool) -> Json:
    """Return the picture's address, and its file in the archive if its bytes are there."""
    of = next((medium for medium in spool.media() if medium.url == url and medium.missing is None), None)
    if of is None:
        return {"url": url, "file": None, "type": None}
    file = layout.medium_file(of.number, of.name, of.media_type)
    return {"url": url, "file": file, "type": layout.plain_type(of.media_type)}


def _direct(content: object) -> dict[str, list[str]]:
    """Return who direct messages are with and in which rooms (spec, "Direct messaging")."""
    return {user: rooms for user, rooms in _strings(content) if rooms}


def _strings(content: object) -> Iterator[tuple[str, list[str]]]:
    for key, value in content.items() if isinstance(content, Mapping) else ():
        if isinstance(value, list):
            yield str(key), [each for each in value if isinstance(each, str)]


def _ignored(content: object) -> list[str]:
    """Return whom the person ignores (spec, "Ignoring Users")."""
    users = content.get("ignored_users") if isinstance(content, Mapping) else None
    return sorted(str(user) for user in users) if isinstance(users, Mapping) else []


def _usable(rule: Record) -> bool:
    """Whether a push rule has what it takes to be set again (spec, "Push Rules"), without an address in it."""
    named = rule.get("scope") == "global" and isinstance(rule.get("kind"), str) and isinstance(rule.get("rule_id"), str)
    return named and isinstance(rule.get("actions"), list)

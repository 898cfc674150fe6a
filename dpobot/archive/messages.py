"""An event of any quality -> what a page shows of it. Wrong-typed or missing fields never raise."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

MOST_TEXT = 20_000  # characters of a body that a page shows; the events file has all
MOST_JSON = 5_000
MOST_NAME = 200
MOST_QUOTE = 300
# C0, C1, surrogates, and what changes the direction of writing (Unicode Annex 9); line breaks and tabs stay
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_LATEST = 253_402_300_799_000  # end of the year 9999, milliseconds

# state events that say one thing: type -> member of the content that holds it
_STATES = {
    "m.room.name": "name",
    "m.room.topic": "topic",
    "m.room.avatar": "url",
    "m.room.join_rules": "join_rule",
    "m.room.history_visibility": "history_visibility",
    "m.room.guest_access": "guest_access",
    "m.room.encryption": "algorithm",
    "m.room.canonical_alias": "alias",
    "m.room.create": "room_version",
    "m.room.tombstone": "body",
    "m.room.power_levels": "",
    "m.room.pinned_events": "",
    "m.room.server_acl": "",
    "m.space.child": "",
    "m.space.parent": "",
}
_FILES = frozenset({"m.image", "m.video", "m.audio", "m.file"})


@dataclass(slots=True)
class Shown:
    """What a page shows of an event. ``kind`` chooses the sentence, the other fields fill it.

    Made and filled here, once for each event of an archive: copying a frozen one took a third of all packing.
    """

    event_id: str
    day: str  # ISO date, "" if unknown
    time: str  # HH:MM UTC
    kind: str
    type: str = ""
    text: str = ""
    cut: bool = False
    name: str = ""
    what: str = ""
    target: str = ""  # event ID that it is about
    reply: str = ""  # event ID that it answers
    quoted: str = ""  # what it answers, as it quotes it itself ("Fallbacks for rich replies", before version 1.13)
    thread: str = ""  # event ID that its thread begins with
    url: str = ""  # mxc
    json: str = ""
    sender: str = ""  # in scope ``visible``: user ID or pseudonym; "" where all is the person's


def safe(text: object, most: int = MOST_NAME) -> str:
    """Return at most ``most`` characters of a text, what must not be seen replaced; "" if it is no text."""
    return _UNSEEN.sub("\ufffd", text[:most]) if isinstance(text, str) else ""


def shown(event: Mapping[str, Any]) -> Shown:
    """Return what a page shows of an event."""
    content = _mapping(event.get("content"))
    day, time = _moment(event.get("origin_server_ts"))
    type_ = safe(event.get("type"))
    base = Shown(safe(event.get("event_id"), 255), day, time, "other", type_)
    if "redacted_because" in _mapping(event.get("unsigned")):
        own = _mapping(event["unsigned"].get("redacted_because")).get("sender") == event.get("sender")
        return _fill(base, kind="redacted", what="self" if own else "other")
    if type_ == "m.room.message":
        return _message(base, content)
    if type_ == "m.room.member":
        return _member(base, event, content)
    if type_ in _STATES and "state_key" in event:
        return _state(base, content)
    return _special(base, event, content) or _fill(base, json=_json(content))


def _fill(base: Shown, **values: str | bool) -> Shown:
    for name, value in values.items():
        setattr(base, name, value)
    return base


def urls(event: Mapping[str, Any]) -> list[str]:
    """Return the media that an event shows: of its content, and of the encrypted file in it."""
    content = _mapping(event.get("content"))
    found = (content.get("url"), _mapping(content.get("file")).get("url"))
    return [url for url in found if isinstance(url, str) and url.startswith("mxc://")]


def _message(base: Shown, content: Mapping[str, Any]) -> Shown:
    relation = _mapping(content.get("m.relates_to"))
    if relation.get("rel_type") == "m.replace":
        new = _mapping(content.get("m.new_content"))
        return _body(_fill(base, kind="edit", target=safe(relation.get("event_id"), 255)), new or content)
    if relation:
        _relation(base, relation)
    msgtype = content.get("msgtype")
    if isinstance(msgtype, str) and msgtype in _FILES:
        return _file(base, content)
    kind = {"m.emote": "emote", "m.notice": "notice", "m.location": "location"}.get(str(msgtype), "text")
    return _body(_fill(base, kind=kind), content)


def _relation(base: Shown, relation: Mapping[str, Any]) -> None:
    threaded = relation.get("rel_type") == "m.thread"
    if not (threaded and relation.get("is_falling_back")):
        base.reply = safe(_mapping(relation.get("m.in_reply_to")).get("event_id"), 255)
    if threaded:
        base.thread = safe(relation.get("event_id"), 255)


def _body(base: Shown, content: Mapping[str, Any]) -> Shown:
    body = content.get("body")
    if not isinstance(body, str):
        return _fill(base, kind="odd", json=_json(content))
    if base.reply and body.startswith("> "):
        quoted, gap, answer = body.partition("\n\n")
        if gap and all(line.startswith(">") for line in quoted.split("\n")):
            base.quoted = safe("\n".join(line[2:] for line in quoted.split("\n")), MOST_QUOTE)
            body = answer
    return _fill(base, text=safe(body, MOST_TEXT), cut=len(body) > MOST_TEXT)


def _file(base: Shown, content: Mapping[str, Any]) -> Shown:
    encrypted = _mapping(content.get("file"))
    url = content.get("url") or encrypted.get("url")
    name = safe(content.get("filename")) or safe(content.get("body"))
    caption = safe(content.get("body"), MOST_TEXT) if isinstance(content.get("filename"), str) else ""
    return _fill(
        base,
        kind="file",
        name=name,
        text="" if caption == name else caption,
        url=safe(url, 512),
        what="encrypted" if encrypted else "",
    )


def _member(base: Shown, event: Mapping[str, Any], content: Mapping[str, Any]) -> Shown:
    membership = content.get("membership")
    own = event.get("state_key") == event.get("sender")
    before = _mapping(_mapping(event.get("unsigned")).get("prev_content")).get("membership")
    if own and membership == "join" and before == "join":
        what = "profile"
    elif membership in ("join", "leave", "knock", "invite", "ban"):
        what = f"{'own' if own else 'other'}-{membership}"
    else:
        return _fill(base, json=_json(content))
    return _fill(
        base,
        kind="member",
        what=what,
        name=safe(content.get("displayname")) if own else safe(event.get("state_key"), 255),
        text=safe(content.get("reason"), MOST_TEXT),
    )


def _state(base: Shown, content: Mapping[str, Any]) -> Shown:
    member = _STATES[base.type]
    text = safe(content.get(member), MOST_TEXT) if member else ""
    return _fill(base, kind="state", text=text, json="" if text else _json(content))


def _special(base: Shown, event: Mapping[str, Any], content: Mapping[str, Any]) -> Shown | None:
    relation = _mapping(content.get("m.relates_to"))
    target = safe(relation.get("event_id"), 255)
    match base.type:
        case "m.room.encrypted":
            return _fill(base, kind="encrypted", what=safe(content.get("algorithm")))
        case "m.reaction" if isinstance(relation.get("key"), str):
            return _fill(base, kind="reaction", name=safe(relation["key"]), target=target)
        case "m.room.redaction":
            about = safe(event.get("redacts"), 255) or safe(content.get("redacts"), 255)
            return _fill(base, kind="redaction", target=about, text=safe(content.get("reason"), MOST_TEXT))
        case "m.sticker":
            return _fill(_file(base, content), what="sticker")
        case "m.poll.start" | "org.matrix.msc3381.poll.start":
            poll = _mapping(content.get(base.type))
            return _fill(base, kind="poll", text=safe(_question(poll), MOST_TEXT), json=_json(content))
        case "m.poll.response" | "org.matrix.msc3381.poll.response":
            return _fill(base, kind="vote", target=target, json=_json(content))
        case type_ if type_.startswith("m.call."):
            return _fill(base, kind="call", json=_json(content))
        case type_ if type_.startswith("m.key.verification."):
            return _fill(base, kind="verification", json=_json(content))
    return None


def _question(poll: Mapping[str, Any]) -> object:
    question = _mapping(poll.get("question"))
    return question.get("body") or question.get("org.matrix.msc1767.text")


def _moment(milliseconds: object) -> tuple[str, str]:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int) or not 0 <= milliseconds <= _LATEST:
        return "", ""
    at = datetime.fromtimestamp(milliseconds // 1000, UTC)
    text = at.isoformat()
    return text[:10], text[11:16]


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    return safe(text, MOST_JSON) + (" …" if len(text) > MOST_JSON else "")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}  # what JSON makes; asking for Mapping is slow

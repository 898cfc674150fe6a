"""Other people are called "Person 1", "Person 2" in an archive that holds what they wrote. Pure.

Replaced are user IDs wherever they stand (also in links, mentions, keys of an object), and the names beside them:
of members, of mentions in a text, of the quotation above a reply. What people call each other in free text can't be
found by a program; the archive says so. Event IDs stay. So does the person's own user ID and name.
"""

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from dpobot.model.ids import UserId

_MEMBER = "m.room.member"
_LINK = r"(?:https?://matrix\.to/#/((?:@|%40)[^\"'?]{1,900})|matrix:u(?:ser)?/([^\"'?]{1,900}))"
# Appendices, "User Identifiers", also historical ones; not what stands in the middle of a word, as in an e-mail address
_USER = re.compile(
    r"(?<![^\W_])(?<![.+@-])@[^\s@:/?#<>\"'()\[\]{},;|\\]{1,255}:(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,255})(?::\d{1,5})?"
)
_ESCAPED = re.compile(r"%40[^\s@:/?#<>\"'&]{1,600}?(?:%3A|:)[A-Za-z0-9.-]{1,255}(?:(?:%3A|:)\d{1,5})?", re.IGNORECASE)
_URI = re.compile(r"matrix:u(?:ser)?/([^\s?#<>\"'&]{1,600})", re.IGNORECASE)
# lengths are limited everywhere: the text is anybody's, and must not decide how long the search takes
_PILL = re.compile(
    rf"<a\b[^>]{{0,300}}?\bhref\s{{0,9}}=\s{{0,9}}[\"']{_LINK}[^>]{{0,300}}>(.{{0,1000}}?)</a>",
    re.IGNORECASE | re.DOTALL,
)
_TAGS = re.compile(r"<[^>]{0,300}>")
_TEXTS = frozenset({"body", "formatted_body", "org.matrix.msc1767.text", "org.matrix.msc1767.html"})
# members that say how somebody is called or looks, or which of their devices wrote
_NAMES = frozenset({"displayname", "display_name", "sender_name"})
_TRACES = frozenset({"avatar_url", "device_id", "sender_key"})
_PARTS = frozenset({"content", "unsigned"})
_SHORTEST_NAME = 2  # characters; a name of one can't be told from other letters of a text


class Pseudonyms:
    """Gives pseudonyms in the order in which people first appear. ``known``: who had one before, in that order."""

    def __init__(self, person: UserId, known: Sequence[str] = ()) -> None:
        self._person = person
        self._numbers = {user: number for number, user in enumerate(known, 1)}
        self._names: dict[str, str] = {}  # user ID -> the last display name seen

    def known(self) -> list[str]:
        """Return everybody who has a pseudonym, in order."""
        return list(self._numbers)

    def of(self, user: str) -> str:
        """Return what somebody is called; the person themselves as they are."""
        if user == self._person:
            return user
        return f"Person {self._numbers.setdefault(user, len(self._numbers) + 1)}"

    def replaced(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return an event in client format with everybody else's IDs and names replaced."""
        sender, key = event.get("sender"), event.get("state_key")
        member = event.get("type") == _MEMBER and isinstance(key, str)
        about = str(key if member else sender)
        self._note_name(event, about)
        called = None if about == self._person else self.of(about) if member else ""
        parts = _Parts(self, called, self._mentioned(event.get("content")))
        result = dict(event)
        for name in _PARTS & event.keys():
            result[name] = parts.value(event[name])
        if isinstance(sender, str):
            result["sender"] = self.of(sender)
        if isinstance(key, str):
            result["state_key"] = self.of(key) if member else self.text(key)
        return result

    def text(self, text: str) -> str:
        """Return a text with all user IDs in it replaced, and the words of links to them."""
        if text in self._numbers:
            return self.of(text)
        if "<a" in text or "<A" in text:
            text = _PILL.sub(self._pill, text)
        if "matrix:" in text.lower():
            text = _URI.sub(lambda match: self._found("@" + unquote(match[1]), match[0]), text)
        if "%40" in text:
            text = _ESCAPED.sub(lambda match: self._found(unquote(match[0]), match[0]), text)
        return _USER.sub(lambda match: self._found(match[0], match[0]), text) if "@" in text else text

    def _note_name(self, event: Mapping[str, Any], about: str) -> None:
        content = event.get("content")
        if event.get("type") == _MEMBER and isinstance(content, dict) and about != self._person:
            name = content.get("displayname")
            if isinstance(name, str) and len(name.strip()) >= _SHORTEST_NAME:
                self._names[about] = name

    def _mentioned(self, content: object) -> dict[str, str]:
        """Return the names by which a message calls those whom it mentions -> their pseudonyms (MSC3952, pills)."""
        if not isinstance(content, dict):
            return {}
        mentions, formatted = content.get("m.mentions"), content.get("formatted_body")
        users = mentions.get("user_ids") if isinstance(mentions, dict) else None
        named = [user for user in users if isinstance(user, str)] if isinstance(users, list) else []
        found = {self._names[user]: user for user in named if user in self._names}
        for match in _PILL.finditer(formatted) if isinstance(formatted, str) else ():
            name = html.unescape(_TAGS.sub("", match[3])).strip()
            if len(name.lstrip("@")) >= _SHORTEST_NAME:
                found[name] = _user_of(match)
        return {name: self.of(user) for name, user in found.items() if user != self._person}

    def _pill(self, match: re.Match[str]) -> str:
        user = _user_of(match)
        return match[0] if user == self._person else self.of(user)

    def _found(self, user: str, written: str) -> str:
        """Return what stands for a user ID that was found in a text; a full stop behind it is the sentence's."""
        plain = user.rstrip(".-")
        return written if plain == self._person else self.of(plain) + user[len(plain) :]


class _Parts:
    """Replaces in what an event holds, at any depth.

    ``called`` stands for display names, None if they are the person's own; ``names``: how its text calls others.
    """

    def __init__(self, people: Pseudonyms, called: str | None, names: Mapping[str, str]) -> None:
        self._people = people
        self._called = called
        longest_first = sorted(names, key=len, reverse=True)
        spelt = {name: names[name] for name in longest_first} | {html.escape(name): names[name] for name in names}
        self._spelt = spelt
        self._pattern = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in spelt)) if spelt else None

    def value(self, value: object) -> Any:
        """Return a value with everything replaced in it."""
        if isinstance(value, str):
            return self._people.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, Mapping):
            return {
                self._people.text(key): self._member(key, item)
                for key, item in value.items()
                if self._called is None or key not in _TRACES
            }
        return value

    def _member(self, key: str, item: object) -> Any:
        if not isinstance(item, str):
            return self.value(item)
        if key in _NAMES and self._called is not None:
            return self._called
        text = self._people.text(item)
        if key in _TEXTS and self._pattern is not None:
            return self._pattern.sub(lambda match: self._spelt[match[0]], text)
        return text


def _user_of(match: re.Match[str]) -> str:
    return unquote(match[1]) if match[1] else "@" + unquote(match[2] or "")

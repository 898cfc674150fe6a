"""``display name NEW``, ``avatar``, ``email OLD NEW``: the words of a correction -> what is to be put right. Pure."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as member

from dpobot.commands.parse import normal
from dpobot.errors import Refusal

NAME, AVATAR, EMAIL = "display_name", "avatar", "email"  # fields, as `store.rectifications` keeps them
PICTURE = "picture"  # as new avatar: the newest picture in the case
MOST_OF_A_NAME = 256  # characters; Synapse takes no more
_MOST_OF_AN_ADDRESS = 254  # characters (RFC 5321, 4.5.3.1.3)

_FIELDS: Mapping[str, str] = {
    "display name": NAME, "displayname": NAME, "anzeigename": NAME, "anzeigenamen": NAME, "nom d'affichage": NAME,
    "nom affiché": NAME,
    "avatar": AVATAR, "profile picture": AVATAR, "profilbild": AVATAR, "photo de profil": AVATAR,
    "email": EMAIL, "e-mail": EMAIL, "mail": EMAIL, "email address": EMAIL, "e-mail address": EMAIL,
    "e-mail-adresse": EMAIL, "mailadresse": EMAIL, "courriel": EMAIL, "adresse e-mail": EMAIL, "adresse email": EMAIL,
}  # fmt: skip
_LONGEST = 3  # words of a field's name
_REMOVE = frozenset({"remove", "delete", "none", "entfernen", "löschen", "supprimer", "retirer", "enlever"})
_BEFORE_A_NAME = re.compile(r"(?:to|in|zu|auf|en|à)\s+(?=\S)|(?:[:=→]|->)\s*")  # "to Ada", ": Ada"
_QUOTED = re.compile(r'["“”„«]\s*(.*?)\s*["“”»]')
_SENTENCE = frozenset({"is", "was", "are", "isn't", "has", "ist", "war", "sind", "est", "était", "n'est"})
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}"
)
_AROUND = "<>()[]\"'“”„«»,;:."
_JOINER = "\u200d"  # between the parts of an emoji


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to be put right. ``old``: as far as the person says it; ``new``: None takes it away."""

    field: str
    old: str | None = member(repr=False)
    new: str | None = member(repr=False)


def correction(text: str) -> Correction | None:
    """Return what the words behind ``rectify`` ask for, None if a human has to read them.

    Raises `Refusal`: ``rectify_no_name``, ``rectify_long_name``, ``rectify_odd_name``, ``rectify_two_addresses``,
    ``rectify_no_address``, ``rectify_same_address``.
    """
    words = text.split()
    said = [normal(" ".join(words[:length])) for length in range(_LONGEST + 1)]
    for length in range(min(_LONGEST, len(words)), 0, -1):
        field = _FIELDS.get(said[length])
        if field is not None and said[length] != said[length - 1]:  # else its last word is the value: an emoji
            rest = text.split(maxsplit=length)[length:]
            return _READ[field](_marked(words[length - 1]) + (rest[0].strip() if rest else ""))
    return None


def _marked(word: str) -> str:
    """Return the colon at the end of a field's name: what follows it is the value, whatever it looks like."""
    return ": " if word.endswith(":") else ""


def _name(rest: str) -> Correction | None:
    first = rest.split(maxsplit=1)[0] if rest else ""
    if first.casefold() in _SENTENCE:
        return None
    name = _BEFORE_A_NAME.sub("", rest, count=1) if _BEFORE_A_NAME.match(rest) else rest
    quoted = _QUOTED.fullmatch(name)
    name = quoted[1] if quoted else name
    if not name:
        raise Refusal("rectify_no_name")
    if len(name) > MOST_OF_A_NAME:
        raise Refusal("rectify_long_name", most=MOST_OF_A_NAME, length=len(name))
    if any(_is_odd(character) for character in name):
        raise Refusal("rectify_odd_name")
    return Correction(NAME, None, name)


def _is_odd(character: str) -> bool:
    """Say whether a character can't be seen or changes the direction of writing (Unicode Annex 9), as line ends do."""
    odd = unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
    return odd and character != _JOINER


def _avatar(rest: str) -> Correction | None:
    said = normal(rest)
    if not said:
        return Correction(AVATAR, None, PICTURE)
    return Correction(AVATAR, None, None) if said in _REMOVE else None


def _email(rest: str) -> Correction | None:
    """Take the old and the new address out of what may stand between them ("from a@b.org to c@d.org")."""
    found = [word.strip(_AROUND) for word in rest.split() if "@" in word]
    if rest.strip(": ") and not found:
        return None
    if len(found) != 2:
        raise Refusal("rectify_two_addresses")
    for address in found:
        if len(address) > _MOST_OF_AN_ADDRESS or not _ADDRESS.fullmatch(address):
            raise Refusal("rectify_no_address", text=address)
    old, new = found
    if old.casefold() == new.casefold():
        raise Refusal("rectify_same_address")
    return Correction(EMAIL, old, new)


_READ: Mapping[str, Callable[[str], Correction | None]] = {NAME: _name, AVATAR: _avatar, EMAIL: _email}

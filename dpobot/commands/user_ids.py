"""User IDs that staff type: by the specification's grammar, and without letters that only look right. Pure."""

import re
import unicodedata

from dpobot.errors import StaffRefusal
from dpobot.model.ids import UserId

_MOST_BYTES = 255
# spec, Appendices: User Identifiers (historical ones may hold any visible ASCII character but the colon), Server Name
_LOCALPART = r"[\x21-\x39\x3B-\x7E]+"
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_SERVER = rf"(?:\[[0-9A-Fa-f:.]{{2,45}}\]|{_NAME})(?::[0-9]{{1,5}})?"
_USER_ID = re.compile(rf"@{_LOCALPART}:{_SERVER}")


def checked(text: str) -> UserId:
    """Return a user ID as it was typed.

    Raises `StaffRefusal`: ``look_alike`` for one with a character outside ASCII, which may pass for another account's,
    ``no_user_id`` for anything else that is none.
    """
    strange = next((character for character in text if not "\x20" < character < "\x7f"), None)
    if strange is not None:
        name = unicodedata.name(strange, f"U+{ord(strange):04X}")
        raise StaffRefusal("look_alike", place=text.index(strange) + 1, name=name.capitalize())
    if len(text) > _MOST_BYTES or _USER_ID.fullmatch(text) is None:
        raise StaffRefusal("no_user_id", text=text)
    return UserId(text)

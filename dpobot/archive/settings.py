"""Which of the settings that clients keep on the server make sense in an account elsewhere. Pure.

Named, not guessed: what nobody placed stays behind (it is in the archive's account data all the same). Secrets never
go, and a second look at the content leaves out what looks like one whatever its name.
"""

from collections.abc import Mapping

ACCOUNT_TYPES = frozenset(
    {
        "m.recent_emoji",  # spec, "Recently used emoji" (MSC4356)
        "m.media_preview_config",  # spec, "Media previews" (MSC4278)
        "m.invite_permission_config",  # MSC4155, MSC4380
        "org.matrix.msc4155.invite_permission_config",
        "org.matrix.msc4380.invite_permission_config",
        "im.ponies.user_emotes",  # MSC2545: own pictures
        "im.ponies.emote_rooms",
        "in.cinny.spaces",
    }
)
ROOM_TYPES = frozenset(
    {
        "m.marked_unread",  # spec, "Unread markers" (MSC2867)
        "com.famedly.marked_unread",
        "m.space_order",  # MSC3230
        "org.matrix.msc3230.space_order",
    }
)
CLIENTS = ("im.vector.", "io.element.", "org.matrix.")  # what Element and the specification's authors call settings
NEVER = (
    "m.secret_storage.",
    "m.cross_signing.",
    "m.megolm_backup.",
    "m.org.matrix.",
    "org.matrix.msc",  # of devices, of encryption or not settled, but those named above
    "im.vector.analytics",  # a pseudonym that was made for measuring
    "io.element.msc",
)
_SECRET = frozenset(
    {"encrypted", "ciphertext", "private_key", "passphrase", "mac", "access_token", "token", "password", "secret"}
)


def portable(type_: str, content: object, named: frozenset[str] = ACCOUNT_TYPES) -> bool:
    """Whether account data of this type is carried; ``named``: types that are, beside those of `CLIENTS`."""
    if not isinstance(content, Mapping) or holds_secret(content):
        return False
    return type_ in named or (type_.startswith(CLIENTS) and not type_.startswith(NEVER))


def holds_secret(value: object) -> bool:
    """Whether something in it is called like a secret (spec, "Secrets": ``encrypted``, ``ciphertext``, ``mac``...)."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            if _SECRET & {str(key).lower() for key in item}:
                return True
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return False

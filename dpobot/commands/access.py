"""Who may use a command: decided from the message's facts alone. Pure."""

from dataclasses import dataclass

from dpobot.errors import Refusal
from dpobot.model.records import Incoming
from dpobot.model.words import Trust


@dataclass(frozen=True, slots=True)
class Access:
    """What a command asks of the message that calls it.

    ``encrypted``: it deals with personal data, so the room must be encrypted. ``signed``: the device must be
    cross-signed by its owner. ``local``: the account must be on this homeserver.
    """

    encrypted: bool = True
    signed: bool = False
    local: bool = False


PUBLIC = Access(encrypted=False)  # says nothing about the person and changes nothing that matters


def refusal(access: Access, incoming: Incoming) -> Refusal | None:
    """Return why this message may not call a command with this access, or None if it may.

    A message that provably comes from no device of its sender (`Trust.MISMATCH`) may call nothing but what is public.
    """
    if access.encrypted and not incoming.encrypted:
        return Refusal("unencrypted_room")
    if incoming.trust is Trust.MISMATCH and access != PUBLIC:
        return Refusal("forged")
    if access.signed and incoming.trust is not Trust.SIGNED:
        return Refusal("untrusted_device", trust=incoming.trust.value)
    if access.local and not incoming.local:
        return Refusal("remote_account")
    return None


def check(access: Access, incoming: Incoming) -> None:
    """Raise the `Refusal` if this message may not call a command with this access."""
    found = refusal(access, incoming)
    if found is not None:
        raise found

"""How accounts stand, as their public keys show it: is there an identity, and has it signed the devices?

For whoever looks from outside: no key of our own is opened here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dpobot.errors import ConfigurationError
from dpobot.matrix.directory import UserKeys, keys_in
from dpobot.matrix.folder import Folder
from dpobot.matrix.http import Http
from dpobot.matrix.http import path as endpoint
from dpobot.matrix.identity import SEEDS, USAGES, Identity
from dpobot.matrix.signatures import decode
from dpobot.matrix.trust import cross_signing_key, is_cross_signed

_WAIT_MS = 10_000  # for other homeservers


@dataclass(frozen=True, slots=True)
class Standing:
    """An account's public keys. ``master``: its identity, base64, None without one; the others: its devices."""

    master: str | None
    signed: frozenset[str]
    unsigned: frozenset[str]


async def of(http: Http, users: Iterable[str]) -> Mapping[str, Standing]:
    """Ask for accounts' keys; whose server does not answer stands as if without any.

    Raises `Unavailable`, `Rejected`.
    """
    named = list(users)
    body = {"device_keys": {user: [] for user in named}, "timeout": _WAIT_MS}
    answer = await http.call("POST", endpoint("keys", "query"), body)
    return {user: _standing(user, keys_in(user, answer)) for user in named}


def _standing(user: str, keys: UserKeys) -> Standing:
    signed = {name for name, device in keys.devices.items() if is_cross_signed(user, keys, device)}
    master = cross_signing_key(user, keys.master, "master")
    return Standing(master, frozenset(signed), frozenset(keys.devices.keys() - signed))


def kept_master(folder: Path, user_id: str) -> str | None:
    """Return the public identity whose secrets a folder keeps, base64; None if it keeps none.

    Raises `ConfigurationError` if they are damaged.
    """
    kept = Folder(folder).read_json(SEEDS)
    if kept is None:
        return None
    try:
        return Identity(user_id, {usage: decode(kept[usage]) for usage in USAGES}).master
    except (KeyError, ValueError) as error:
        raise ConfigurationError([f"{folder / SEEDS}: damaged; restore this file from a backup"]) from error

"""Other people's keys as the server lists them: asked for when needed, kept until the server says they changed."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dpobot.errors import Unavailable
from dpobot.matrix.hardening import Machine, sound_devices
from dpobot.matrix.http import Http, path

_WAIT_MS = 10_000  # for other homeservers
_AGAIN_SECONDS = 60.0  # one that is away must not slow every message down


@dataclass(frozen=True, slots=True)
class UserKeys:
    """One person's keys, as signed JSON. nio drops the two cross-signing keys; trust needs them."""

    master: Mapping[str, Any] | None = None
    self_signing: Mapping[str, Any] | None = None
    devices: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Directory:
    """Answers /keys/query from memory as long as that is known to be current."""

    def __init__(self, http: Http, machine: Machine) -> None:
        self._http = http
        self._machine = machine
        self._known: dict[str, UserKeys] = {}
        self._stale: set[str] = set()
        self._failed: dict[str, float] = {}  # whose homeserver did not answer, and when (monotonic seconds)
        self._asking = asyncio.Lock()

    def changed(self, users: object) -> None:
        """Note the users whose keys the server says have changed (``device_lists`` of /sync)."""
        if isinstance(users, list):
            self._stale.update(user for user in users if isinstance(user, str) and user in self._known)

    def forget(self) -> None:
        """Forget what is known: everybody is asked for again when needed."""
        self._known.clear()
        self._stale.clear()

    @property
    def stale(self) -> frozenset[str]:
        """Users that we know and whose keys have changed."""
        return frozenset(self._stale)

    def cached(self, user_id: str) -> UserKeys | None:
        """Return a person's keys if they are known to be current."""
        return None if user_id in self._stale else self._known.get(user_id)

    async def ensure(self, users: Iterable[str]) -> None:
        """Ask for those people whose keys are unknown or have changed."""
        async with self._asking:
            tried = time.monotonic() - _AGAIN_SECONDS
            missing = [user for user in users if self.cached(user) is None and self._failed.get(user, tried) <= tried]
            if missing:
                await self._ask(missing)

    async def fresh(self, user_id: str) -> UserKeys | None:
        """Ask the server now; None if the person's server did not answer."""
        async with self._asking:
            await self._ask([user_id])
        return self.cached(user_id)

    async def _ask(self, users: list[str]) -> None:
        # taken out before asking: what changes meanwhile is noted again and survives the answer
        before = self._stale & set(users)
        self._stale -= before
        try:
            answer = await self._http.call(
                "POST", path("keys", "query"), {"device_keys": {user: [] for user in users}, "timeout": _WAIT_MS}
            )
        except BaseException:
            self._stale |= before
            raise
        failed = _part(answer, "failures")
        served = [user for user in users if user.split(":", 1)[-1] not in failed]
        self._stale |= before - set(served)
        self._failed.update(dict.fromkeys(set(users) - set(served), time.monotonic()))
        for user in served:
            self._failed.pop(user, None)
            self._known[user] = keys_in(user, answer)
        self._machine.learn_devices({user: self._known[user].devices for user in served})
        self._machine.recheck_suspects()

    async def own(self, user_id: str) -> UserKeys:
        """Return our own account's keys as the server has them now. Raises `Unavailable`."""
        keys = await self.fresh(user_id)
        if keys is None:
            raise Unavailable("keys_query")
        return keys


def _part(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = answer.get(name)
    return value if isinstance(value, dict) else {}


def keys_in(user: str, answer: Mapping[str, Any]) -> UserKeys:
    """Return a person's keys as an answer to /keys/query holds them."""
    master = _part(answer, "master_keys").get(user)
    self_signing = _part(answer, "self_signing_keys").get(user)
    return UserKeys(
        master if isinstance(master, dict) else None,
        self_signing if isinstance(self_signing, dict) else None,
        sound_devices(user, _part(answer, "device_keys").get(user)),
    )

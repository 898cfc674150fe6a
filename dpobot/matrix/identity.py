"""The account's own cross-signing identity: made once, kept in two places, never replaced silently (spec 11.12.2)."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from dpobot import log
from dpobot.errors import ConfigurationError, Rejected, Unavailable
from dpobot.matrix.directory import Directory, UserKeys
from dpobot.matrix.folder import Folder
from dpobot.matrix.hardening import Machine
from dpobot.matrix.http import Http, failure, path
from dpobot.matrix.secret_storage import SecretStorage, parse_recovery_key, recovery_key
from dpobot.matrix.signatures import KEY_BYTES, SigningKey, decode, encode, is_signed
from dpobot.matrix.trust import cross_signing_key

USAGES = ("master", "self_signing", "user_signing")
SEEDS = "cross-signing.json"
RECOVERY = "recovery-key.txt"
_log = log.get(__name__)


class Identity:
    """Master, self-signing and user-signing key of one account."""

    def __init__(self, user_id: str, seeds: Mapping[str, bytes]) -> None:
        self._user_id = user_id
        self._keys = {usage: SigningKey(seeds[usage]) for usage in USAGES}

    @classmethod
    def new(cls, user_id: str) -> "Identity":
        """Make three random keys."""
        return cls(user_id, {usage: secrets.token_bytes(KEY_BYTES) for usage in USAGES})

    @property
    def master(self) -> str:
        """The public master key, base64."""
        return self._keys["master"].public

    def seeds(self) -> dict[str, bytes]:
        """Return the secrets: 32 bytes by usage."""
        return {usage: key.seed for usage, key in self._keys.items()}

    def secrets(self) -> dict[str, bytes]:
        """Return the same by their names in secret storage."""
        return {f"m.cross_signing.{usage}": seed for usage, seed in self.seeds().items()}

    def public(self, usage: str) -> dict[str, Any]:
        """Return a key as it is published; the two lower ones signed by the master key."""
        own = self._keys[usage].public
        value: dict[str, Any] = {"user_id": self._user_id, "usage": [usage], "keys": {f"ed25519:{own}": own}}
        if usage != "master":
            value["signatures"] = {self._user_id: {f"ed25519:{self.master}": self._keys["master"].sign(value)}}
        return value

    def sign_device(self, device: Mapping[str, Any]) -> dict[str, Any]:
        """Return a device's keys with our self-signing key's signature alone."""
        bare = {name: item for name, item in device.items() if name not in ("signatures", "unsigned")}
        key = self._keys["self_signing"]
        return bare | {"signatures": {self._user_id: {f"ed25519:{key.public}": key.sign(bare)}}}

    def has_signed(self, device: Mapping[str, Any]) -> bool:
        """Say whether our self-signing key signed a device."""
        key = self._keys["self_signing"]
        return is_signed(device, self._user_id, f"ed25519:{key.public}", key.public)


class Bootstrap:
    """Sees to it that the account has an identity, that this device is signed by it, and that it can be recovered."""

    def __init__(self, http: Http, folder: Folder, machine: Machine, directory: Directory) -> None:
        self._http = http
        self._folder = folder
        self._machine = machine
        self._directory = directory
        self._user_id: str = machine.user_id
        self._storage = SecretStorage(http, machine.user_id)

    async def run(
        self, password: Callable[[], str], written_key: Callable[[], str] | None, *, founds: bool = True
    ) -> str:
        """Do what is missing and return the public master key; to run again is harmless.

        ``founds``: an account without an identity gets one. Raises `ConfigurationError` where going on would mean to
        replace an identity that people may have verified, `Unavailable` where there is none yet.
        """
        keys = await self._directory.own(self._user_id)
        identity = self._kept()
        if identity is None and keys.master is None and not founds:
            raise Unavailable("no_identity")
        if identity is None:
            identity = await self._recovered(keys, written_key) if keys.master else Identity.new(self._user_id)
            # before publishing: an identity whose secrets were lost could only be replaced
            self._folder.write_json(SEEDS, {usage: encode(seed) for usage, seed in identity.seeds().items()})
        self._check(keys, identity)
        if not self._is_published(keys, identity):
            await self._publish(identity, password)
        await self._sign_device(identity)
        await self._store_secrets(identity)
        return identity.master

    def _kept(self) -> Identity | None:
        kept = self._folder.read_json(SEEDS)
        if kept is None:
            return None
        try:
            return Identity(self._user_id, {usage: decode(kept[usage]) for usage in USAGES})
        except (KeyError, ValueError) as error:
            raise ConfigurationError(
                [f"{self._folder.path / SEEDS}: damaged; restore this file from a backup"]
            ) from error

    async def _recovered(self, keys: UserKeys, written_key: Callable[[], str] | None) -> Identity:
        if written_key is None:
            raise ConfigurationError(
                [
                    _hint(
                        f"{self._user_id} has a cross-signing identity, but {self._folder.path / SEEDS} is missing;",
                        "restore that file from a backup, or name the file with the recovery key that was written at",
                        "the first start: matrix.recovery_key_file",
                    )
                ]
            )
        written = written_key()
        try:
            key = parse_recovery_key(written)
            seeds = {usage: await self._storage.fetch(key, f"m.cross_signing.{usage}") for usage in USAGES}
            identity = Identity(self._user_id, seeds)
        except ValueError as error:
            raise ConfigurationError(
                [
                    _hint(
                        "matrix.recovery_key_file: this recovery key does not open the secret storage of",
                        f"{self._user_id}; is it the newest?",
                    )
                ]
            ) from error
        self._check(keys, identity)
        _log.info("identity_recovered", sender=self._user_id)
        return identity

    def _check(self, keys: UserKeys, identity: Identity) -> None:
        if keys.master is not None and cross_signing_key(self._user_id, keys.master, "master") != identity.master:
            raise ConfigurationError(
                [
                    _hint(
                        f"the homeserver shows another cross-signing identity for {self._user_id} than ours;",
                        "somebody has reset it. Find out who; then delete",
                        f"{self._folder.path / SEEDS} on purpose and give the newer identity's recovery key",
                    )
                ]
            )

    def _is_published(self, keys: UserKeys, identity: Identity) -> bool:
        kept = cross_signing_key(self._user_id, identity.public("self_signing"), "self_signing")
        return keys.master is not None and cross_signing_key(self._user_id, keys.self_signing, "self_signing") == kept

    async def _publish(self, identity: Identity, password: Callable[[], str]) -> None:
        master = identity.public("master")
        # this device vouches for the master key
        master["signatures"] = {self._user_id: {f"ed25519:{self._machine.device_id}": self._machine.sign(master)}}
        body: dict[str, Any] = {
            "master_key": master,
            "self_signing_key": identity.public("self_signing"),
            "user_signing_key": identity.public("user_signing"),
        }
        endpoint = path("keys", "device_signing", "upload")
        status, answer, headers = await self._http.answer("POST", endpoint, body)
        if status == 401 and isinstance(answer, dict) and "session" in answer:  # User-interactive authentication
            body["auth"] = {
                "type": "m.login.password",
                "identifier": {"type": "m.id.user", "user": self._user_id},
                "password": password(),
                "session": answer["session"],
            }
            status, answer, headers = await self._http.answer("POST", endpoint, body)
        if status == 401:
            raise ConfigurationError(["matrix.password_file: the homeserver does not accept it for cross-signing"])
        if not 200 <= status < 300:
            raise failure(status, answer, headers)
        _log.info("identity_published", sender=self._user_id)

    async def _sign_device(self, identity: Identity) -> None:
        keys = await self._directory.own(self._user_id)
        device_id: str = self._machine.device_id
        device = keys.devices.get(device_id)
        own = self._machine.device_keys()
        if device is None or device["keys"] != own["keys"]:
            raise ConfigurationError(
                [f"the homeserver shows other keys than ours for device {device_id}; delete it there and start again"]
            )
        if identity.has_signed(device):
            return
        body = {self._user_id: {device_id: identity.sign_device(device)}}
        answer = await self._http.call("POST", path("keys", "signatures", "upload"), body)
        if answer.get("failures"):
            raise Rejected("device_signature")
        _log.info("device_signed", sender=self._user_id)

    async def _store_secrets(self, identity: Identity) -> None:
        if await self._storage.holds(identity.secrets()):
            return
        written = self._folder.read(RECOVERY)
        if written is None and await self._storage.default_key_id() is not None:
            _log.warning("secret_storage_foreign", sender=self._user_id)  # somebody set it up by hand: leave it alone
            return
        key = parse_recovery_key(written) if written else secrets.token_bytes(KEY_BYTES)
        self._folder.write(RECOVERY, recovery_key(key) + "\n")
        await self._storage.store(key, identity.secrets())
        _log.info("recovery_key_written", sender=self._user_id)


def _hint(*parts: str) -> str:
    return " ".join(parts)

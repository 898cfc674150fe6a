"""A device before a `Session` takes it up: logged in with a password or a token, or taken over by its access token."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dpobot.errors import ConfigurationError, Rejected
from dpobot.matrix.folder import Folder
from dpobot.matrix.hardening import Store
from dpobot.matrix.http import Http
from dpobot.matrix.http import path as endpoint
from dpobot.matrix.login import FILE, STORE, Device, kept_device
from dpobot.matrix.secret_storage import SecretStorage, parse_recovery_key
from dpobot.model.ids import DeviceId, UserId


async def take_over(homeserver_url: str, folder: Path, user_id: UserId, access_token: str) -> None:
    """Note the device of an access token in ``folder``.

    Raises `ConfigurationError` for a token of another account, or of a device that has keys already, `Unavailable`.
    """
    async with _client(homeserver_url, access_token) as http:
        own = await _owner(http, user_id)
        if await _has_keys(http, own):
            elsewhere = "has keys already, which are elsewhere; give the token of a new device"
            raise ConfigurationError([f"device {own.device_id} of {user_id} {elsewhere}"])
    _note(folder, own)


async def log_in(homeserver_url: str, folder: Path, user_id: UserId, proof: Mapping[str, Any], name: str) -> None:
    """Log a new device called ``name`` in and note it in ``folder``; ``proof`` is what `password` or `token` returns.

    Raises `ConfigurationError` if the homeserver refuses it, or it is another account's, `Unavailable`.
    """
    async with _client(homeserver_url) as http:
        try:
            found = await http.call("POST", endpoint("login"), {**proof, "initial_device_display_name": name})
        except Rejected as error:
            raise ConfigurationError([f"the homeserver does not let {user_id} in ({error})"]) from error
        own = Device(UserId(found["user_id"]), DeviceId(found["device_id"]), found["access_token"])
        if own.user_id != user_id:
            http.token = own.access_token
            await http.call("POST", endpoint("logout"), {})
            raise ConfigurationError([f"this lets {own.user_id} in, and not {user_id}"])
    _note(folder, own)


def password(user_id: UserId, secret: str) -> Mapping[str, Any]:
    """Return what proves with a password who it is (spec, "Password-based")."""
    return {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user_id},
        "password": secret,
    }


def token(secret: str) -> Mapping[str, Any]:
    """Return what proves it with a login token (spec, "Token-based")."""
    return {"type": "m.login.token", "token": secret}


async def require_recovery(homeserver_url: str, folder: Path, recovery_key: str) -> None:
    """Make sure that a recovery key opens the secret storage of the account whose device is in ``folder``.

    Raises `ConfigurationError`, `Unavailable`.
    """
    own = kept_device(Folder(folder))
    if own is None:
        raise ConfigurationError(["there is no device"])
    async with _client(homeserver_url, own.access_token) as http:
        try:
            await SecretStorage(http, own.user_id).fetch(parse_recovery_key(recovery_key), "m.cross_signing.master")
        except ValueError as error:
            raise ConfigurationError([f"this does not open the secret storage of {own.user_id}"]) from error


@asynccontextmanager
async def _client(url: str, access_token: str | None = None) -> AsyncIterator[Http]:
    http = Http(url)
    http.token = access_token
    try:
        yield http
    finally:
        await http.close()


async def _owner(http: Http, user_id: UserId) -> Device:
    try:
        me = await http.call("GET", endpoint("account", "whoami"))
    except Rejected as error:
        raise ConfigurationError([f"the homeserver does not accept the access token ({error})"]) from error
    if me.get("user_id") != user_id:
        raise ConfigurationError([f"the access token is that of {me.get('user_id')}, not of {user_id}"])
    if not isinstance(me.get("device_id"), str):
        raise ConfigurationError(["the access token belongs to no device; give one that a login has brought"])
    return Device(user_id, DeviceId(me["device_id"]), str(http.token))


async def _has_keys(http: Http, own: Device) -> bool:
    answer = await http.call("POST", endpoint("keys", "query"), {"device_keys": {own.user_id: []}})
    known = answer.get("device_keys")
    return isinstance(known, dict) and own.device_id in known.get(own.user_id, {})


def _note(folder: Path, own: Device) -> None:
    """Make the device's key store, and then note the device: one without a store counts as lost."""
    private = Folder(folder).open()
    try:
        private.remove(FILE, STORE, f"{STORE}-wal", f"{STORE}-shm")
        store = Store(
            user_id=own.user_id,
            device_id=own.device_id,
            store_path=str(folder),
            pickle_key=private.pickle_key(),
            database_name=STORE,
        )
        store.database.close()
        (folder / STORE).chmod(0o600)
        private.write_json(FILE, asdict(own))
    finally:
        private.close()

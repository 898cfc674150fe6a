"""Logging in once: the device and its access token, kept in the account's folder."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import structlog

from dpobot.errors import ConfigurationError, Rejected
from dpobot.matrix.folder import Folder
from dpobot.matrix.http import Http, path
from dpobot.model.ids import DeviceId, UserId

FILE = "device.json"
STORE = "keys.sqlite"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Device:
    """A logged-in device. ``access_token`` is a secret."""

    user_id: UserId
    device_id: DeviceId
    access_token: str

    def __repr__(self) -> str:
        return f"Device({self.user_id!r}, {self.device_id!r})"


async def device(http: Http, folder: Folder, user_id: UserId, password: Callable[[], str], device_name: str) -> Device:
    """Return the kept device and use its token; log in where there is none, or where its keys or its token are lost.

    Without its key store a device is worthless: its keys on the server can't be replaced in other clients' eyes.
    Raises `ConfigurationError` for a wrong account or password, `Unavailable`.
    """
    kept = _kept(folder)
    if kept is not None and kept.user_id != user_id:
        raise ConfigurationError([f"{folder.path}: holds the keys of another account; give {user_id} its own folder"])
    if kept is not None:
        http.token = kept.access_token
        if (folder.path / STORE).exists() and await _valid(http):
            return kept
        _log.warning("device_replaced", sender=user_id)
        await _log_out(http)
    folder.remove(FILE, STORE, f"{STORE}-wal", f"{STORE}-shm")
    return await _log_in(http, folder, user_id, password(), device_name)


def _kept(folder: Folder) -> Device | None:
    value = folder.read_json(FILE)
    if value is None:
        return None
    try:
        return Device(UserId(value["user_id"]), DeviceId(value["device_id"]), value["access_token"])
    except KeyError as error:
        raise ConfigurationError([f"{folder.path / FILE}: damaged; delete it to log in again"]) from error


async def _valid(http: Http) -> bool:
    try:
        await http.call("GET", path("account", "whoami"))
    except Rejected as error:
        if error.status == 401:
            return False
        raise
    return True


async def _log_out(http: Http) -> None:
    try:
        await http.call("POST", path("logout"), {})
    except Rejected as error:
        _log.info("logout_refused", reason_code=error.code)
    http.token = None


async def _log_in(http: Http, folder: Folder, user_id: UserId, password: str, device_name: str) -> Device:
    body = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user_id},
        "password": password,
        "initial_device_display_name": device_name,
    }
    try:
        answer = await http.call("POST", path("login"), body)
    except Rejected as error:
        raise ConfigurationError(
            [f"matrix.password_file: the homeserver refuses to log {user_id} in ({error.code}); is the password right?"]
        ) from error
    found = Device(UserId(answer["user_id"]), DeviceId(answer["device_id"]), answer["access_token"])
    if found.user_id != user_id:
        raise ConfigurationError([f"matrix.user_id: the homeserver calls this account {found.user_id}"])
    folder.write_json(FILE, asdict(found))
    http.token = found.access_token
    _log.info("logged_in", sender=user_id)
    return found

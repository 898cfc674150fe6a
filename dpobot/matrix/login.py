"""Logging in once: the device and its access token, kept in the account's folder."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import Enum, auto

from dpobot import log
from dpobot.errors import ConfigurationError, Rejected
from dpobot.matrix.folder import Folder
from dpobot.matrix.http import Http, failure, path
from dpobot.model.ids import DeviceId, UserId

FILE = "device.json"
STORE = "keys.sqlite"
_log = log.get(__name__)


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
    kept = kept_device(folder)
    body: dict[str, object] = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user_id},
        "initial_device_display_name": device_name,
    }
    if kept is not None and kept.user_id != user_id:
        raise ConfigurationError([f"{folder.path}: holds the keys of another account; give {user_id} its own folder"])
    if kept is not None:
        http.token = kept.access_token
        state = await _token(http) if (folder.path / STORE).exists() else _Token.GONE
        if state is _Token.GOOD:
            return kept
        if state is _Token.EXPIRED:
            return await _log_in(http, folder, user_id, body | {"password": password(), "device_id": kept.device_id})
        _log.warning("device_replaced", sender=user_id)
        await _log_out(http)
    folder.remove(FILE, STORE, f"{STORE}-wal", f"{STORE}-shm")
    return await _log_in(http, folder, user_id, body | {"password": password()})


def kept_device(folder: Folder) -> Device | None:
    """Return the device that a folder holds, None if there is none; the folder need not be open, a bot may use it.

    Raises `ConfigurationError` if the file is damaged.
    """
    value = folder.read_json(FILE)
    if value is None:
        return None
    try:
        return Device(UserId(value["user_id"]), DeviceId(value["device_id"]), value["access_token"])
    except KeyError as error:
        raise ConfigurationError([f"{folder.path / FILE}: damaged; delete it to log in again"]) from error


class _Token(Enum):
    GOOD = auto()
    EXPIRED = auto()  # "soft logout": the device is still there, and so are its keys
    GONE = auto()


async def _token(http: Http) -> _Token:
    status, answer, headers = await http.answer("GET", path("account", "whoami"))
    if status == 401:
        soft = isinstance(answer, dict) and answer.get("soft_logout") is True
        return _Token.EXPIRED if soft else _Token.GONE
    if status != 200:
        raise failure(status, answer, headers)
    return _Token.GOOD


async def _log_out(http: Http) -> None:
    try:
        await http.call("POST", path("logout"), {})
    except Rejected as error:
        _log.info("logout_refused", reason_code=error.code)
    http.token = None


async def _log_in(http: Http, folder: Folder, user_id: UserId, body: dict[str, object]) -> Device:
    http.token = None
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

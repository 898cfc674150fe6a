"""This machine: who may read the keys, is there room on the disk, is the clock right, will volumes fit?"""

import shutil
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

from dpobot import credentials
from dpobot.check.finding import Answer, Check, Place, failed, ok, warning
from dpobot.config import Config

_FEW, _NEXT_TO_NOTHING = 5_000_000_000, 1_000_000_000  # bytes
_SMALL_UPLOAD = 10_000_000  # bytes: archives come in very many volumes then
_SKEW, _GREAT_SKEW = 30.0, 300.0  # seconds


async def _secrets(place: Place) -> Answer:
    open_ = [path for path in _files(place.config) if not _private(path)]
    if open_:
        names = " ".join(map(str, open_))
        return failed(f"others may read: {', '.join(map(str, open_))}", f"chmod go= {names}")
    missing = [name for name, path in _named(place.config) if path is not None and not path.exists()]
    if missing:
        return failed(f"named, but not there: {', '.join(missing)}", "put the files there, or remove the lines")
    return ok("nobody else may read keys and secrets")


def _named(config: Config) -> Iterator[tuple[str, Path | None]]:
    """Yield the secrets that the configuration names."""
    mas = config.homeserver.mas
    yield "matrix.password_file", config.matrix.password_file
    yield "homeserver.admin_token_file", config.homeserver.admin_token_file
    yield "homeserver.mas.client_secret_file", mas.client_secret_file if mas else None
    yield "matrix.recovery_key_file", config.matrix.recovery_key_file
    yield "data.seal_key_file", config.data.seal_key_file
    yield "data.receipt_key_file", config.data.receipt_key_file


def _files(config: Config) -> Iterator[Path]:
    """Yield what nobody else may read, as far as it is there."""
    folder = config.data.directory
    yield from (path for path in (folder, folder / "matrix", folder / "dpobot.sqlite") if path.exists())
    yield from (path for path in (folder / "seal.keys", folder / "receipt.key") if path.exists())
    yield from (path for path in sorted((folder / "matrix").glob("*")) if path.is_file())
    yield from (path for _, path in _named(config) if path is not None and path.exists())


def _private(path: Path) -> bool:
    try:
        return credentials.private(path)
    except OSError:  # gone meanwhile
        return True


async def _disk(place: Place) -> Answer:
    folder = next(each for each in (place.config.data.directory, *place.config.data.directory.parents) if each.exists())
    free = shutil.disk_usage(folder).free
    said = f"{free / 1e9:.1f} GB are free where archives are made"
    cure = "make room: an export needs about twice the size of what the person has; jobs wait until there is some"
    if free < _NEXT_TO_NOTHING:
        return failed(said, cure)
    return warning(said, cure) if free < _FEW else ok(said)


async def _clock(place: Place) -> Answer:
    _, _, headers = await place.account.http.answer("GET", "/_matrix/client/versions")
    try:
        theirs = parsedate_to_datetime(headers["Date"])
    except (KeyError, ValueError):
        return ok("the homeserver does not say what time it is")
    apart = abs((place.now - theirs).total_seconds())
    if apart > _GREAT_SKEW:
        return failed(f"the clocks of this machine and of the homeserver are {apart:.0f} s apart", "use NTP on both")
    if apart > _SKEW:
        return warning(f"the clocks of this machine and of the homeserver are {apart:.0f} s apart", "use NTP on both")
    return ok("the clock agrees with that of the homeserver")


async def _uploads(place: Place) -> Answer:
    bot = place.account
    limit = (await bot.http.call("GET", "/_matrix/client/v1/media/config")).get("m.upload.size")
    wanted = place.config.volume_bytes
    if not isinstance(limit, int):
        return ok("the homeserver names no limit of uploads")
    if limit < _SMALL_UPLOAD:
        cure = "raise max_upload_size of the homeserver, and client_max_body_size of its proxy"
        return failed(f"uploads of at most {limit / 1e6:.0f} MB: an archive comes in very many volumes", cure)
    if limit < wanted:
        said = f"volumes are {limit / 1e6:.0f} MB instead of {wanted / 1e6:.0f}: the homeserver takes no larger ones"
        return warning(said, "raise max_upload_size of the homeserver, or lower export.volume_megabytes")
    return ok(f"volumes of {wanted / 1e6:.0f} MB are within the limit of {limit / 1e6:.0f} MB")


CHECKS = (
    Check("secrets", "May nobody else read keys and secrets?", _secrets),
    Check("disk", "Is there room for archives?", _disk),
    Check("clock", "Does the clock agree with the homeserver's?", _clock),
    Check("upload limit", "Does the homeserver take volumes of this size?", _uploads),
)

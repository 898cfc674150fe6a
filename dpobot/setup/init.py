"""`dpobot init` as a story: ask, log in, write, and say what comes next."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dpobot import config
from dpobot.config import Config
from dpobot.errors import ConfigurationError
from dpobot.matrix.identity import RECOVERY
from dpobot.model.ids import RoomId, UserId
from dpobot.setup import account, operator, questions, server, settings, staff
from dpobot.setup.answers import Answers, several
from dpobot.setup.secret_files import SecretFiles
from dpobot.setup.server import Server
from dpobot.setup.settings import Value

_MODE = 0o640  # no secret is in it


class Installation:
    """Where a set-up puts what it makes: the configuration, and beside it the secrets."""

    def __init__(self, path: Path, secrets: Path) -> None:
        self.path = path
        self.draft = path.with_name(f"{path.name}.draft")
        self.memory = path.with_name(f".{path.name}.answers")
        self.secrets = SecretFiles(path.parent / secrets)

    def require_new(self) -> None:
        """Make sure that there is no such configuration yet. Raises `ConfigurationError`."""
        if self.path.exists():
            hint = f"dpobot check --config {self.path} says how it stands, --config names another"
            raise ConfigurationError([f"init: {self.path} exists, and is never overwritten; {hint}"])

    def make_folder(self) -> None:
        """Make the folder of the configuration. Raises `ConfigurationError`."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError([f"init: {self.path.parent} can't be made ({error.strerror})"]) from error

    def relative(self, path: Path) -> str:
        """Return a path as the configuration names it: from its own folder, if it is below."""
        folder = self.path.parent.resolve()
        whole = path.resolve()
        return str(whole.relative_to(folder) if whole.is_relative_to(folder) else whole)

    async def make_data(self, answer: str) -> None:
        """Make the data folder. Raises `ConfigurationError` if it can't be made, or others may read it."""
        folder = self.path.parent / answer
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = folder.stat().st_mode
        except OSError as error:
            raise ConfigurationError([f"{folder} can't be made ({error.strerror})"]) from error
        if mode & 0o077:
            raise ConfigurationError([f"others may read {folder}; chmod 700 {folder}"])

    def secret(self, name: str) -> str | None:
        """Return the path of a secret for the configuration, None if there is no such secret."""
        found = self.secrets.path(name)
        return self.relative(found) if found.exists() else None


@dataclass(frozen=True, slots=True)
class Result:
    """What was set up.

    ``recovery_key``: its file, if nobody has taken it away yet; ``room``: the staff room, None if there is none to use.
    """

    config: Config
    recovery_key: Path | None
    room: RoomId | None


async def tell(answers: Answers, place: Installation) -> Result:
    """Set everything up. What an interrupted attempt has done is found when it is run again.

    Raises `ConfigurationError`, `Unavailable`, `Rejected`.
    """
    place.require_new()
    place.make_folder()
    answers.require(questions.HOMESERVER_URL, questions.ADMIN_TOKEN, *operator.needed(answers), *staff.needed(answers))
    where = await server.ask(answers, place.secrets)
    data = place.path.parent / await answers.of(questions.DATA, check=place.make_data)
    user_id = await account.ask(answers, where, place.secrets)
    await account.log_in(answers, place.secrets, where.url, user_id, data / "matrix")
    key = await account.recovery_key(answers, where, user_id, data / "matrix")
    await operator.ask(answers, where.name)
    await staff.ask(answers, where)
    await answers.of(questions.DATABASE_URL, check=_holds_no_password)
    _write(place.draft, settings.filled(settings.example(), _values(answers, place, where, user_id)))
    result = await _furnish(answers, config.load(place.draft), key)
    place.draft.rename(place.path)
    answers.forget()
    return result


async def _holds_no_password(address: str) -> None:
    if urlsplit(address).password is not None:
        raise ConfigurationError(["no password in the address: put it into ~/.pgpass (PGPASSFILE) of dpobot's user"])


def _values(answers: Answers, place: Installation, where: Server, user_id: UserId) -> Mapping[str, Value | None]:
    """Return what differs from the example, by dotted path."""
    values: dict[str, Value | None] = {
        "matrix.homeserver_url": where.url,
        "matrix.user_id": user_id,
        "matrix.password_file": place.secret(account.PASSWORD),
        "homeserver.url": where.admin_url,
        "homeserver.admin_token_file": place.secret(server.ADMIN_TOKEN),
        "data.directory": place.relative(place.path.parent / (answers.early(questions.DATA) or "")),
        "staff.members": several(answers.early(questions.STAFF) or ""),
        "operator.log_days": int(answers.early(questions.LOG_DAYS) or 0),
    }
    if where.service is not None:
        mas = {"url": where.service.url, "client_id": where.service.client_id}
        values["homeserver.mas"] = mas | {"client_secret_file": place.secret(server.MAS_SECRET) or ""}
    others = (*questions.OPERATOR, questions.STAFF_ROOM, questions.STAFF_LANGUAGE, questions.DATABASE_URL)
    for question in others:
        answer = answers.early(question)
        if question.key is not None and question.key not in values and (answer or question.many):
            values[question.key] = several(answer or "") if question.many else answer
    return values


def _write(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)


async def _furnish(answers: Answers, drafted: Config, key: str | None) -> Result:
    """Open the account, name it, and see to the staff room."""
    recovery = drafted.data.directory / "matrix" / RECOVERY
    session = await account.open_session(drafted, key)
    try:
        await account.show_name(answers, drafted)
        room = await staff.furnish(drafted, session) if drafted.staff.wanted else None
    finally:
        await session.close()
    return Result(drafted, recovery if recovery.exists() else None, room)

"""The last part of `dpobot init`: who is staff, and the room in which they work."""

from dpobot import app
from dpobot.clock import SystemClock
from dpobot.config import Config
from dpobot.errors import ConfigurationError
from dpobot.matrix.session import Session
from dpobot.model.ids import RoomId, UserId, server_of
from dpobot.setup import homeserver, questions
from dpobot.setup.answers import Answers, several
from dpobot.setup.server import Server
from dpobot.staff.room import StaffRoom
from dpobot.text.render import Renderer, templates_folder


async def ask(answers: Answers, server: Server) -> None:
    """Ask for the people, or for a room of theirs. Raises `ConfigurationError` where nobody can be asked."""
    answers.say("\n4. The staff room")

    async def are_people(given: str) -> None:
        await _require_accounts(server, several(given))

    if not answers.guided and not answers.has(questions.STAFF) and not answers.has(questions.STAFF_ROOM):
        raise ConfigurationError([f"init: {questions.STAFF.where}, or {questions.STAFF_ROOM.where}: missing"])
    if not (answers.has(questions.STAFF_ROOM) and not answers.has(questions.STAFF)):
        people = await answers.of(questions.STAFF, default="", check=are_people)
        if people:
            return
    await answers.of(questions.STAFF_ROOM)


async def _require_accounts(server: Server, people: tuple[str, ...]) -> None:
    """Make sure that those of this server exist: a mistyped name would be invited all the same."""
    async with homeserver.administration(server.admin_url, server.admin_token) as http:
        own = [each for each in people if server_of(UserId(each)) == server.name]
        missing = [each for each in own if await homeserver.account(http, each) is None]
    if missing:
        raise ConfigurationError([f"there is no account {each}" for each in missing])


async def furnish(config: Config, session: Session) -> RoomId | None:
    """Make the staff room and invite staff, or adopt the one that is named, as `dpobot run` does; None if it is no use.

    The database is made for it. Raises `ConfigurationError`, `Unavailable`.
    """
    clock = SystemClock()
    renderer = Renderer(templates_folder(), {"operator": config.operator, "bot": session.user_id})
    database = await app.open_database(config, clock)
    try:
        return await StaffRoom(database, session, renderer, clock, config).ready()
    finally:
        await database.close()

"""The last part of `dpobot init`: who is staff, and the room in which they work."""

from collections.abc import Sequence

from dpobot import app
from dpobot.clock import SystemClock
from dpobot.config import Config
from dpobot.errors import ConfigurationError
from dpobot.matrix.session import Session
from dpobot.model.ids import RoomId, UserId, server_of
from dpobot.setup import homeserver, questions
from dpobot.setup.answers import Answers, several
from dpobot.setup.questions import Question
from dpobot.setup.server import Server
from dpobot.staff.room import StaffRoom
from dpobot.text.render import Renderer, templates_folder


def needed(answers: Answers) -> Sequence[Question]:
    """Return what must be answered where nobody can be asked: people, or a room (an empty one for none)."""
    return () if answers.has(questions.STAFF_ROOM) else (questions.STAFF,)


async def ask(answers: Answers, server: Server) -> None:
    """Ask for the people, or for a room of theirs. Raises `ConfigurationError` where nobody can be asked."""
    answers.say("\n4. The staff room")

    async def are_people(given: str) -> None:
        await _require_accounts(server, several(given))

    people = ""
    if answers.has(questions.STAFF) or not answers.has(questions.STAFF_ROOM):
        people = await answers.of(questions.STAFF, default="", check=are_people)
    if not people:
        await answers.of(questions.STAFF_ROOM)
    await answers.of(questions.STAFF_LANGUAGE)


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

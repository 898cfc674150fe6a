"""`dpobot init` and `dpobot support` on the command line: options, and what is said at the end."""

import argparse
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from dpobot import config, log
from dpobot.setup import answers as given_answers
from dpobot.setup import init, questions, support
from dpobot.setup.answers import Answers
from dpobot.setup.init import Installation, Result
from dpobot.setup.questions import Question
from dpobot.setup.terminal import Console, Terminal

INIT = (
    "Sets dpobot up: checks the homeserver, makes or takes the bot's account with its device and its cryptographic"
    " identity, makes the staff room, and writes the configuration, with the secrets in a folder beside it. Asks for"
    " what no option and no environment variable answers; every option NAME can also be the variable DPOBOT_INIT_NAME,"
    " secrets DPOBOT_INIT_NAME or DPOBOT_INIT_NAME_FILE. It can be interrupted and run again: it finds what is there."
)
SUPPORT = (
    "Prints what belongs into /.well-known/matrix/support of the server's name, for people and other servers to find"
    " whom to write to. Merge it with what is there."
)


def parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> Sequence[argparse.ArgumentParser]:
    """Add both commands; who calls gives them the option that names the configuration."""
    begin = commands.add_parser("init", help="set dpobot up: asks, checks, and writes bot.toml", description=INIT)
    begin.add_argument(
        "--non-interactive", action="store_true", help="ask nothing; fails with everything that is missing at once"
    )
    begin.add_argument(
        "--secrets", type=Path, default=Path("secrets"), metavar="DIR", help="folder for secrets (default: secrets)"
    )
    for question in questions.ALL:
        _option(begin, question)
    begin.set_defaults(run=run)
    contact = commands.add_parser("support", help="the .well-known/matrix/support of your server", description=SUPPORT)
    contact.add_argument("--admin-email", metavar="ADDRESS", help="of m.role.admin (default: operator.dpo_email)")
    contact.set_defaults(run=run_support)
    return begin, contact


def _option(parser: argparse.ArgumentParser, question: Question) -> None:
    default = f" (default: {question.default})" if question.default else ""
    parser.add_argument(
        question.option,
        dest=question.name,
        type=Path if question.secret else str,
        metavar=None if question.choices else "FILE" if question.secret else "TEXT",
        choices=question.choices or None,
        help=(question.ask + default).replace("%", "%%"),
    )


async def run(given: argparse.Namespace, terminal: Terminal | None = None) -> int:
    """Set dpobot up as the command line says. Raises as `init.tell`."""
    log.configure("WARNING", "console")
    place = Installation(given.config, given.secrets)
    known = given_answers.given(vars(given), questions.ALL)
    asked = None if given.non_interactive else terminal or Console()
    answers = Answers(known, place.memory, asked)
    result = await init.tell(answers, place)
    for line in _end(result, place, show_key=asked is not None):
        print(line)
    return 0


async def run_support(given: argparse.Namespace) -> int:
    """Print the support file."""
    print(support.snippet(config.load(given.config), given.admin_email))
    return 0


def _end(result: Result, place: Installation, *, show_key: bool) -> Iterator[str]:
    """Yield what somebody must know now."""
    yield f"{place.path} is written; the secrets are in {place.secrets.folder}."
    if result.recovery_key is not None:
        yield ""
        yield f"The recovery key of {result.config.matrix.user_id} is in {result.recovery_key}."
        yield "Keep it somewhere else, offline, and delete the file: whoever has it can speak as the bot."
        if show_key:
            yield f"  {result.recovery_key.read_text('utf-8').strip()}"
    yield ""
    yield from _staff(result)
    yield f"For {support.PATH} on the web server of {result.config.matrix.user_id.partition(':')[2]}:"
    yield support.snippet(result.config)
    yield ""
    yield "Next:"
    yield f"  {shlex.join([*_program(), 'run', '--config', str(place.path)])}"


def _staff(result: Result) -> Iterator[str]:
    if result.room is not None:
        yield f"The staff room is {result.room}; staff find the invitation in their clients."
    elif result.config.staff.wanted:
        yield "The staff room can't be used yet: invite the bot, into an encrypted room by invitation only."
    else:
        yield "There is no staff room: nobody decides, and nobody answers, until [staff] names people or a room."
    yield ""


def _program() -> list[str]:
    """Return how this program was called."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return [sys.executable, "-m", "dpobot"]
    found = shutil.which(called.name)
    return [called.name] if found is not None and Path(found).resolve() == called.resolve() else [str(called)]

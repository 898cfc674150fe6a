"""Where answers come from: options, the environment, files, the last attempt, and at last somebody who is asked."""

import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from dpobot.errors import ConfigurationError, Rejected, Unavailable
from dpobot.matrix.folder import Folder
from dpobot.setup import settings
from dpobot.setup.questions import Question
from dpobot.setup.secret_files import SecretFiles
from dpobot.setup.terminal import Terminal

Check = Callable[[str], Awaitable[None]]
_FILE = "_FILE"


class Answers:
    """The answers to questions. ``terminal`` is None where nobody can be asked.

    What was answered but secrets is kept in ``memory`` until `forget`, so that an interrupted attempt can be repeated.
    """

    def __init__(self, given: Mapping[str, str], memory: Path, terminal: Terminal | None) -> None:
        self._given = dict(given)
        self._memory = memory
        self._terminal = terminal
        self._earlier = _remembered(memory) if terminal is not None else {}

    @property
    def guided(self) -> bool:
        """Whether somebody can be asked."""
        return self._terminal is not None

    def has(self, question: Question) -> bool:
        """Say whether a question was answered beforehand."""
        return question.name in self._given

    def say(self, text: str) -> None:
        """Explain, if somebody is there."""
        if self._terminal is not None:
            self._terminal.say(text)

    def require(self, *questions: Question) -> None:
        """Make sure that these can be answered.

        Raises `ConfigurationError` with all that can't, where nobody can be asked.
        """
        missing = [each for each in questions if each.default is None and not self.has(each)]
        if missing and self._terminal is None:
            raise ConfigurationError([f"init: {each.where}: missing ({each.ask})" for each in missing])

    async def of(self, question: Question, default: str | None = None, check: Check | None = None) -> str:
        """Return an answer that is good; whoever is asked may try again.

        Raises `ConfigurationError` for a bad or missing answer where nobody can be asked.
        """
        default = question.default if default is None else default
        answer = self._given.get(question.name)
        if answer is None and self._terminal is None:
            if default is None:
                self.require(question)
            answer = default
        while True:
            if answer is None:
                answer = self._asked(question, default)
            try:
                answer = await _good(question, answer, check)
            except (ConfigurationError, Unavailable, Rejected) as error:
                self._complain(question, error)
                answer = None
            else:
                self._keep(question, answer)
                return answer

    async def secret(self, question: Question, files: SecretFiles, name: str, check: Check | None = None) -> str:
        """Return a secret, and keep it in a file: one that is there from an earlier attempt is taken if it is good."""
        kept = None if self.has(question) else files.read(name)
        if kept is not None:
            try:
                return await _good(question, kept, check)
            except (ConfigurationError, Rejected) as error:
                self.say(f"  {files.path(name)} is no longer good: {_sentence(error, _problems(error)[0])}")
        answer = await self.of(question, check=check)
        files.write(name, answer)
        return answer

    def early(self, question: Question) -> str | None:
        """Return what was answered beforehand, None if nothing was."""
        return self._given.get(question.name)

    def _asked(self, question: Question, default: str | None) -> str:
        assert self._terminal is not None  # noqa: S101 - `of` has looked
        default = self._earlier.get(question.name, default)
        self._terminal.say(f"\n{question.ask}" + (f"\n  {question.why}" if question.why else ""))
        if question.secret:
            return self._terminal.ask_secret("> ").strip()
        shown = f" [{default}]" if default else ""
        choices = f" ({', '.join(question.choices)})" if question.choices else ""
        return self._terminal.ask(f"{choices.lstrip()}{shown}> ".lstrip()).strip() or (default or "")

    def _complain(self, question: Question, error: Exception) -> None:
        """Say what is wrong with an answer; raises it where nobody could give another."""
        problems = [f"{question.where}: {_sentence(error, each)}" for each in _problems(error)]
        if self._terminal is None:
            raise ConfigurationError([f"init: {each}" for each in problems]) from error
        for each in _problems(error):
            self._terminal.say(f"  ! {_sentence(error, each)}")

    def _keep(self, question: Question, answer: str) -> None:
        self._given[question.name] = answer
        if self._terminal is not None and not question.secret:
            self._earlier[question.name] = answer
            folder = Folder(self._memory.parent)
            folder.write(self._memory.name, json.dumps(self._earlier, indent=1))

    def forget(self) -> None:
        """Delete what was kept for another attempt."""
        self._memory.unlink(missing_ok=True)


async def _good(question: Question, answer: str, check: Check | None) -> str:
    """Return an answer without surrounding space. Raises `ConfigurationError`, and what ``check`` raises."""
    answer = answer.strip()
    if question.choices and answer not in question.choices:
        raise ConfigurationError([f"one of: {', '.join(question.choices)}"])
    if not answer and question.default is None and not question.many:
        raise ConfigurationError(["an answer is needed"])
    if not answer.isprintable():
        raise ConfigurationError(["there are control characters in it"])
    if question.key is not None and answer:
        value: settings.Value = several(answer) if question.many else answer
        if problem := settings.problem(question.key, value):
            raise ConfigurationError([problem])
    if check is not None:
        await check(answer)
    return answer


def several(answer: str) -> tuple[str, ...]:
    """Return the parts of an answer with commas."""
    return tuple(part.strip() for part in answer.split(",") if part.strip())


def given(options: Mapping[str, str | Path | None], questions: Sequence[Question]) -> dict[str, str]:
    """Return what options, environment and the files that they name answer; options win.

    Raises `ConfigurationError` with every file that can't be read.
    """
    found, problems = {}, []
    for question in questions:
        option = options.get(question.name)
        try:
            answer = _given(question, option)
        except OSError as error:
            problems.append(f"init: {question.where}: the file can't be read ({error.strerror})")
        else:
            if answer is not None:
                found[question.name] = answer
    if problems:
        raise ConfigurationError(problems)
    return found


def _given(question: Question, option: str | Path | None) -> str | None:
    if isinstance(option, Path):
        return option.read_text("utf-8").strip()
    if option is not None:
        return option
    file = os.environ.get(question.variable + _FILE)
    return Path(file).read_text("utf-8").strip() if file else os.environ.get(question.variable)


def _remembered(path: Path) -> dict[str, str]:
    try:
        kept = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):  # none, or a damaged one: it only saves typing
        return {}
    return {str(name): str(answer) for name, answer in kept.items()} if isinstance(kept, dict) else {}


def _problems(error: Exception) -> list[str]:
    return error.problems if isinstance(error, ConfigurationError) else [str(error)]


def _sentence(error: Exception, text: str) -> str:
    if isinstance(error, Unavailable):
        return f"nothing answers there ({text}); is the address right, and the server up?"
    return f"the server refuses ({text})" if isinstance(error, Rejected) else text

"""All commands: found by themselves, checked when they are registered."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator

from dpobot.commands import user
from dpobot.commands.parse import Vocabulary, normal
from dpobot.commands.spec import Command, Commands


class Registry(Commands):
    """The commands by name, in the order of registration, with the vocabulary that leads to them.

    Raises `ValueError` for two commands that answer to the same word, and for a destructive one without a plan.
    """

    def __init__(self, commands: Iterable[Command]) -> None:
        self._commands: dict[str, Command] = {}
        self._words: dict[str, str] = {}
        self._phrases: dict[str, str] = {}
        for command in commands:
            self._register(command)
        self.vocabulary = Vocabulary(self._words, self._phrases)

    def __getitem__(self, name: str) -> Command:
        return self._commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(self._commands)

    def named(self, word: str) -> Command | None:
        """Return the command that a person means by ``word``: its name, an alias or a phrase."""
        plain = normal(word)
        name = self._words.get(plain) or self._phrases.get(plain)
        return self._commands[name] if name else None

    def _register(self, command: Command) -> None:
        _check(command)
        self._commands[command.name] = command
        for word in (command.name, *command.aliases):
            self._claim(self._words, word, command)
        for phrase in command.synonyms:
            self._claim(self._phrases, phrase, command)

    def _claim(self, where: dict[str, str], text: str, command: Command) -> None:
        plain = normal(text)
        taken = self._words.get(plain) or self._phrases.get(plain)
        if taken:
            raise ValueError(f"{command.name}: {text!r} belongs to {taken} already")
        where[plain] = command.name


def _check(command: Command) -> None:
    if command.destructive and not (command.plan and command.perform):
        raise ValueError(f"{command.name} is destructive: it needs plan() and perform(plan)")
    if command.destructive == (command.run is not None):
        raise ValueError(f"{command.name}: an ordinary command has run(), a destructive one has not")


def discover() -> Registry:
    """Return every command of ``commands/user``: each module has ``COMMANDS``, and ``ORDER`` for its place in help."""
    modules = [
        importlib.import_module(f"{user.__name__}.{found.name}") for found in pkgutil.iter_modules(user.__path__)
    ]
    modules.sort(key=lambda module: (module.ORDER, module.__name__))
    return Registry(command for module in modules for command in module.COMMANDS)

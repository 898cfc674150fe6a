"""All commands of the staff room: found by themselves, checked when they are registered."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator

from dpobot.commands import staff
from dpobot.commands.parse import Vocabulary, normal
from dpobot.commands.spec import StaffCommand, StaffCommands


class StaffRegistry(StaffCommands):
    """The commands by name, in the order of registration.

    The vocabulary's ``phrases`` are the names of two words (``assess agree``), which count before the first word
    alone. Raises `ValueError` for two commands that answer to the same words, and for one that has neither ``run`` nor
    both ``plan`` and ``perform``.
    """

    def __init__(self, commands: Iterable[StaffCommand]) -> None:
        self._commands: dict[str, StaffCommand] = {}
        self._words: dict[str, str] = {}
        self._phrases: dict[str, str] = {}
        for command in commands:
            self._register(command)
        self.vocabulary = Vocabulary(self._words, self._phrases)

    def __getitem__(self, name: str) -> StaffCommand:
        return self._commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(self._commands)

    def _register(self, command: StaffCommand) -> None:
        if (command.run is None) == (command.plan is None) or (command.plan is None) != (command.perform is None):
            raise ValueError(f"{command.name}: a command has run(), or plan() and perform(plan)")
        self._commands[command.name] = command
        for word in (command.name, *command.aliases):
            plain = normal(word)
            where = self._phrases if " " in plain else self._words
            if plain in where:
                raise ValueError(f"{command.name}: {word!r} belongs to {where[plain]} already")
            where[plain] = command.name


def discover_staff() -> StaffRegistry:
    """Return every command of ``commands/staff``: each module has ``COMMANDS``, and ``ORDER`` for its place in help."""
    modules = [
        importlib.import_module(f"{staff.__name__}.{found.name}") for found in pkgutil.iter_modules(staff.__path__)
    ]
    modules.sort(key=lambda module: (module.ORDER, module.__name__))
    return StaffRegistry(command for module in modules for command in module.COMMANDS)

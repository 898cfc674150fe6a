"""A job's journal in memory: steps that are done at once and remembered."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dpobot.engine.api import StepResult


@dataclass
class Journal:
    """`Steps` without a database."""

    results: dict[str, StepResult] = field(default_factory=dict)

    def done(self, name: str) -> StepResult | None:
        """Return the result of a finished step."""
        return self.results.get(name)

    async def step(
        self, name: str, do: Callable[[], Awaitable[StepResult]], progress: Mapping[str, Any] | None = None
    ) -> StepResult:
        """Do a step once."""
        if name not in self.results:
            self.results[name] = await do()
        return self.results[name]

"""Somebody at a terminal whose answers stand in a script."""

from collections.abc import Mapping

from dpobot.setup import questions
from dpobot.setup.questions import Question


class Script:
    """Answers questions, several tries one after the other; what has no answer left is left at its default.

    ``Script.STOP`` as an answer is Ctrl-C.
    """

    STOP = "\x03"

    def __init__(self, answers: Mapping[Question, str | list[str]]) -> None:
        self._answers = {key: [value] if isinstance(value, str) else list(value) for key, value in answers.items()}
        self._asked: Question | None = None
        self.said: list[str] = []
        self.prompts: list[str] = []

    def say(self, text: str) -> None:
        """Take note of what is said, and of what will be asked."""
        self.said.append(text)
        about = [question for question in questions.ALL if text.strip().startswith(question.ask)]
        self._asked = about[0] if about else self._asked

    def ask(self, prompt: str) -> str:
        """Return the next answer."""
        assert self._asked is not None
        assert not self._asked.secret, "a secret is typed without an echo"
        return self._next(prompt)

    def ask_secret(self, prompt: str) -> str:
        """Return the next secret."""
        assert self._asked is not None
        assert self._asked.secret
        return self._next(prompt)

    def _next(self, prompt: str) -> str:
        assert self._asked is not None
        self.prompts.append(f"{self._asked.name} {prompt}")
        left = self._answers.get(self._asked, [])
        answer = left.pop(0) if left else ""
        if answer == self.STOP:
            raise KeyboardInterrupt
        return answer

    @property
    def complaints(self) -> list[str]:
        """Return what was said about answers that are no good."""
        return [text.strip().removeprefix("! ") for text in self.said if text.strip().startswith("!")]

"""Why an import can't begin or can't go on: a sentence, and what to do about it."""

from dpobot.errors import DpobotError


class ImportStopped(DpobotError):
    """The whole import stops; what was done stays done, and a later run goes on from there. Never holds a token."""

    def __init__(self, sentence: str, hint: str) -> None:
        super().__init__(f"{sentence}; {hint}")
        self.sentence = sentence
        self.hint = hint

"""How many messages the person sent in each month."""

from collections import Counter

from dpobot.archive.messages import Shown

# by type alone, so that anybody can count them again: what is encrypted may be an edit or a reaction
MESSAGES = frozenset({"m.room.message", "m.room.encrypted", "m.sticker"})


class Months:
    """A count by month (``2026-03``; "" where the time is unknown). Memory: a line for each month that has any."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def count(self, event: Shown) -> None:
        """Count an event if it is a message."""
        if event.type in MESSAGES:
            self.counts[event.day[:7]] += 1

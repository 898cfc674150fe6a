"""How much one address, one link and all together may ask at a time."""

import math
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from dpobot.clock import Clock

_ADDRESSES = 10_000  # remembered; the one that was seen least recently is forgotten first


class Busy(Exception):
    """Too much at a time: 429. ``retry_after``: seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class Rate:
    """Requests of an address: so many at once, and so many more each minute."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # address -> requests left, when

    def take(self, address: str) -> None:
        """Count a request. Raises `Busy` if it is one too many."""
        now, most = self._clock.now().timestamp(), float(self._per_minute)
        left, since = self._left.pop(address, (most, now))
        left = min(most, left + max(0.0, now - since) * most / 60)
        self._left[address] = (max(0.0, left - 1), now) if left >= 1 else (left, now)
        while len(self._left) > _ADDRESSES:
            self._left.popitem(last=False)
        if left < 1:
            raise Busy(max(1, math.ceil((1 - left) * 60 / most)))


class Slots:
    """Files that are fetched at the same time: by one link, and by all."""

    def __init__(self, each: int, together: int, retry_after: int = 30) -> None:
        self._each = each
        self._together = together
        self._retry_after = retry_after
        self._taken: Counter[int] = Counter()

    @contextmanager
    def one(self, case_id: int) -> Iterator[None]:
        """Hold one while a file is being sent. Raises `Busy` if there is none."""
        if self._taken[case_id] >= self._each or self._taken.total() >= self._together:
            raise Busy(self._retry_after)
        self._taken[case_id] += 1
        try:
            yield
        finally:
            self._taken[case_id] -= 1
            if not self._taken[case_id]:
                del self._taken[case_id]

"""In which order redactions are sent so that a room's history does not fray. Pure.

Events sent side by side all follow the same event: the history has as many ends (forward extremities) as there were
events. Synapse lets the next event follow up to ten ends at once, the newest. So after a fan of events single ones join
its ends, and the history has one end again. A fan is also cheaper than the same number of senders that never wait for
each other: its events share what Synapse must look up before them, and are written in one transaction.
"""

from collections.abc import Iterator, Sequence

JOINED = 10  # ends that one event joins (Synapse, `get_prev_events_for_room`)


def fans(events: Sequence[str], width: int) -> Iterator[Sequence[str]]:
    """Yield groups to send one after the other, each side by side: fans of up to ``width``, then what joins their ends.

    The last group joins what is left; only up to ten events in all may stay a single fan.
    """
    width = max(width, 1)
    joins = -(-(width - 1) // (JOINED - 1))
    place = 0
    while place < len(events):
        left = len(events) - place
        fan = min(width, left if left <= JOINED else max(left - joins, 1))
        yield events[place : place + fan]
        place += fan
        for event in events[place : place + joins]:
            yield [event]
        place += joins

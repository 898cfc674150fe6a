"""Which jobs are handed out now: so many that every machine has work, and the table stays the backlog. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from dpobot.model.records import Job

MOST = 200  # handed out and not taken yet, at any time


def room(limits: Mapping[str, int], running: Mapping[str, int], waiting: Sequence[Job]) -> dict[str, int]:
    """Return how many more jobs of each name may be handed out, where it is at least one."""
    handed_out = Counter(job.name for job in waiting)
    left = {name: limit - running.get(name, 0) - handed_out[name] for name, limit in limits.items()}
    return {name: count for name, count in left.items() if count > 0}


def choose(due: Sequence[Job], waiting: Sequence[Job], queued: Collection[int], left: Mapping[str, int]) -> list[Job]:
    """Return which of the jobs that are due are handed out, or cancelled: one of a person, what there is room for.

    ``waiting`` are those of the ``queued`` that still wait; ``left`` is the `room` of each name.
    """
    persons = {job.person for job in waiting}
    left = dict(left)
    chosen: list[Job] = []
    for job in due:
        if job.id in queued:
            continue
        if job.cancel:
            chosen.append(job)
        elif job.person not in persons and left.get(job.name, 0) > 0 and len(queued) + len(chosen) < MOST:
            persons.add(job.person)
            left[job.name] -= 1
            chosen.append(job)
    return chosen

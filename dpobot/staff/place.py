"""Where in the staff room something is said."""

from dataclasses import replace

from dpobot.delivery.messages import StaffPlace
from dpobot.store.outbox import Relation


def thread_of(room: StaffPlace, case_id: int | None) -> StaffPlace:
    """Return a case's thread; the main time line if there is no case."""
    return room if case_id is None else replace(room, case_id=case_id, relation=Relation.THREAD)

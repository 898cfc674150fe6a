"""What dpobot's own database tells: is every erasure over in time, and has each its receipt?"""

from datetime import timedelta

from dpobot.cases import safeguards
from dpobot.check.finding import PROMISED, Answer, Check, Place, failed, ok, warning
from dpobot.store import erasure_review
from dpobot.store import safeguards as rows

_SOON = timedelta(days=7)
_NAMED = 10  # so many cases are named
_VERIFYING = timedelta(days=1)  # what is erased is verified at once; a day leaves room for a homeserver that is away


async def _in_time(place: Place) -> Answer:
    late = await place.database.read(lambda tx: erasure_review.unfinished(tx, place.now - PROMISED))
    cure = "see case REFERENCE in the staff room; retry, or go on without what fails: retry skip"
    if late:
        return failed(f"erasures that are not over after 30 days: {_listed(late)}", cure)
    soon = await place.database.read(lambda tx: erasure_review.unfinished(tx, place.now - PROMISED + _SOON))
    if soon:
        return warning(f"erasures that must be over within a week: {_listed(soon)}", cure)
    return ok("no erasure is older than 30 days")


async def _receipts(place: Place) -> Answer:
    without = await place.database.read(lambda tx: erasure_review.without_receipt(tx, place.now - _VERIFYING))
    if without:
        return failed(
            f"finished erasures without a signed receipt: {_listed(without)}",
            "look for failed jobs verify_erasure in the staff room, and at the log",
        )
    return ok("every finished erasure has its signed receipt")


async def _in_force(place: Place) -> Answer:
    known = await place.database.read(rows.read)
    looser = [row for row in known.values() if row.wanted is not None and row.counts_at and row.counts_at > place.now]
    if looser:
        named = ", ".join(
            f"{row.name} {row.value} -> {row.wanted} from {row.counts_at:%Y-%m-%d %H:%M}" for row in looser
        )
        return warning(
            f"looser safeguards take effect soon: {named}",
            "if nobody meant it: put the configuration back and restart dpobot",
        )
    now = safeguards.at(known, place.now)
    decision = "staff decide about each" if not now.policy else "confirmed ones need no decision of staff"
    return ok(f"erasures wait {now.cooling_off}, at most {now.daily_cap} a day begin; {decision}")


def _listed(references: list[str]) -> str:
    """Return how many there are, and the first of them."""
    more = ", ..." if len(references) > _NAMED else ""
    return f"{len(references)} ({', '.join(references[:_NAMED])}{more})"


CHECKS = (
    Check("erasures in time", "Is every erasure over within 30 days?", _in_time),
    Check("receipts", "Has every finished erasure its signed receipt?", _receipts),
    Check("safeguards", "Are the safeguards in force those that stay?", _in_force),
)

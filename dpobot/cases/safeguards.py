"""The safeguards of erasures: what is tighter counts at once, what is looser waits, so that nobody loosens and acts.

`merge` and `at` are pure. What is in force is kept in the database; the configuration is only what is wanted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from dpobot.audit import trail
from dpobot.store import alerts
from dpobot.store import safeguards as rows
from dpobot.store.database import Tx
from dpobot.store.safeguards import Safeguard

LOOSENED = "safeguard_loosened"  # the alert that tells staff of a looser wish
_LOOSENING = "loosening"
_LOWER_IS_TIGHTER = frozenset({"daily_cap", "policy"})


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What is in force, or wanted. ``daily_cap``: erasures that may begin within 24 hours.

    ``policy``: confirmed erasures need no decision of staff; ``second``: two members of staff must approve one;
    ``loosening``: how long a looser wish waits.
    """

    cooling_off: timedelta = timedelta(hours=24)
    new_device: timedelta = timedelta(hours=24)
    daily_cap: int = 20
    policy: bool = False
    second: bool = False
    loosening: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Change:
    """One safeguard that changes from ``from_when`` on; times are seconds, truth values 0 and 1."""

    name: str
    old: int
    new: int
    from_when: datetime


def numbers(safeguards: Safeguards) -> Mapping[str, int]:
    """Return safeguards as they are stored: whole numbers by name."""
    return {
        "cooling_off": int(safeguards.cooling_off.total_seconds()),
        "new_device": int(safeguards.new_device.total_seconds()),
        "daily_cap": safeguards.daily_cap,
        "policy": int(safeguards.policy),
        "second": int(safeguards.second),
        _LOOSENING: int(safeguards.loosening.total_seconds()),
    }


def at(known: Mapping[str, Safeguard], now: datetime) -> Safeguards:
    """Return what is in force at a moment; what was never written is as `Safeguards` says."""
    values = {**numbers(Safeguards()), **{name: value_at(row, now) for name, row in known.items()}}
    return Safeguards(
        timedelta(seconds=values["cooling_off"]),
        timedelta(seconds=values["new_device"]),
        values["daily_cap"],
        bool(values["policy"]),
        bool(values["second"]),
        timedelta(seconds=values[_LOOSENING]),
    )


def tightest(known: Mapping[str, Safeguard]) -> Safeguards:
    """Return what is in force as long as no looser wish counts."""
    return at(known, datetime.min.replace(tzinfo=UTC))


def value_at(row: Safeguard, now: datetime) -> int:
    """Return what is in force of one safeguard: the looser wish, once its time has come."""
    ripe = row.wanted is not None and row.counts_at is not None and row.counts_at <= now
    return row.wanted if ripe and row.wanted is not None else row.value


def tighter(name: str, value: int, than: int) -> bool:
    """Say whether a value of a safeguard is tighter than another."""
    return value < than if name in _LOWER_IS_TIGHTER else value > than


def merge(known: Mapping[str, Safeguard], wanted: Mapping[str, int], now: datetime) -> Mapping[str, Safeguard]:
    """Return what is known after a start whose configuration wants these values.

    Tighter counts at once. A looser wish counts after the loosening time that is in force, or is wanted with it, the
    longer one; the same wish at a later start waits no longer, one that was taken back meanwhile waits anew.
    """
    settled = {name: _settled(row, now) for name, row in known.items()}
    before = settled[_LOOSENING].value if _LOOSENING in settled else wanted[_LOOSENING]
    wait = timedelta(seconds=max(before, wanted[_LOOSENING]))
    return {name: _merged(settled.get(name), name, value, now, wait) for name, value in wanted.items()}


def _settled(row: Safeguard, now: datetime) -> Safeguard:
    value = value_at(row, now)
    return replace(row, value=value, wanted=None, wanted_at=None, counts_at=None) if value != row.value else row


def _merged(row: Safeguard | None, name: str, wanted: int, now: datetime, wait: timedelta) -> Safeguard:
    if row is None or wanted == row.value or tighter(name, wanted, row.value):
        return Safeguard(name, wanted)
    if row.wanted == wanted and row.wanted_at is not None and row.counts_at is not None:
        return replace(row, counts_at=max(row.counts_at, row.wanted_at + wait))
    return Safeguard(name, row.value, wanted, now, now + wait)


async def in_force(tx: Tx, now: datetime) -> Safeguards:
    """Return the safeguards that count now: whoever acts on one asks here and never the configuration."""
    return at(await rows.read(tx), now)


async def want(tx: Tx, now: datetime, wanted: Safeguards) -> Sequence[Change]:
    """Take in what the configuration wants, at each start; return what changes, now or later.

    Each change has its row in the trail; of each looser wish staff are told by an alert.
    """
    await rows.lock(tx)
    known = await rows.read(tx)
    merged = merge(known, numbers(wanted), now)
    await rows.write(tx, list(merged.values()))
    changes: list[Change] = []
    for name, row in merged.items():
        if name in known:
            changes += await _note(tx, now, known[name], row)
    return changes


async def _note(tx: Tx, now: datetime, old: Safeguard, new: Safeguard) -> Sequence[Change]:
    """Record what has become of one safeguard since the last start."""
    before = value_at(old, now)
    new_wish = new.wanted is not None and (old.wanted, old.wanted_at) != (new.wanted, new.wanted_at)
    if before != old.value:
        await _record(tx, now, "safeguard.loosened", old.name, old.value, before)
        await _close(tx, now, old)
    elif old.wanted is not None and (new_wish or new.wanted is None):
        await _record(tx, now, "safeguard.wish_withdrawn", old.name, old.value, old.wanted)
        await _close(tx, now, old)
    if new.value != before:
        await _record(tx, now, "safeguard.tightened", new.name, before, new.value)
        return [Change(new.name, before, new.value, now)]
    if not new_wish or new.wanted is None or new.counts_at is None:
        return []
    await _record(tx, now, "safeguard.looser_wanted", new.name, new.value, new.wanted, new.counts_at)
    await alerts.open(tx, key=_key(new.name, now), code=LOOSENED, now=now)
    return [Change(new.name, new.value, new.wanted, new.counts_at)]


async def _close(tx: Tx, now: datetime, row: Safeguard) -> None:
    """Nobody need look at a wish any more: it was withdrawn, or staff have known of it for the loosening time."""
    if row.wanted_at is not None:
        await alerts.close(tx, _key(row.name, row.wanted_at), now)


async def _record(
    tx: Tx, now: datetime, action: str, name: str, old: int, new: int | None, from_when: datetime | None = None
) -> None:
    detail: dict[str, str | int | None] = {"safeguard": name, "old": old, "new": new}
    if from_when is not None:
        detail["from_when"] = from_when.isoformat()
    await trail.record(tx, now, "admin", action, None, detail)


def _key(name: str, wanted_at: datetime) -> str:
    return f"safeguard:{name}:{wanted_at.isoformat()}"

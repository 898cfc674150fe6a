"""Safeguards: tighter at once, looser after the loosening time, whatever is tried in between."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dpobot.cases import safeguards
from dpobot.cases.safeguards import Change, Safeguards
from dpobot.store import alerts, audit_rows
from dpobot.store.database import Tx
from dpobot.store.safeguards import Safeguard
from tests.unit.cases.office import NOW, Office, after

NAMES = tuple(safeguards.numbers(Safeguards()))
HOURS = st.integers(0, 72)
WISHES = st.builds(
    Safeguards,
    HOURS.map(lambda n: timedelta(hours=n)),
    HOURS.map(lambda n: timedelta(hours=n)),
    st.integers(1, 50),
    st.booleans(),
    st.booleans(),
    HOURS.map(lambda n: timedelta(hours=n)),
)
STARTS = st.lists(st.tuples(st.integers(0, 48), WISHES), min_size=1, max_size=8)  # hours since the last start, wish
DAY = timedelta(hours=24)


def _looser(name: str, value: int, than: int) -> bool:
    return safeguards.tighter(name, than, value)


def _history(starts: list[tuple[int, Safeguards]]) -> list[tuple[datetime, dict[str, int], dict[str, Safeguard]]]:
    """Return for each start its moment, what it wanted, and what was known after it."""
    known: dict[str, Safeguard] = {}
    now, seen = NOW, []
    for hours, wanted in starts:
        now += timedelta(hours=hours)
        known = dict(safeguards.merge(known, safeguards.numbers(wanted), now))
        seen.append((now, dict(safeguards.numbers(wanted)), known))
    return seen


def _in_force(history: list[Any], now: datetime) -> dict[str, int]:
    known = [known for moment, _, known in history if moment <= now][-1]
    return {name: safeguards.value_at(row, now) for name, row in known.items()}


@given(STARTS)
def test_what_is_tighter_counts_at_once(starts: list[tuple[int, Safeguards]]) -> None:
    """After each start nothing is looser than what it wants."""
    for now, wanted, known in _history(starts):
        values = {name: safeguards.value_at(row, now) for name, row in known.items()}
        assert [name for name in NAMES if _looser(name, values[name], wanted[name])] == []


@given(STARTS, st.integers(0, 400))
def test_nothing_gets_looser_that_was_not_wanted_for_the_loosening_time(
    starts: list[tuple[int, Safeguards]], quarters: int
) -> None:
    """If a value is looser than at an earlier moment, every start since the wish wanted something at least as loose.

    And the wish is as old as the loosening time that was in force when it was made.
    """
    history = _history(starts)
    now = NOW + timedelta(minutes=15 * quarters)
    past = [each for each in history if each[0] <= now]
    if not past:
        return
    values = _in_force(history, now)
    for name in NAMES:
        for index, (moment, _, _) in enumerate(past):
            before = _in_force(history, moment)
            if not _looser(name, values[name], before[name]):
                continue
            assert _old_enough(history, past[index:], name, values[name], now)


def _old_enough(history: list[Any], past: list[Any], name: str, value: int, now: datetime) -> bool:
    """Say whether some start wanted it, long enough ago, and none since then has wanted it tighter."""
    for index, (moment, wanted, _) in enumerate(past):
        wait = timedelta(seconds=_in_force(history, moment)["loosening"])
        since = [later for _, later, _ in past[index:]]
        held = not any(safeguards.tighter(name, later[name], value) for later in since)
        if wanted[name] == value and held and now >= moment + wait:
            return True
    return False


@given(STARTS)
def test_starting_again_changes_nothing(starts: list[tuple[int, Safeguards]]) -> None:
    """The same configuration at the same moment: nothing waits longer for it, nothing shorter."""
    now, wanted, known = _history(starts)[-1]
    assert safeguards.merge(known, wanted, now) == known


@given(STARTS, st.integers(1, 20), st.integers(1, 100))
def test_restarts_do_not_hurry(starts: list[tuple[int, Safeguards]], times: int, hours: int) -> None:
    """However often it is started with the same wish, it comes into force at the same moment."""
    now, wanted, known = _history(starts)[-1]
    again = known
    for n in range(times):
        again = dict(safeguards.merge(again, wanted, now + timedelta(hours=hours) * n / times))
    end = now + timedelta(hours=hours)
    assert safeguards.at(again, end) == safeguards.at(known, end)


@given(WISHES, WISHES)
def test_a_first_start_has_what_it_wants(wanted: Safeguards, other: Safeguards) -> None:
    """Nothing was in force before, and nothing waits; what is stored gives the same safeguards back."""
    known = safeguards.merge({}, safeguards.numbers(wanted), NOW)
    assert (safeguards.at(known, NOW), safeguards.tightest(known)) == (wanted, wanted)
    merged = safeguards.merge(known, safeguards.numbers(other), NOW)
    wait = max(wanted.loosening, other.loosening)
    assert safeguards.at(merged, NOW + wait) == other


def test_a_wish_that_was_taken_back_waits_anew() -> None:
    """Looser, back, looser: the clock begins with the last one."""
    first = safeguards.merge({}, safeguards.numbers(Safeguards()), NOW)
    looser = safeguards.numbers(Safeguards(daily_cap=100))
    wished = safeguards.merge(first, looser, NOW)
    back = safeguards.merge(wished, safeguards.numbers(Safeguards()), after(hours=12))
    again = safeguards.merge(back, looser, after(hours=13))
    caps = [safeguards.at(again, after(hours=hours)).daily_cap for hours in (24, 36, 37)]
    assert caps == [20, 20, 100]


def test_the_loosening_time_is_loosened_by_itself() -> None:
    """A shorter one waits the longer one, and what is wished meanwhile waits the longer one, too."""
    first = safeguards.merge({}, safeguards.numbers(Safeguards()), NOW)
    short = Safeguards(loosening=timedelta(0))
    wished = safeguards.merge(first, safeguards.numbers(short), NOW)
    both = safeguards.merge(wished, safeguards.numbers(replace(short, cooling_off=timedelta(0))), after(hours=10))
    assert [safeguards.at(both, after(hours=h)).loosening for h in (23, 24)] == [DAY, timedelta(0)]
    assert [safeguards.at(both, after(hours=h)).cooling_off for h in (24, 33, 34)] == [DAY, DAY, timedelta(0)]


def test_a_longer_loosening_time_holds_back_what_waits() -> None:
    """Tighter counts at once, for wishes that were made before as well."""
    first = safeguards.merge({}, safeguards.numbers(Safeguards()), NOW)
    wished = safeguards.merge(first, safeguards.numbers(Safeguards(policy=True)), NOW)
    longer = Safeguards(policy=True, loosening=timedelta(hours=48))
    held = safeguards.merge(wished, safeguards.numbers(longer), after(hours=1))
    assert [safeguards.at(held, after(hours=h)).policy for h in (24, 47, 48)] == [False, False, True]


async def _codes(office: Office) -> list[str]:
    return [alert.code for alert in await office.ask(alerts.list_open)]


async def _trail(office: Office) -> list[tuple[str, Any, Any, Any]]:
    async def read(tx: Tx) -> list[Any]:
        return [row async for row in audit_rows.rows(tx)]

    rows = await office.database.read(read)
    return [(r.action, r.detail["safeguard"], r.detail["old"], r.detail["new"]) for r in rows]


async def test_before_the_first_start_the_defaults_are_in_force(office: Office) -> None:
    """Nobody acts on nothing."""
    assert await office.ask(safeguards.in_force, NOW) == Safeguards()


async def test_staff_are_told_of_a_looser_wish(office: Office) -> None:
    """At once, and once; the trail has the wish, and later that it came into force."""
    assert await office.do(safeguards.want, Safeguards()) == []
    looser = Safeguards(cooling_off=timedelta(hours=1))
    assert await office.do(safeguards.want, looser) == [Change("cooling_off", 86400, 3600, NOW + DAY)]
    assert await office.do(safeguards.want, looser, now=after(hours=1)) == []
    assert await _codes(office) == ["safeguard_loosened"]
    moments = (NOW, after(hours=23), NOW + DAY)
    cooling = [(await office.ask(safeguards.in_force, each)).cooling_off for each in moments]
    assert cooling == [DAY, DAY, timedelta(hours=1)]
    assert await office.do(safeguards.want, looser, now=after(hours=30)) == []
    assert await _trail(office) == [
        ("safeguard.looser_wanted", "cooling_off", 86400, 3600),
        ("safeguard.loosened", "cooling_off", 86400, 3600),
    ]
    assert await _codes(office) == []


async def test_what_is_tightened_is_in_the_trail(office: Office) -> None:
    """From now on; a looser wish that it replaces is withdrawn, and its alert is closed."""
    await office.do(safeguards.want, Safeguards())
    await office.do(safeguards.want, Safeguards(daily_cap=30))
    assert await office.do(safeguards.want, Safeguards(daily_cap=5), now=after(hours=1)) == [
        Change("daily_cap", 20, 5, after(hours=1))
    ]
    assert (await office.ask(safeguards.in_force, after(hours=1))).daily_cap == 5
    assert (await _trail(office), await _codes(office)) == (
        [
            ("safeguard.looser_wanted", "daily_cap", 20, 30),
            ("safeguard.wish_withdrawn", "daily_cap", 20, 30),
            ("safeguard.tightened", "daily_cap", 20, 5),
        ],
        [],
    )


async def test_a_wish_that_changes_has_an_alert_of_its_own(office: Office) -> None:
    """Looser still: the first is withdrawn, the second waits anew."""
    await office.do(safeguards.want, Safeguards())
    await office.do(safeguards.want, Safeguards(daily_cap=30))
    [change] = await office.do(safeguards.want, Safeguards(daily_cap=40), now=after(hours=5))
    assert (change.new, change.from_when, len(await _codes(office))) == (40, after(hours=29), 1)


async def test_a_change_names_nobody(office: Office) -> None:
    """It was done by whoever writes the configuration."""
    await office.do(safeguards.want, Safeguards())
    await office.do(safeguards.want, Safeguards(policy=True))
    assert await office.database.read(_actors) == {"admin"}


async def _actors(tx: Tx) -> set[str | None]:
    return {row.actor async for row in audit_rows.rows(tx)}

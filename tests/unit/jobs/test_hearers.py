"""Who was there for what: edges, clocks that differ, servers that came later."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from dpobot.homeserver.api import RoomCompany, Service, Stay
from dpobot.jobs.hearers import MARGIN, NOTHING, Heard, Hearers
from dpobot.jobs.receivers import take_in
from dpobot.model.ids import UserId

_T = 1_790_000_000_000
_HOUR = 3_600_000


def _heard(stays: Sequence[Stay], *times: int) -> dict[str, Heard]:
    hearers = Hearers(RoomCompany(tuple(stays), (), whole=True))
    for at in times:
        hearers.sent(at)
    return hearers.servers()


def test_what_was_sent_while_it_was_there() -> None:
    """Between coming and going, each event once; before and after nothing."""
    stays = [Stay("a.example", _T, _T + 2 * _HOUR), Stay("a.example", _T + 5 * _HOUR, None)]
    times = [_T + hour * _HOUR for hour in (-1, 1, 3, 6, 7)]
    assert _heard(stays, *times) == {"a.example": Heard(3, times[1], times[4])}


def test_clocks_may_differ_by_minutes() -> None:
    """An event up to five minutes outside counts, one a moment further out does not."""
    stays = [Stay("a.example", _T, _T + _HOUR)]
    near, far = [_T - MARGIN, _T + _HOUR + MARGIN], [_T - MARGIN - 1, _T + _HOUR + MARGIN + 1]
    assert _heard(stays, *near, *far)["a.example"] == Heard(2, *near)


def test_stays_that_touch_count_an_event_once() -> None:
    """Left and back within the margin: an event between is in both, and counted once."""
    stays = [Stay("a.example", _T, _T + _HOUR), Stay("a.example", _T + _HOUR + 1000, None)]
    assert _heard(stays, _T + _HOUR + 500)["a.example"].events == 1


def test_who_came_later_is_told_and_who_had_gone_before_is_not() -> None:
    """The later one may have fetched what was sent before it came."""
    stays = [Stay("later.example", _T + _HOUR, None), Stay("gone.example", _T - 2 * _HOUR, _T - _HOUR)]
    assert _heard(stays, _T) == {"later.example": NOTHING}
    assert _heard(stays) == {}


def test_a_clock_that_runs_backwards_makes_a_stay_longer() -> None:
    """Gone before it came, by its own clock: it was there between the two."""
    assert _heard([Stay("a.example", _T + _HOUR, _T)], _T + _HOUR // 2)["a.example"].events == 1


def test_an_invitation_reaches_a_server_that_never_came() -> None:
    """It is sent there by itself; where the server is there anyway, it counts once."""
    invited = {
        "type": "m.room.member",
        "state_key": "@rita:never.example",
        "origin_server_ts": _T,
        "content": {"membership": "invite"},
    }
    hearers = Hearers(RoomCompany((Stay("there.example", _T - _HOUR, None),), (), whole=True))
    take_in(hearers, [invited, {**invited, "state_key": "@sam:there.example", "origin_server_ts": _T + 1}])
    heard = hearers.servers()
    assert heard == {"never.example": Heard(1, _T, _T), "there.example": Heard(2, _T, _T + 1)}
    assert hearers.events == 2


def test_services_like_servers() -> None:
    """A bot that is still there, one that had gone."""
    here = Service(UserId("@bot:a.example"), "bot", None, _T, None)
    gone = Service(UserId("@old:a.example"), "bot", None, 0, _T - _HOUR)
    hearers = Hearers(RoomCompany((), (here, gone), whole=True))
    hearers.sent(_T + 1)
    assert hearers.services() == [(here, Heard(1, _T + 1, _T + 1))]


_TIMES = st.integers(0, 60).map(lambda minutes: _T + minutes * 60_000)
_STAYS = st.builds(Stay, st.sampled_from(["a", "b"]), _TIMES, st.none() | _TIMES)


@given(st.lists(_STAYS, max_size=8), st.lists(_TIMES, max_size=30))
def test_it_counts_as_one_would_by_hand(stays: list[Stay], times: list[int]) -> None:
    """Each event is looked for in each stay, without any of the shortcuts."""
    expected = {}
    for server in {stay.server for stay in stays}:
        spans = [
            (min(stay.since, stay.until or 2**60) - MARGIN, max(stay.since, stay.until or 2**60) + MARGIN)
            for stay in stays
            if stay.server == server
        ]
        there = [at for at in times if any(since <= at <= until for since, until in spans)]
        if any(until >= min(times, default=2**61) for _, until in spans):
            expected[server] = Heard(len(there), min(there), max(there)) if there else NOTHING
    assert _heard(stays, *times) == expected

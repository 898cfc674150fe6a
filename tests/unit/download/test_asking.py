"""Which part is asked for, by whom, and how much of it: the pure rules."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.download import address
from dpobot.download.limits import Busy, Rate, Slots
from dpobot.download.ranges import Part, Unsatisfiable, asked
from tests.unit.download.conftest import SetClock

ETAG = '"abc"'


@given(size=st.integers(1, 50), first=st.integers(0, 60), last=st.integers(0, 60))
def test_a_range_is_what_it_says(size: int, first: int, last: int) -> None:
    """Every range over small files, compared with a list of its bytes."""
    whole = list(range(size))
    header = f"bytes={first}-{last}"
    if last < first:
        assert asked(header, None, ETAG, size) == Part(0, size, whole=True)
    elif first >= size:
        with pytest.raises(Unsatisfiable):
            asked(header, None, ETAG, size)
    else:
        part = asked(header, None, ETAG, size)
        assert (whole[part.start : part.end], part.whole) == (whole[first : last + 1], False)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=5-", Part(5, 10)),
        ("bytes=-3", Part(7, 10)),
        ("bytes=-30", Part(0, 10)),
        ("BYTES= 2-4 ", Part(2, 5)),
        ("bytes=0-999999999999999999", Part(0, 10)),
    ],
)
def test_a_part(header: str, expected: Part) -> None:
    """Open to one side, from the end, beyond the end."""
    assert asked(header, None, ETAG, 10) == expected
    assert asked(header, ETAG, ETAG, 10) == expected


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=1-2,4-5", "bytes=9-5", "bytes=٣-٤"),
        *("bytes=" + "9" * 19 + "-", "bytes=--1", "bytes=1-2;x", "bytes=0x1-"),
    ],
)
def test_what_is_no_single_range_is_everything(header: str | None) -> None:
    """As if it were not there (RFC 9110, 14.2)."""
    assert asked(header, None, ETAG, 10) == Part(0, 10, whole=True)


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_what_is_not_there(header: str) -> None:
    """416; unless the client's own part is of something else, which it then gets whole."""
    with pytest.raises(Unsatisfiable):
        asked(header, None, ETAG, 10)
    assert asked(header, '"other"', ETAG, 10).whole


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["10.0.0.1, 198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["198.51.100.1", "198.51.100.2"], "198.51.100.2"),
        ("172.17.0.1", ["spoofed, 198.51.100.1"], "198.51.100.1"),
        ("::1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        ("::ffff:127.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["nonsense"], "127.0.0.1"),
        ("fe80::1%eth0", [], "fe80::/64"),
        (None, ["198.51.100.1"], "unknown"),
        ("nonsense", [], "unknown"),
    ],
)
def test_whose_request_it_is(peer: str | None, forwarded: list[str], expected: str) -> None:
    """What a proxy of ours says last; what anybody else says doesn't count."""
    assert address.of(peer, forwarded) == expected


def test_an_address_may_ask_so_often() -> None:
    """At once as many as in a minute, then as they grow again; others are not held up."""
    clock = SetClock()
    rate = Rate(60, clock)
    for _ in range(60):
        rate.take("a")
    with pytest.raises(Busy) as caught:
        rate.take("a")
    assert caught.value.retry_after == 1
    rate.take("b")
    clock.moment += timedelta(seconds=2)
    rate.take("a")
    rate.take("a")
    with pytest.raises(Busy):
        rate.take("a")
    clock.moment -= timedelta(hours=1)  # a clock that is put back takes nothing away
    with pytest.raises(Busy):
        rate.take("a")


def test_addresses_are_forgotten() -> None:
    """Ten thousand are remembered, whoever asks in between."""
    rate = Rate(5, SetClock())
    for number in range(25_000):
        rate.take(str(number))
    assert (len(rate._left), "24999" in rate._left, "14999" in rate._left) == (10_000, True, False)


def test_places_are_given_back() -> None:
    """Also if what held one fails."""
    slots = Slots(each=2, together=3)
    with slots.one(1), slots.one(1), slots.one(2):
        for case_id in (1, 2):
            with pytest.raises(Busy), slots.one(case_id):
                pass
    with pytest.raises(ValueError, match="x"), slots.one(1):
        raise ValueError("x")
    with slots.one(1), slots.one(1):
        pass
    assert slots._taken.total() == 0

"""Moments and people that these tests speak of."""

from datetime import UTC, datetime, timedelta

from dpobot.model.ids import EventId, RoomId, UserId

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANNA = UserId("@anna:example.org")
BORIS = UserId("@boris:example.org")
ROOM = RoomId("!direct:example.org")


def after(seconds: float) -> datetime:
    """Return a moment so many seconds after `NOW`."""
    return NOW + timedelta(seconds=seconds)


def event(number: int) -> EventId:
    """Return an event's ID."""
    return EventId(f"$event{number}")

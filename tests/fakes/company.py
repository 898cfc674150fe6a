"""Who was in a room of the homeserver in memory: servers and services."""

from typing import TYPE_CHECKING

from dpobot.homeserver.api import RoomCompany
from dpobot.model.ids import UserId

if TYPE_CHECKING:
    from tests.fakes.homeserver import FakeRoom


def company(room: "FakeRoom", user: UserId) -> RoomCompany:
    """Return who was there with somebody."""
    return RoomCompany((), (), whole=False)

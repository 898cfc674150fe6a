"""Every kind of malformed input that an ordinary account can send, as a list of named attacks."""

from tests.live import poison_devices, poison_rooms
from tests.live.attack import POISONS, Attack, Poison

__all__ = ["POISONS", "Attack", "Poison", "poison_devices", "poison_rooms"]

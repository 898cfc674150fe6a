"""A machine that loses its power after a chosen number of effects: nothing it does from then on reaches anything."""

from dpobot.errors import Unavailable
from dpobot.store.database import Database, T, Work

EFFECTS = frozenset(
    {"send", "send_cleartext_warning", "redact", "join", "enable_encryption", "create_direct", "invite"}
) | {
    "upload_encrypted",
    "delete_media",
}


class Power:
    """Counts effects (transactions, and requests that change something); ``left`` None: it lasts."""

    def __init__(self, left: int | None = None) -> None:
        self.left = left
        self.spent = 0

    def request(self, name: str) -> None:
        """Let a request through, or not."""
        if name in EFFECTS:
            self.spend()
        else:
            self.look()

    def look(self) -> None:
        """Raise once there is no power."""
        if self.left is not None and self.spent >= self.left:
            raise Unavailable("no_power")

    def spend(self) -> None:
        """Count an effect that is about to happen."""
        self.look()
        self.spent += 1


class PoweredDatabase(Database):
    """A database as long as there is power."""

    def __init__(self, inner: Database, power: Power) -> None:
        self._inner = inner
        self._power = power

    def __repr__(self) -> str:
        return "PoweredDatabase()"

    async def write(self, fn: "Work[T]") -> T:
        """Commit, or not at all."""
        self._power.spend()
        return await self._inner.write(fn)

    async def read(self, fn: "Work[T]") -> T:
        """Read."""
        self._power.look()
        return await self._inner.read(fn)

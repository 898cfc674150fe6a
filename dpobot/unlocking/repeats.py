"""Which message of which session was read already: a ciphertext that comes again is a copy of another message."""

from collections import defaultdict

_MOST = 1_000_000  # messages of a session that are noted; clients begin a new one after hundreds


class Repeats:
    """One bit for each message of a session."""

    def __init__(self) -> None:
        self._read: dict[str, bytearray] = defaultdict(bytearray)

    def again(self, session_id: str, index: int) -> bool:
        """Note a message of a session; whether it had been noted before."""
        if index >= _MOST:
            return False
        bits, (place, bit) = self._read[session_id], divmod(index, 8)
        bits.extend(bytes(max(0, place + 1 - len(bits))))
        before = bits[place] & (1 << bit)
        bits[place] |= 1 << bit
        return bool(before)

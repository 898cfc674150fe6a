"""The short codes that people type to confirm a plan: six characters that are not misread."""

import secrets

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without what is misread: I, O, 0, 1
LENGTH = 6


def new() -> str:
    """Return a new code, from the system's own randomness."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))

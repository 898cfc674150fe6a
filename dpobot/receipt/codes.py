"""The code of a receipt: who holds it may fetch the receipt from any account, the erased one being gone. Pure."""

import hashlib
import secrets
import unicodedata

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # 32 signs, 5 bits each; without I, O, 0, 1, which look alike
_SIGNS = 20  # 100 bits: nobody guesses one
_GROUP = 4


def new_code() -> str:
    """Return a fresh code, e.g. ``ABCD-EFGH-JKLM-NPQR-STUV``."""
    return _grouped("".join(secrets.choice(ALPHABET) for _ in range(_SIGNS)))


def normalised(text: str) -> str | None:
    """Return a code as `new_code` writes it, however somebody typed it; None if it can't be one."""
    signs = "".join(sign for sign in unicodedata.normalize("NFKC", text).upper() if not _between(sign))
    if len(signs) != _SIGNS or any(sign not in ALPHABET for sign in signs):
        return None
    return _grouped(signs)


def code_hash(code: str) -> str:
    """Return the SHA-256, hex, under which a receipt is kept: the code itself is not. Raises `ValueError`."""
    return hashlib.sha256(_certain(code).encode()).hexdigest()


def subject_of(code: str, user_id: str) -> str:
    """Return what a receipt says of whom it is about: SHA-256, hex, of code, ``|`` and full user ID.

    Without the code nobody can try user IDs; who holds both can show that the receipt is theirs. Raises `ValueError`.
    """
    return hashlib.sha256(f"{_certain(code)}|{user_id}".encode()).hexdigest()


def _certain(code: str) -> str:
    certain = normalised(code)
    if certain is None:
        raise ValueError("not the code of a receipt")
    return certain


def _between(sign: str) -> bool:
    return sign.isspace() or unicodedata.category(sign) in {"Pd", "Cf"}  # dashes of any kind, invisible signs


def _grouped(signs: str) -> str:
    return "-".join(signs[start : start + _GROUP] for start in range(0, _SIGNS, _GROUP))

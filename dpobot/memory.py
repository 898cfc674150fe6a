"""How memory is taken and given back: settings of glibc; elsewhere nothing happens."""

import contextlib
import ctypes

_M_ARENA_MAX = -8  # of malloc.h


def one_arena() -> None:
    """Let all threads share one memory arena: arenas of their own keep what they once had."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Give what is free back to the system; takes a few milliseconds."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)

"""How a process ends: errors as sentences on standard error, and exit statuses that a service manager understands."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from dpobot.errors import ConfigurationError, DpobotError, Outdated, Rejected, Unavailable

UNUSABLE, UNAVAILABLE = 2, 75  # 75: EX_TEMPFAIL of sysexits.h: a service manager may try again


def run(work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run ``work`` and return the status to exit with: its own, 1, 2 (configuration), 75 (try again), 130 (Ctrl-C)."""
    try:
        return asyncio.run(work())
    except ConfigurationError as error:
        _say(*error.problems)
        return UNUSABLE
    except Unavailable as error:
        _say(f"not available now: {error.code}; try again later")
        return UNAVAILABLE
    except Rejected as error:
        _say(f"the homeserver refuses: {error}; are the account and its token still good?")
        return 1
    except Outdated as error:
        _say(str(error))
        return UNAVAILABLE
    except DpobotError as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


def _say(*sentences: str) -> None:
    for sentence in sentences:
        print(f"dpobot: {sentence}", file=sys.stderr)

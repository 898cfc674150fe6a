"""All checks, and how they are run: each on its own, so that one that fails hides no other."""

from collections.abc import Sequence

from dpobot.check import account, machine, network, own, retention, server, staff, work
from dpobot.check.finding import Answer, Check, Closed, Finding, Place, failed
from dpobot.errors import Rejected, Unavailable

CHECKS: Sequence[Check] = (
    *server.CHECKS,
    *account.CHECKS,
    *staff.CHECKS,
    *machine.CHECKS,
    *network.CHECKS,
    *work.CHECKS,
    *retention.CHECKS,
    *own.CHECKS,
)


async def run(place: Place, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """Return what each check found, in their order."""
    return [Finding(check, await _looked(check, place)) for check in checks]


async def _looked(check: Check, place: Place) -> Answer:
    try:
        return await check.look(place)
    except Closed as closed:
        return closed.answer
    except Unavailable as trouble:
        return failed(f"no answer now ({trouble.code})", "is the homeserver up, and homeserver.url right? Try again")
    except Rejected as error:
        return failed(f"the homeserver refuses ({error})", "are homeserver.url and the admin token still good?")

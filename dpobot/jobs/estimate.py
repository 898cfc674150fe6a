"""How long an erasure takes, honestly: pure figures behind the plan.

Measured on Synapse 1.163 (docs/why.md): redactions sent side by side, and how the server's own database forgets.
"""

from dataclasses import dataclass

_FAST, _SLOW = 40, 10  # redactions a second: on a server that has little else to do, and on a busy one
_KEPT_DAYS = 7  # Synapse's redaction_retention_period: so long it keeps what was redacted
_FORGOTTEN_A_DAY = 28_800  # 100 events every 5 minutes


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds that the redactions take, at best and on a busy server; days until the database has forgotten them."""

    fast: float
    slow: float
    days: int


def estimate(redactions: int) -> Estimate:
    """Return what to expect of so many redactions."""
    return Estimate(redactions / _FAST, redactions / _SLOW, _KEPT_DAYS + -(-redactions // _FORGOTTEN_A_DAY))

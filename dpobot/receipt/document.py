"""What a receipt says, as signed text. No names, no content: counts, reasons, times. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from dpobot.model.erasure import Residual
from dpobot.receipt.canonical import canonical
from dpobot.receipt.key import SigningKey

VERSION = 1


def build(
    key: SigningKey,
    *,
    case: str,
    plan: str,
    counts: Mapping[str, int],
    residuals: Iterable[Residual],
    times: Mapping[str, datetime],
    notice: str,
    subject: str,
) -> str:
    """Return a receipt: canonical JSON with a ``signature`` (Ed25519) over the same without it.

    ``case``: reference; ``plan``: its hash; ``counts``: category to how many are gone; ``times``: what happened when,
    to the second; ``notice``: version of the privacy notice; ``subject``: see `codes.subject_of`.
    """
    said = {
        "version": VERSION,
        "case": case,
        "plan": plan,
        "counts": dict(counts),
        "residuals": [residual.to_json() for residual in residuals],
        "times": {name: written(moment) for name, moment in times.items()},
        "notice": notice,
        "subject": subject,
        "key_id": key.key_id,
    }
    return canonical({**said, "signature": key.sign(canonical(said))}).decode()


def written(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC, to the second: ``2026-11-23T06:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

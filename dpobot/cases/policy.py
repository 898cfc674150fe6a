"""Which requests need no decision of staff. Pure."""

from dpobot.model.words import CaseState, Kind, Trust


def decide(kind: Kind, trust: Trust, local: bool, approve: frozenset[Kind]) -> CaseState:
    """Return where a new case begins: approved if its kind may be, for a cross-signed device of a local account."""
    if kind in approve and trust is Trust.SIGNED and local:
        return CaseState.APPROVED
    return CaseState.REVIEW

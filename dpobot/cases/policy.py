"""Which requests need no decision of staff. Pure."""

from dpobot.model.words import CaseState, Kind, Scope, Trust


def decide(kind: Kind, trust: Trust, local: bool, approve: frozenset[Kind], scope: Scope = Scope.MINE) -> CaseState:
    """Return where a new case begins: approved if its kind may be, for a cross-signed device of a local account.

    What others wrote is never handed out without staff: their rights are weighed each time (Art. 15(4) GDPR).
    """
    if kind is Kind.ERASURE:
        return decide_erasure(trust, local)
    if scope is Scope.VISIBLE:
        return CaseState.REVIEW
    if kind in approve and trust is Trust.SIGNED and local:
        return CaseState.APPROVED
    return CaseState.REVIEW


def decide_erasure(trust: Trust, local: bool) -> CaseState:
    """Return where an erasure begins: never approved, whatever policy says; its person confirms a plan first."""
    return CaseState.CONFIRMING if trust is Trust.SIGNED and local else CaseState.REVIEW

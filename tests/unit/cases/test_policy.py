"""What needs no decision of staff."""

from itertools import product

from dpobot.cases.policy import decide
from dpobot.model.words import CaseState, Kind, Scope, Trust


def test_only_a_signed_device_of_a_local_account_is_approved_and_only_where_allowed() -> None:
    """Every combination of kind, trust and account: exactly one is approved."""
    allowed = frozenset({Kind.EXPORT})
    everything = product(Kind, Trust, (True, False))
    approved = [each for each in everything if decide(*each, allowed) is CaseState.APPROVED]
    assert approved == [(Kind.EXPORT, Trust.SIGNED, True)]


def test_an_erasure_is_never_approved_when_it_is_opened() -> None:
    """Whatever policy names: its person confirms a plan first, if it is known who asks and the account is ours."""
    allowed = frozenset(Kind)
    everything = product(Trust, (True, False))
    states = {(trust, local): decide(Kind.ERASURE, trust, local, allowed) for trust, local in everything}
    assert states.pop((Trust.SIGNED, True)) is CaseState.CONFIRMING
    assert set(states.values()) == {CaseState.REVIEW}


def test_without_a_policy_everything_waits() -> None:
    """An empty list approves nothing."""
    assert decide(Kind.EXPORT, Trust.SIGNED, True, frozenset()) is CaseState.REVIEW


def test_a_copy_of_what_others_wrote_is_never_approved_by_policy() -> None:
    """Whoever asks, and whatever policy names: staff weigh the rights of the others each time."""
    everything = product(Trust, (True, False))
    states = {decide(Kind.EXPORT, trust, local, frozenset(Kind), Scope.VISIBLE) for trust, local in everything}
    assert states == {CaseState.REVIEW}

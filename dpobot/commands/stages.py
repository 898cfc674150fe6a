"""Where a case stands, more exactly than its state says: for what its person reads."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dpobot.model.records import Case
from dpobot.model.words import CaseState, Channel, Kind
from dpobot.store import erasures
from dpobot.store.database import Tx
from dpobot.store.erasures import Erasure

Stage = Mapping[str, Any]  # {"name": a word of templates/user/parts/words.html, "until": moment or None}


async def stage_of(tx: Tx, now: datetime, case: Case) -> Stage | None:
    """Return the stage of an erasure on its way, or of what is in force or put right; None: the state says all."""
    if case.state is CaseState.DELIVERED:
        return {Kind.RESTRICTION: _stage("in_force"), Kind.RECTIFICATION: _stage("put_right")}.get(case.kind)
    if case.kind is not Kind.ERASURE or case.closed_at is not None:
        return None
    erasure = await erasures.get(tx, case.id)
    return None if erasure is None else _on_its_way(now, case, erasure)


def _on_its_way(now: datetime, case: Case, erasure: Erasure) -> Stage | None:
    if erasure.begun_at is not None:
        return None if case.state is CaseState.PARTIAL else _stage("checking_left" if erasure.erased_at else "begun")
    if case.state is CaseState.CONFIRMING:
        return _before_confirmation(now, erasure)
    if erasure.cooled_off_at is None or case.channel is not Channel.MATRIX:
        return None
    if case.state is CaseState.REVIEW:
        return _stage("confirmed", erasure.cooled_off_at)
    cooling = case.state is CaseState.APPROVED and now < erasure.cooled_off_at
    return _stage("cooling", erasure.cooled_off_at) if cooling else None


def _before_confirmation(now: datetime, erasure: Erasure) -> Stage:
    if erasure.confirmed_at is not None:
        return _stage("checking")
    if erasure.plan_hash is not None:
        return _stage("code")
    if erasure.survey_after is not None and now < erasure.survey_after:
        return _stage("device", erasure.survey_after)
    return _stage("counting")


def _stage(name: str, until: datetime | None = None) -> Stage:
    return {"name": name, "until": until}

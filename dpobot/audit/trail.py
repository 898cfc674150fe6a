"""Who did what to which case, and when. Ids, codes and counts only: nothing that anybody wrote."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from dpobot.audit import chain
from dpobot.store import audit_rows
from dpobot.store.audit_rows import AuditRow
from dpobot.store.tx import Tx

Detail = Mapping[str, str | int | bool | None]

_ACTION = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_ACTOR = re.compile(r"policy|bot|admin|@\S{1,254}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_VALUE = re.compile(r"\S{0,128}")  # ids and codes hold no white space; sentences and file names mostly do
_LARGEST = 2**53  # larger integers change their value in some readers of JSON


async def record(
    tx: Tx, now: datetime, actor: str, action: str, case_id: int | None = None, detail: Detail | None = None
) -> None:
    """Append a row: ``actor`` is a user ID or ``policy``, ``bot``, ``admin``; ``detail`` holds ids, codes and counts.

    Raises `ValueError`, which repeats no value, for anything else.
    """
    values = dict(detail or {})
    _check(actor, action, values)
    head = await audit_rows.lock_head(tx, chain.GENESIS)
    salt = secrets.token_hex(16)
    row = AuditRow(
        seq=head.seq + 1,
        at=now,
        actor=actor,
        actor_salt=salt,
        actor_digest=chain.actor_digest(salt, actor),
        action=action,
        case_id=case_id,
        detail=values,
        prev=head.hash,
        hash="",
    )
    await audit_rows.append(tx, replace(row, hash=chain.hash_of(row)))


async def of_case(tx: Tx, case_id: int) -> list[AuditRow]:
    """Return what happened to a case, in order."""
    return await audit_rows.of_case(tx, case_id)


def _check(actor: str, action: str, detail: Detail) -> None:
    if not _ACTOR.fullmatch(actor):
        raise ValueError("an actor is a user ID, or policy, bot, admin")
    if not _ACTION.fullmatch(action):
        raise ValueError("an action is a stable name such as case.opened")
    for name, value in detail.items():
        if not _NAME.fullmatch(name):
            raise ValueError("a detail's name is lower case letters, digits and _")
        if not _fits(value):
            raise ValueError(
                f"{name}: a detail is an id, a code (at most 128, no white space), an integer or a truth value"
            )


def _fits(value: object) -> bool:
    if isinstance(value, str):
        return _VALUE.fullmatch(value) is not None
    if isinstance(value, int):  # also bool
        return abs(value) <= _LARGEST
    return value is None

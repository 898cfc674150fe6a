"""Questions about all erasures at once, for `dpobot check`: which take too long, which lack their receipt."""

from datetime import datetime

import sqlalchemy as sa

from dpobot.model.words import CaseState, Kind
from dpobot.store.tables import case, erasure, receipt
from dpobot.store.tx import Tx

_WAITING = (CaseState.CONFIRMING, CaseState.PAUSED)  # for the person


async def unfinished(tx: Tx, before: datetime) -> list[str]:
    """Return the references of erasures received before a moment that aren't over, longest first.

    Without those that wait for the person, or that the law holds.
    """
    query = sa.select(case.c.reference).where(
        case.c.kind == Kind.ERASURE,
        case.c.closed_at.is_(None),
        case.c.received_at < before,
        case.c.state.not_in(_WAITING),
        ~case.c.legal_hold,
    )
    return list((await tx.conn.execute(query.order_by(case.c.received_at))).scalars())


async def without_receipt(tx: Tx, before: datetime) -> list[str]:
    """Return the references of erasures whose last step was before a moment and whose receipt nobody has signed."""
    signed = sa.exists().where(receipt.c.case_id == erasure.c.case_id, receipt.c.signed_at.is_not(None))
    query = (
        sa.select(case.c.reference)
        .join(erasure, erasure.c.case_id == case.c.id)
        .where(erasure.c.erased_at < before, ~signed)
    )
    return list((await tx.conn.execute(query.order_by(erasure.c.erased_at))).scalars())

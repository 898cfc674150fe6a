"""What the bot has uploaded for a case's thread in the staff room, so that it can be deleted when the case expires."""

from datetime import datetime

import sqlalchemy as sa

from dpobot.model.ids import Mxc
from dpobot.store.statements import insert_new
from dpobot.store.tables import staff_upload as table
from dpobot.store.tx import Tx


async def add(tx: Tx, case_id: int, url: Mxc, now: datetime) -> None:
    """Note an upload, before the message that names it is sent."""
    await insert_new(tx, table, {"mxc": url, "case_id": case_id, "at": now})


async def of_case(tx: Tx, case_id: int) -> list[Mxc]:
    """Return a case's uploads, oldest first."""
    query = sa.select(table.c.mxc).where(table.c.case_id == case_id).order_by(table.c.at, table.c.mxc)
    return [Mxc(url) for url in (await tx.conn.execute(query)).scalars()]

"""Rows become the records that travel between rooms."""

import sqlalchemy as sa

from dpobot.model.records import Case
from dpobot.model.words import CaseState, Channel, Kind, Trust


def case(row: sa.RowMapping) -> Case:
    """Return the case that a row of table ``case`` holds."""
    values = dict(row)
    return Case(
        **values
        | {
            "kind": Kind(row["kind"]),
            "state": CaseState(row["state"]),
            "channel": Channel(row["channel"]),
            "trust": Trust(row["trust"]),
        }
    )

"""A running transaction, as every function of this room takes it first."""

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from dpobot.store.seal import Seal


@dataclass(frozen=True, slots=True)
class Tx:
    """A connection with a transaction begun on it, and the keys for what is encrypted at rest."""

    conn: AsyncConnection
    seal: Seal = field(repr=False)

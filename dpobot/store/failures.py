"""What a database error means: try the transaction again, report it as unavailable, or let it through as a defect."""

import sqlite3
from enum import Enum

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dpobot.errors import Unavailable


class Failure(Enum):
    """What to do about a database error."""

    AGAIN = "again"  # whole transaction, after a pause
    DISK_FULL = "disk_full"
    BROKEN = "broken"  # the database can't be reached, read or written now
    DEFECT = "defect"  # ours: a constraint, a wrong statement


# connection (08), out of resources (53), operator intervention (57), serialization failure, deadlock
_AGAIN_STATES = ("08", "53", "57", "40001", "40P01")
_DISK_FULL_STATE = "53100"
_AGAIN_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_BROKEN_CODES = frozenset(
    {
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOMEM,
    }
)


def classify(error: SQLAlchemyError) -> Failure:
    """Say what a database error means, by SQLSTATE on PostgreSQL and result code on SQLite."""
    if isinstance(error, PoolTimeout):
        return Failure.AGAIN
    if not isinstance(error, DBAPIError):
        return Failure.DEFECT
    state = getattr(error.orig, "sqlstate", None)
    code = getattr(error.orig, "sqlite_errorcode", None)
    if state is not None:
        return _by_state(state)
    if code is not None:
        return _by_code(code & 0xFF)  # the low byte is the primary result code
    # neither: the connection was lost, or never came about
    lost = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return Failure.AGAIN if lost else Failure.DEFECT


def unavailable(failure: Failure) -> Unavailable:
    """Return the error that callers see when trying again did not help."""
    return Unavailable("disk_full" if failure is Failure.DISK_FULL else "database")


def _by_state(state: str) -> Failure:
    if state == _DISK_FULL_STATE:
        return Failure.DISK_FULL
    if state.startswith("58"):  # system error, such as an I/O error
        return Failure.BROKEN
    return Failure.AGAIN if state.startswith(_AGAIN_STATES) else Failure.DEFECT


def _by_code(code: int) -> Failure:
    if code == sqlite3.SQLITE_FULL:
        return Failure.DISK_FULL
    if code in _BROKEN_CODES:
        return Failure.BROKEN
    return Failure.AGAIN if code in _AGAIN_CODES else Failure.DEFECT

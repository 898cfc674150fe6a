"""An office with a database."""

import pytest

from dpobot.store.database import Database
from tests.unit.cases.office import Office


@pytest.fixture
def office(database: Database) -> Office:
    """An office on each of the two kinds of database in turn."""
    return Office(database)

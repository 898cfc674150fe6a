"""An office for each test."""

from pathlib import Path

import pytest

from dpobot.store.database import Database
from tests.unit.staff.office import Office


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    """A bot that is to make its staff room for Siri and Tom."""
    return Office(sqlite_database, tmp_path)

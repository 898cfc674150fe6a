"""The stand-in for MAS alone, one for each test; with a real Synapse it is the fixture ``delegation`` of all tests."""

from collections.abc import AsyncIterator

import pytest

from dpobot.homeserver.mas.admin import MasAdmin
from tests.mas.stand_in import Served, served


@pytest.fixture
async def stand_in() -> AsyncIterator[Served]:
    """A stand-in without a Synapse."""
    async with served() as running:
        yield running


@pytest.fixture
async def mas_admin(stand_in: Served) -> AsyncIterator[MasAdmin]:
    """A client of it."""
    client = stand_in.client()
    yield client
    await client.close()

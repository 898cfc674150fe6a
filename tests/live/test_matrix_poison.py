"""Whatever an ordinary account sends: the session lives, also after a restart, and a new person is served."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from dpobot.demo.synapse import Credentials, Synapse
from tests.live.conftest import Register
from tests.live.people import Client, joined, opened
from tests.live.poison import POISONS, Attack, Poison

pytestmark = pytest.mark.live


async def _sync_all(bot: Client) -> None:
    """Sync until the server has nothing more; to-device messages come 100 at a time."""
    for _ in range(4):
        await bot.sync(0)


@pytest.mark.parametrize("poison", POISONS, ids=lambda poison: poison.__name__)
async def test_the_session_survives(synapse: Synapse, register: Register, tmp_path: Path, poison: Poison) -> None:
    """After the attack and a restart, syncing works, and somebody new is understood and answered."""
    async with AsyncExitStack() as stack:

        async def start(account: Credentials, name: str, token: str | None = None) -> Client:
            session = await opened(synapse, account, tmp_path / name)
            stack.push_async_callback(session.close)
            return Client(session, token)

        account = await register("bot")
        bot = await start(account, "bot")
        await bot.sync()
        mallory = await synapse.register(f"eve-{poison.__name__.replace('_', '-')}", password="attacker")
        eve = await start(mallory, "eve")
        room = await joined(eve, bot)
        before = bot.token
        attack = Attack(eve.session, bot.user_id, room)
        await poison(attack)
        assert attack.accepted > 0
        await _sync_all(bot)
        await bot.say(room, "to a room with the attacker")
        await bot.session.close()

        bot = await start(account, "bot", before)
        vic = await start(await register("vic"), "vic")
        await _sync_all(bot)
        await vic.sync()
        await _is_served(vic, bot)


async def _is_served(vic: Client, bot: Client) -> None:
    room = await joined(vic, bot)
    await vic.say(room, "are you there?")
    event = await bot.until("are you there?")
    assert event.encrypted
    await bot.say(room, "yes")
    await vic.until("yes")

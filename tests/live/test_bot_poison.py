"""Whatever an ordinary account sends at the running bot: it lives, also after a restart, and a new person is served."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.matrix.http import path
from dpobot.model.ids import UserId
from tests.live.bot import RunningBot, StartBot
from tests.live.conftest import Register
from tests.live.guest import HELP, Arrive
from tests.live.people import opened
from tests.live.poison import POISONS, Attack, Poison

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

CLAIMS = 50
KINDS = POISONS[::2]  # a session alone has to bear all of them, one by one (test_matrix_poison.py)
GROUPS = [KINDS[first : first + 4] for first in range(0, len(KINDS), 4)]  # each costs a restart


@pytest.fixture(scope="module")
async def bot(
    synapse: Synapse, admin: Credentials, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningBot]:
    """One bot that has to bear all of it."""
    bot = await RunningBot.begin(tmp_path_factory.mktemp("poisoned"), synapse, admin, limits={"key_wait_seconds": 1})
    yield bot
    await bot.kill()


async def _attack(synapse: Synapse, bot: RunningBot, poison: Poison, folder: Path) -> None:
    """Let a new account attack in a direct message that the bot has joined."""
    account = await synapse.register(f"eve-{poison.__name__.replace('_', '-')}-bot", password="attacker")
    eve = await opened(synapse, account, folder / "eve")
    try:
        room = await eve.create_direct(UserId(bot.user_id))
        async with asyncio.timeout(60):
            while bot.user_id not in (await eve.room(room)).joined:
                await asyncio.sleep(0.1)
        attack = Attack(eve, UserId(bot.user_id), room)
        await poison(attack)
        assert attack.accepted > 0
    finally:
        await eve.close()


async def _is_served(arrive: Arrive, bot: RunningBot, account: Credentials) -> None:
    guest = await arrive(bot, account)
    await guest.say("help")
    await guest.hear(HELP, seconds=60)


@pytest.mark.parametrize("poisons", GROUPS, ids=lambda poisons: "-".join(each.__name__ for each in poisons))
async def test_a_new_person_is_served_after_it(
    synapse: Synapse, bot: RunningBot, register: Register, arrive: Arrive, tmp_path: Path, poisons: Sequence[Poison]
) -> None:
    """The attacks at the running bot, which lives after each; a restart of its process, and somebody new gets help."""
    pid = bot.pid
    for poison in poisons:
        await _attack(synapse, bot, poison, tmp_path / poison.__name__)
        await asyncio.sleep(0.3)  # it hears the attack while it runs
        assert (bot.running, bot.pid) == (True, pid)
    assert await bot.stop() == 0
    await bot.start()
    await _is_served(arrive, bot, await register("new"))
    assert (bot.running, bot.pid != pid) == (True, True)


async def test_all_one_time_keys_claimed_and_a_new_device_is_served(
    synapse: Synapse, start_bot: StartBot, register: Register, arrive: Arrive, tmp_path: Path
) -> None:
    """One account takes every one-time key while the bot is away; who comes next uses the fallback key, or new ones."""
    bot = await start_bot()
    greedy = await opened(synapse, await register("greedy"), tmp_path / "greedy")
    keys = await greedy._http.call("POST", path("keys", "query"), {"device_keys": {bot.user_id: []}})
    (device,) = keys["device_keys"][bot.user_id]
    await bot.kill()
    claimed = set()
    for _ in range(CLAIMS):
        body = {"one_time_keys": {bot.user_id: {device: "signed_curve25519"}}}
        answer = await greedy._http.call("POST", path("keys", "claim"), body)
        claimed |= set(answer["one_time_keys"][bot.user_id][device])
    await greedy.close()
    assert len(claimed) > 1
    early = asyncio.create_task(_is_served(arrive, bot, await register("early")))
    await bot.start()
    await early
    await _is_served(arrive, bot, await register("late"))

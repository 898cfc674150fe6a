"""What a letter costs beside sending at once: from a job's word on another machine to its event.

    python -m benchmarks.letters

PostgreSQL, the homeserver in memory, default waiting times: one after another, the first after a pause, then many.
"""

import asyncio
import secrets
import statistics
import time
from typing import cast

from dpobot.clock import SystemClock
from dpobot.delivery.courier import PostalCourier, lend_token
from dpobot.delivery.postman import Postman
from dpobot.matrix.desk import Desk
from dpobot.model.ids import RoomId, UserId
from dpobot.store.database import Database
from dpobot.store.seal import Seal
from tests import postgres
from tests.fakes.matrix import FakeMatrix, FakeServer

BOT, ANNA = UserId("@dpo:dpobot.test"), UserId("@anna:dpobot.test")
ROUNDS, AT_ONCE, EACH = 20, 16, 10  # four workers with four jobs each
PAUSE = 12.0  # seconds after which the bot looks more rarely


async def said(courier: PostalCourier, room_id: RoomId) -> float:
    """Say something; return how long that took, seconds."""
    began = time.perf_counter()
    await courier.send(room_id, {"msgtype": "m.text", "body": "words"}, txn_id=secrets.token_hex(16))
    return time.perf_counter() - began


async def _several(courier: PostalCourier, room_id: RoomId) -> None:
    for _ in range(EACH):
        await said(courier, room_id)


async def measure(url: str) -> None:
    """Print the figures."""
    database, server = Database(url, Seal({"key": bytes(32)}, "key")), FakeServer()
    await database.open()
    bot, clock = FakeMatrix(server, BOT), SystemClock()
    rooms = [server.room(BOT, ANNA) for _ in range(AT_ONCE)]
    await lend_token(database, "token")
    courier = await PostalCourier.open("http://homeserver.invalid", BOT, database, clock)
    courier._desk = cast(Desk, bot)
    postman = asyncio.create_task(Postman(database, bot, clock).run())
    await said(courier, rooms[0])
    in_turn = [await said(courier, rooms[0]) for _ in range(ROUNDS)]
    await asyncio.sleep(PAUSE)
    first = await said(courier, rooms[0])
    began = time.perf_counter()
    await asyncio.gather(*(_several(courier, room_id) for room_id in rooms))
    many = AT_ONCE * EACH / (time.perf_counter() - began)
    print(f"one after another: median {statistics.median(in_turn):.2f} s, slowest {max(in_turn):.2f} s")
    print(f"the first after {PAUSE:.0f} s: {first:.2f} s; {AT_ONCE} jobs at once: {many:.0f} letters/s")
    postman.cancel()
    await asyncio.gather(postman, return_exceptions=True)
    await courier.close()
    await database.close()


if __name__ == "__main__":
    with postgres.cluster() as server_url:
        asyncio.run(measure(server_url))

"""What tests of erasures share: Anna's rooms and files, and the way of a request up to its approval."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from dpobot.cases import decisions, erasure
from dpobot.cases.safeguards import Safeguards, want
from dpobot.model.erasure import Copy, ErasureOptions
from dpobot.model.ids import Mxc, RoomId, UserId
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Kind
from dpobot.store import cases, erasure_rooms, erasures, jobs, tables
from dpobot.store.database import Tx
from dpobot.store.erasures import Erasure
from tests.unit.jobs.conftest import ANNA, STAFF, World

BERT = UserId("@bert:dpobot.test")
CARL = UserId("@carl:elsewhere.test")
WAIVED = ErasureOptions(copy=Copy.WAIVED)
ALL = ErasureOptions(redact=True, media=True, direct=True, copy=Copy.WAIVED)
GROUP, SOLE, LEFT, LONELY = (RoomId(f"!{name}:dpobot.test") for name in ("group", "sole", "left", "lonely"))


@dataclass
class Life:
    """What Anna has on the homeserver."""

    shown: Mxc  # a file in the group
    own: Mxc  # a file in the room that only she was ever in


def live(world: World) -> Life:
    """Let Anna be in a room of each kind, with words, reactions, settings and files, and have devices and addresses."""
    home = world.homeserver
    for room_id in (GROUP, SOLE, LEFT, LONELY):
        home.add_room(room_id)
        home.set_membership(room_id, ANNA, "join")
        home.send(room_id, ANNA, {"membership": "join", "displayname": "Anna"}, "m.room.member", state_key=ANNA)
    for room_id, other in ((GROUP, BERT), (GROUP, CARL), (LEFT, BERT), (LONELY, BERT)):
        home.set_membership(room_id, other, "join")
    shown, own = home.upload(ANNA, b"shown", "shown.png"), home.upload(ANNA, b"own", "own.png")
    for number in range(3):
        home.say(GROUP, ANNA, f"words {number}")
    home.send(GROUP, ANNA, {"msgtype": "m.image", "body": "x", "url": shown})
    home.send(GROUP, ANNA, {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$1", "key": "+"}}, "m.reaction")
    home.send(GROUP, ANNA, {"topic": "a topic"}, "m.room.topic", state_key="")
    home.send(GROUP, ANNA, {"algorithm": "m.megolm.v1.aes-sha2"}, "m.room.encryption", state_key="")
    home.say(GROUP, BERT, "words of Bert")
    home.send(SOLE, ANNA, {"msgtype": "m.image", "body": "x", "url": own})
    home.say(LEFT, ANNA, "words that were left")
    home.say(LONELY, ANNA, "words in a direct message")
    home.set_membership(LEFT, ANNA, "leave")
    home.set_membership(LONELY, BERT, "leave")
    home.hold("account_data", ANNA, {"type": "m.direct", "content": {BERT: [LONELY]}})
    home.hold("devices", ANNA, {"device_id": "A"}, {"device_id": "B"})
    home.hold("profile", ANNA, {"field": "displayname", "value": "Anna"})
    with_bot(world)
    return Life(shown, own)


def with_bot(world: World) -> None:
    """Let the direct message with the bot be on the homeserver, too."""
    bot = world.parts.matrix.user_id
    world.homeserver.add_room(world.room, encrypted=True)
    for member in (ANNA, bot):
        world.homeserver.set_membership(world.room, member, "join")
    world.homeserver.send(world.room, ANNA, {"ciphertext": "x"}, "m.room.encrypted")


async def ask(world: World, options: ErasureOptions = WAIVED, **more: Any) -> Case:
    """Let Anna ask for an erasure."""
    case = await world.case(CaseState.CONFIRMING, kind=Kind.ERASURE, **more)
    return await again(world, case, options)


async def again(world: World, case: Case, options: ErasureOptions) -> Case:
    """Let Anna say `erase`, perhaps once more."""
    now = world.server.now

    async def write(tx: Tx) -> Case:
        newest = await cases.get(tx, case.id)
        return await erasure.begin(tx, now, newest, options, survey_after=None)

    return await world.database.write(write)


async def confirm(world: World, case: Case) -> None:
    """Let Anna type the code that she was shown."""
    known = await read(world, case)
    now = world.server.now
    await world.database.write(lambda tx: erasure.confirm(tx, now, case, known.plan_hash or ""))


async def approve(world: World, case: Case) -> None:
    """Let staff approve what Anna has confirmed."""
    now = world.server.now

    async def write(tx: Tx) -> None:
        newest = await cases.get(tx, case.id)
        plan = await decisions.approval_plan(tx, newest, False, now)
        await decisions.approve(tx, now, newest, STAFF, decisions.plan_hash(plan), False)

    await world.database.write(write)


async def granted(world: World, options: ErasureOptions = WAIVED) -> Case:
    """Return Anna's erasure, confirmed, approved and cooled off, with its job about to begin."""
    case = await ask(world, options)
    await world.work()
    await confirm(world, case)
    await world.work()
    await approve(world, case)
    world.server.now += Safeguards().cooling_off
    return await world.read(case)


async def read(world: World, case: Case) -> Erasure:
    """Return a case's erasure as it is now."""
    known = await world.database.read(lambda tx: erasures.get(tx, case.id))
    assert known is not None
    return known


async def safeguards(world: World, **values: Any) -> None:
    """Bring safeguards in force that are tighter than the usual ones."""
    now = world.server.now
    await world.database.write(lambda tx: want(tx, now, Safeguards(**values)))


async def rooms(world: World, case: Case) -> dict[RoomId, tuple[str, str]]:
    """Return fate and state of each room of an erasure."""
    found = await world.database.read(lambda tx: erasure_rooms.of_case(tx, case.id))
    return {room.room_id: (room.fate.value, room.state) for room in found}


async def states(world: World, case: Case) -> list[tuple[str, str]]:
    """Return name and state of all jobs of a case, in their order."""
    found = await world.database.read(lambda tx: jobs.of_case(tx, case.id))
    return [(job.name, job.state.value) for job in found]


async def job_row(world: World, case: Case, name: str) -> dict[str, Any]:
    """Return the newest job of a name."""

    async def look(tx: Tx) -> dict[str, Any]:
        query = sa.select(tables.job).where(tables.job.c.case_id == case.id, tables.job.c.name == name)
        return dict((await tx.conn.execute(query.order_by(tables.job.c.id.desc()).limit(1))).mappings().one())

    return await world.database.read(look)


async def at_work(world: World) -> bool:
    """Say whether any job is not over yet."""
    active = sa.select(sa.exists().where(tables.job.c.state.in_(("wanted", "running"))))

    async def look(tx: Tx) -> bool:
        return bool((await tx.conn.execute(active)).scalar_one())

    return await world.database.read(look)


def words_left(world: World, room_id: RoomId) -> list[str]:
    """Return what can still be read of Anna in a room."""
    events = world.homeserver.rooms_held[room_id].events
    return [str(event["content"]["body"]) for event in events if event["sender"] == ANNA and "body" in event["content"]]

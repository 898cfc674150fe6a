"""``kill -9`` at twenty random moments of a staff conversation: commands take effect once, replies come once."""

import random
import re
import secrets
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from dpobot.audit import chain, trail
from dpobot.cases import queries
from dpobot.model.ids import EventId, Reference
from dpobot.store import tables
from dpobot.store.database import Tx
from tests.live.bot import RunningBot, StartBot
from tests.live.conftest import Register
from tests.live.guest import COMPLETE, THANKED, Arrive, Guest
from tests.live.killer import Killer
from tests.live.staffer import CODE, Employ, Staffer, body

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

ROUNDS = 4
UP_TO = 0.7  # seconds: most of what is caused is done by then
REFERENCE = re.compile(r"DPO-\d{4}-\d{4,}")
CLAIMED = {"case.claimed": 1, "case.note": 1}
DECIDED = CLAIMED | {"case.read": 1}  # what is asked for a code shows the case
EXPECTED: tuple[dict[str, int], ...] = (  # what the trail says of the member of staff, case by case: every command once
    CLAIMED
    | {"case.file": 1, "case.attached": 1, "case.replied": 3}
    | {"case.paused": 1, "case.resumed": 1, "case.extended": 1, "case.closed": 1},
    DECIDED | {"case.approved": 1},
    DECIDED | {"case.refused": 1, "case.replied": 1},
)


@dataclass
class Talk:
    """One person's request and its thread."""

    guest: Guest
    words: str
    cases: list[str] = field(default_factory=list)
    root: EventId = field(init=False)

    def new(self) -> list[str]:
        """Return references of theirs that are not among ``cases`` yet."""
        said = REFERENCE.findall("\n".join(body(event) for event in self.guest.messages()))
        return [reference for reference in dict.fromkeys(said) if reference not in self.cases]


@dataclass
class Scene:
    """A member of staff, three people's requests, and somebody who kills the bot in the middle."""

    member: Staffer
    killer: Killer
    complaint: Talk
    approved: Talk
    refused: Talk
    folder: Path

    def file(self, name: str) -> Path:
        """Make a file to send."""
        (self.folder / name).write_bytes(secrets.token_bytes(100_000))
        return self.folder / name

    @property
    def talks(self) -> tuple[Talk, Talk, Talk]:
        return self.complaint, self.approved, self.refused

    async def opened(self) -> None:
        """All three ask; each gets a case with one card."""
        for talk in self.talks:
            await talk.guest.say(talk.words)
        await self.killer.strike("ask", UP_TO)
        for talk in self.talks:
            while not talk.new():
                await talk.guest.listen()
            talk.cases += talk.new()
            talk.root = (await self.member.card(talk.cases[-1])).event_id

    async def claimed(self) -> None:
        """Every case is claimed, and a note is made in it; a file of the person comes, and one of staff."""
        reference = self.complaint.cases[-1]
        await self.complaint.guest.send_file(self.file(f"evidence of {reference}"), f"evidence of {reference}")
        for talk in self.talks:
            await self.member.say("claim", talk.root)
            await self.member.say(f"a note on {talk.cases[-1]}", talk.root)
        await self.member.hand_in(self.file(f"invoice of {reference}"), f"invoice of {reference}", self.complaint.root)
        await self.killer.strike("claim", UP_TO)
        await self.member.until(lambda: f"evidence of {reference}" in self.files(), "the evidence")
        for talk in self.talks:
            await self.member.card(talk.cases[-1], f"Assigned to: `{self.member.user_id}`")

    async def answered(self) -> tuple[str, str]:
        """The complaint is answered and paused; for the other two there are plans, with codes, which are returned."""
        await self.member.say("attach", self.complaint.root)
        await self.member.say(f"reply An answer to {self.complaint.cases[-1]}", self.complaint.root)
        await self.member.say(f"pause Please send the invoice of {self.complaint.cases[-1]}", self.complaint.root)
        await self.member.say("approve", self.approved.root)
        await self.member.say("refuse duty The law makes us keep it", self.refused.root)
        await self.killer.strike("reply", UP_TO)
        await self.complaint.guest.hear(f"An answer to {self.complaint.cases[-1]}")
        await self.complaint.guest.hear(f"invoice of {self.complaint.cases[-1]}")
        await self.member.card(self.complaint.cases[-1], "waits for the person since")
        return await self.code(self.approved.root), await self.code(self.refused.root)

    async def decided(self, approving: str, refusing: str) -> None:
        """The codes are typed; one gets the archive, one the refusal."""
        await self.member.say(f"approve {approving}", self.approved.root)
        await self.member.say(f"refuse {refusing}", self.refused.root)
        await self.killer.strike("decide", UP_TO)
        await self.member.card(self.refused.cases[-1], "State: refused")
        await self.approved.guest.hear(COMPLETE, len(self.approved.cases))

    async def over(self) -> None:
        """The complaint goes on, is extended and closed; the archive is received."""
        for words in ("resume", "extend 1 The invoice is long", "close"):
            await self.member.say(words, self.complaint.root)
        await self.approved.guest.say("received")
        await self.killer.strike("close", UP_TO)
        await self.approved.guest.hear(THANKED, len(self.approved.cases))
        for talk in (self.complaint, self.approved):
            await self.member.card(talk.cases[-1], "State: closed")

    async def code(self, root: EventId) -> str:
        """Wait for the code of a plan in a thread."""
        await self.member.until(lambda: bool(self._codes(root)), "a code")
        return self._codes(root)[-1]

    def files(self) -> list[str]:
        """Return the names of the files that the bot put into the complaint's thread."""
        files = [event for event in self.member.thread(self.complaint.root) if event.content["msgtype"] == "m.file"]
        return [body(event) for event in files]

    def _codes(self, root: EventId) -> list[str]:
        return [code for event in self.member.thread(root) for code in CODE.findall(body(event))]


async def test_twenty_kills_in_the_staff_room_change_nothing(
    register: Register, start_bot: StartBot, arrive: Arrive, employ: Employ, tmp_path: Path
) -> None:
    """Everything that staff do with a case, from claim to close, in three cases at a time, four times over."""
    seed = random.SystemRandom().randrange(1_000_000)
    member = await employ("dora")
    staff = {"members": [member.user_id], "reply_delay_seconds": 1}
    bot = await start_bot(staff=staff, policy={"approve": []}, limits={"messages_per_minute": 1000})
    await member.enter(bot.user_id)
    guests = [await arrive(bot, await register(name)) for name in ("ann", "ben", "cleo")]
    words = ("complaint nobody answers me", "export account", "export account")
    complaint, approved, refused = (Talk(guest, said) for guest, said in zip(guests, words, strict=True))
    killer = Killer(bot, random.Random(seed), [member.listen, *(guest.listen for guest in guests)])
    scene = Scene(member, killer, complaint, approved, refused, tmp_path)
    try:
        for _ in range(ROUNDS):
            await scene.opened()
            await scene.claimed()
            await scene.decided(*await scene.answered())
            await scene.over()
    finally:
        print(f"seed {seed}", *killer.moments, sep="\n")
    await member.quiet(3)
    for guest in guests:
        await guest.quiet(1)
    assert len(killer.moments) == 5 * ROUNDS
    _each_thing_is_said_once(scene)
    assert await bot.stop() == 0
    assert [line for line in bot.lines() if line["level"] in ("error", "critical")] == []
    await _each_thing_is_done_once(bot, scene)


def _each_thing_is_said_once(scene: Scene) -> None:
    """One card a case, which shows the end; no line twice in a thread, no sentence twice to a person."""
    member = scene.member
    assert member.unread() == []
    for talk, end in zip(scene.talks, ("closed", "closed", "refused"), strict=True):
        assert talk.guest.unread() == []
        for reference in talk.cases:
            (card,) = member.cards(reference)
            lines = Counter(body(event) for event in member.thread(card.event_id))
            assert f"State: {end}" in member.shown(card)
            assert {line: times for line, times in lines.items() if times > 1} == {}
        said = Counter(body(event) for event in talk.guest.messages())
        assert {line: times for line, times in said.items() if times > 1} == {}
    invoices = [body(event) for event in scene.complaint.guest.files()]
    assert invoices == [f"invoice of {reference}" for reference in scene.complaint.cases]
    replies = [len(scene.complaint.guest.heard(f"An answer to {reference}")) for reference in scene.complaint.cases]
    assert replies == [1] * ROUNDS


async def _each_thing_is_done_once(bot: RunningBot, scene: Scene) -> None:
    """The trail has every command once and its chain holds; nothing is left to be said, nothing was given up."""
    async with bot.database() as database:
        for talk, expected in zip(scene.talks, EXPECTED, strict=True):
            deeds = [await database.read(partial(_deeds, scene.member, reference)) for reference in talk.cases]
            assert deeds == [expected] * ROUNDS
        verdict = await database.read(chain.verify)
        outbox = await database.read(_outbox)
    assert (verdict.holds, verdict.problem) == (True, None)
    assert outbox == {"sent"}


async def _deeds(member: Staffer, reference: str, tx: Tx) -> dict[str, int]:
    """Return what a member of staff did to a case, and how often."""
    case = await queries.any_by_reference(tx, Reference(reference))
    assert case is not None
    return dict(Counter(row.action for row in await trail.of_case(tx, case.id) if row.actor == member.user_id))


async def _outbox(tx: Tx) -> set[str]:
    """Return the states of all messages."""
    return set((await tx.conn.execute(sa.select(tables.outbox.c.state).distinct())).scalars())

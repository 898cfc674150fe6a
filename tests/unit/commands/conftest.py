"""A desk on a real database, and a person who talks to it."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, TypeVar

import pytest

from dpobot.cases import queries
from dpobot.cases.service import Rules
from dpobot.commands import choices
from dpobot.commands.desk import Desk, refused
from dpobot.commands.registry import Registry, discover
from dpobot.errors import Refusal
from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.model.records import Case, Incoming, IncomingKind, Reply
from dpobot.model.words import Kind, Trust
from dpobot.receipt.key import SigningKey
from dpobot.receipt.page import attachment
from dpobot.store import files, people, prompts
from dpobot.store.database import Database, Tx
from dpobot.store.files import Purpose
from dpobot.text import notice
from dpobot.text.render import Renderer, templates_folder
from tests.unit.text.samples import GLOBALS, OPERATOR

T = TypeVar("T")
ADA = UserId("@ada:example.org")
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KEY = SigningKey(bytes(range(32)))  # signs receipts


@cache
def _renderer() -> Renderer:
    """One for all tests: it compiles every template when it is made."""
    return Renderer(templates_folder(), GLOBALS)


@dataclass
class Person:
    """Says things to the desk as the inbox would hand them over; every answer is rendered, so that it can be sent."""

    database: Database
    desk: Desk
    user_id: UserId = ADA
    trust: Trust = Trust.SIGNED
    local: bool = True
    encrypted: bool = True
    now: datetime = START
    renderer: Renderer = field(default_factory=_renderer)
    said: int = 0
    rendered: bool = True  # False for commands that only a test knows
    device_since: datetime = START - timedelta(days=30)  # since when we know the device, if its owner has signed it

    async def says(self, body: str, **changes: object) -> Sequence[Reply]:
        """Say something; a refusal is an answer like others."""
        replies = await self.hands_in(self.message(body, **changes))
        for reply in replies if self.rendered else ():
            text = str(self.renderer.message(reply, "en")["body"])
            assert [number for number in range(1, len(reply.choices) + 1) if f"\n{number}. " not in text] == []
        return replies

    def message(self, body: str, **changes: object) -> Incoming:
        """Return the next message."""
        self.said += 1
        incoming = Incoming(
            event_id=EventId(f"$said-{self.user_id}-{self.said}"),
            room_id=RoomId(f"!dm-{self.user_id}"),
            sender=self.user_id,
            kind=IncomingKind.TEXT,
            body=body,
            received_at=self.now,
            encrypted=self.encrypted,
            trust=self.trust,
            local=self.local,
            content={"msgtype": "m.text", "body": body},
            device_since=self.device_since if self.trust is Trust.SIGNED else None,
        )
        return replace(incoming, **changes)  # type: ignore[arg-type] # fields of Incoming

    async def floods(self, messages: Iterable[Incoming]) -> list[str]:
        """Hand in many messages, in one transaction because that is faster; return all answers."""

        async def all_of_them(tx: Tx) -> list[str]:
            return [reply.template for incoming in messages for reply in await self._serve(tx, incoming)]

        return await self.database.write(all_of_them)

    async def hands_in(self, incoming: Incoming) -> Sequence[Reply]:
        """Hand a message over as it is."""
        try:
            return await self.database.write(lambda tx: self._serve(tx, incoming))
        except Refusal as refusal:
            reply = refused(refusal)
            await self.database.write(lambda tx: self._offer(tx, incoming, [reply]))
            return [reply]

    async def _serve(self, tx: Tx, incoming: Incoming) -> Sequence[Reply]:
        await people.ensure(tx, incoming.sender, self.now)
        replies = await self.desk.serve(tx, self.now, incoming)
        await self._offer(tx, incoming, replies)
        return replies

    async def _offer(self, tx: Tx, incoming: Incoming, replies: Sequence[Reply]) -> None:
        for reply in replies:
            if reply.choices:
                await prompts.ask(
                    tx,
                    person=incoming.sender,
                    room_id=incoming.room_id,
                    kind=choices.KIND,
                    event_id=EventId(f"choices-{incoming.event_id}"),
                    content={"choices": list(reply.choices)},
                    now=self.now,
                    expires_at=self.now + timedelta(minutes=30),
                )

    async def sends(self, filename: str = "proof.png", caption: str = "", **changes: object) -> list[str]:
        """Send an encrypted file and return the templates of the answers; ``changes`` are members of the content."""
        content = {**file_content(filename), "body": caption or filename, **changes}
        return await self.hears(str(content["body"]), kind=IncomingKind.FILE, content=content)

    async def hears(self, body: str, **changes: object) -> list[str]:
        """Say something and return the templates of the answers."""
        return [reply.template for reply in await self.says(body, **changes)]

    def waits(self, time: timedelta) -> None:
        """Let time pass."""
        self.now += time

    async def cases(self) -> list[Case]:
        """All cases of the person, oldest first."""
        return list(reversed(await self.read(lambda tx: queries.of_person(tx, self.user_id, 100))))

    async def case(self) -> Case:
        """The one case of the person."""
        (case,) = await self.cases()
        return case

    async def words_of(self, case: Case) -> list[str]:
        """What was written into a case."""
        return [message.text for message in await self.read(lambda tx: queries.messages_of(tx, case.id))]

    async def files_of(self, case: Case) -> list[str]:
        """The names of the files in a case."""
        return [each.file.name for each in await self.read(lambda tx: files.of_case(tx, case.id, Purpose.EVIDENCE))]

    async def staff(self, fn: Callable[..., Awaitable[object]], case: Case, *more: object) -> None:
        """Let staff do something with a case: a function of `cases.decisions` or `cases.correspondence`."""
        await self.database.write(lambda tx: fn(tx, self.now, case, *more))

    async def read(self, fn: Callable[[Tx], Awaitable[T]]) -> T:
        """Look something up."""
        return await self.database.read(fn)


def file_content(filename: str) -> dict[str, Any]:
    """The content of an encrypted attachment, as clients send it (spec: Sending encrypted attachments)."""
    key = {"kty": "oct", "key_ops": ["encrypt", "decrypt"], "alg": "A256CTR", "k": "A" * 43, "ext": True}
    return {
        "msgtype": "m.image",
        "body": filename,
        "filename": filename,
        "info": {"mimetype": "image/png", "size": 1234},
        "file": {
            "url": "mxc://example.org/aBc_1-2",
            "key": key,
            "iv": "A" * 22,
            "hashes": {"sha256": "B" * 43},
            "v": "v2",
        },
    }


@pytest.fixture(scope="session")
def registry() -> Registry:
    """All commands."""
    return discover()


@pytest.fixture(scope="session")
def desk(registry: Registry) -> Desk:
    """A desk whose policy approves exports."""
    rules = Rules(approve=frozenset({Kind.EXPORT}))
    notices = notice.load(templates_folder() / "notice", OPERATOR)
    return Desk(registry, rules, notices, receipt_page=partial(attachment, _renderer(), KEY.publics))


@pytest.fixture
def ada(sqlite_database: Database, desk: Desk) -> Person:
    """A person of this homeserver with a verified device."""
    return Person(sqlite_database, desk)


@pytest.fixture
def bob(sqlite_database: Database, desk: Desk) -> Person:
    """Somebody else, whose device is not verified."""
    return Person(sqlite_database, desk, UserId("@bob:example.org"), Trust.UNSIGNED)

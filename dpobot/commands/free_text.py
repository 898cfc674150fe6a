"""What is not a command: it goes into the person's open case, or is offered to a human. Nothing is dropped unsaid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from dpobot.cases import correspondence, service
from dpobot.commands import access, confirm, evidence, which
from dpobot.commands.access import Access
from dpobot.commands.opening import open_case
from dpobot.commands.parse import FreeText
from dpobot.commands.spec import Context
from dpobot.model.ids import EventId
from dpobot.model.records import Case, FileRef, Incoming, Reply
from dpobot.model.words import CaseState, Kind
from dpobot.store import prompts

PASS_ON = "pass_on"  # noqa: S105 a kind of prompt, not a password
_FILED = "filed"  # not a question: as long as it is open, the person has just heard where their words go
_FILED_FILE = "filed_file"  # the same for files
_FULL = "full"  # the same: they have just heard that nothing more is kept until they decide
KEPT_FOR = timedelta(days=2)  # words that nobody has said yes to
QUIET = timedelta(minutes=5)  # the same sentence is not said again within this time
MOST_KEPT = 100_000  # roughly, characters of what waits for one person's yes: more than one message can hold
_MESSAGE, _FILE = 500, 500  # what a message counts beside its words, and a file: so there are never more than 200
_CHOICES = ("yes", "no", "help")


@dataclass(frozen=True, slots=True)
class Item:
    """One message for a human: words, a file, or both."""

    event_id: EventId
    text: str = ""
    file: FileRef | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as it is sealed."""
        return {"event_id": self.event_id, "text": self.text, "file": self.file.to_json() if self.file else None}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Item":
        """Return it as it was sealed."""
        file = stored.get("file")
        return cls(EventId(stored["event_id"]), stored["text"], FileRef.from_json(file) if file else None)


async def take(context: Context, incoming: Incoming, free: FreeText) -> Sequence[Reply]:
    """File the words in the open case that we spoke of last, or keep them and offer to pass them on."""
    access.check(Access(), incoming)
    if not free.text:
        return [Reply("nothing_said")]
    return await _take(context, incoming, Item(incoming.event_id, free.text), free.meant)


async def file(context: Context, incoming: Incoming) -> Sequence[Reply]:
    """Take a file as `take` takes words, with what is written beside it; say why if it can't be taken."""
    access.check(Access(), incoming)
    words = evidence.caption(incoming.content, incoming.body)
    found = evidence.file_of(incoming.content, context.evidence_bytes)
    if isinstance(found, FileRef):
        return await _take(context, incoming, Item(incoming.event_id, words, found))
    not_taken = Reply("file_not_taken", {"reason": found.value, "most": context.evidence_bytes})
    return [not_taken, *(await take(context, incoming, FreeText(words)) if words else [])]


async def answered(context: Context, incoming: Incoming, *, yes: bool) -> Sequence[Reply]:
    """Take a yes or a no: to the offer if one is open, else as words like any others."""
    offer = await _open_offer(context, incoming)
    if offer is None:
        return await take(context, incoming, FreeText(incoming.body.strip()))
    await prompts.answer(context.tx, offer.id, context.now)
    full = await prompts.newest_open(context.tx, incoming.sender, context.now, (_FULL,))
    if full is not None:
        await prompts.answer(context.tx, full.id, context.now)
    if not yes:
        return [Reply("not_passed_on")]
    return await _open(context, incoming, _items(offer))


async def pass_on(context: Context, incoming: Incoming, text: str) -> Sequence[Reply]:
    """Open a question for a human with these words."""
    return await _open(context, incoming, [Item(incoming.event_id, text)])


async def add(context: Context, case: Case, item: Item) -> Reply:
    """File words, a file or both in an open case, and return what is said about it. A paused case goes on."""
    if item.text:
        await service.add_message(context.tx, context.now, case, item.event_id, item.text, context.rules)
    if item.file is not None:
        await correspondence.add_file(context.tx, context.now, case, item.event_id, item.file, None, context.rules)
    resumed = case.state is CaseState.PAUSED
    return Reply("free_text_added", {"reference": case.reference, "meant": None, "resumed": resumed})


async def offer(context: Context, incoming: Incoming, item: Item, asked: Reply, *, quietly: bool) -> Sequence[Reply]:
    """Keep a message, together with those that wait already, and ask; ``quietly``: not if that was just asked."""
    if await prompts.newest_open(context.tx, incoming.sender, context.now, (_FULL,)):
        return []
    before = await _open_offer(context, incoming)
    messages = [*(before.content["messages"] if before else ()), item.to_json()]
    if before is not None and sum(_size(message) for message in messages) > MOST_KEPT:
        await _ask(context, incoming, _FULL, {}, context.now + QUIET)
        return [Reply("free_text_full", choices=("yes", "no"))]
    spoken_at = before.content["spoken_at"] if before else None
    quiet = quietly and spoken_at is not None and context.now.timestamp() - spoken_at < QUIET.total_seconds()
    if before is not None:
        await prompts.answer(context.tx, before.id, context.now)
    content = {"messages": messages, "spoken_at": spoken_at if quiet else context.now.timestamp()}
    await _ask(context, incoming, PASS_ON, content, context.now + KEPT_FOR)
    return [] if quiet else [asked]


def offered(context: Context, template: str, **values: object) -> Reply:
    """Return the question whether something shall be passed on."""
    return Reply(template, {"until": context.now + KEPT_FOR, **values}, choices=_CHOICES)


async def _take(context: Context, incoming: Incoming, item: Item, meant: str | None = None) -> Sequence[Reply]:
    case = await which.for_words(context, incoming)
    if case is None:
        asked = offered(context, "free_text_offer", meant=meant, file=item.file is not None)
        return await offer(context, incoming, item, asked, quietly=meant is None)
    quiet = await _said_lately(context, incoming, _FILED_FILE if item.file else _FILED, case)
    reply = await add(context, case, item)
    if quiet and meant is None and not reply.values["resumed"]:
        return []
    return [Reply(reply.template, {**reply.values, "meant": meant})]


async def _open(context: Context, incoming: Incoming, items: Sequence[Item]) -> Sequence[Reply]:
    case = await open_case(context, incoming, Kind.QUESTION)
    for item in items:
        await add(context, case, item)
    return [Reply("passed_on", {"reference": case.reference, "due_at": case.due_at})]


async def _said_lately(context: Context, incoming: Incoming, kind: str, case: Case) -> bool:
    """Say whether the person has just heard that their words go into this case; if not, note that they hear it now."""
    told = await prompts.newest_open(context.tx, incoming.sender, context.now, (kind,))
    if told is not None and told.content.get("case_id") == case.id:
        return True
    await _ask(context, incoming, kind, {"case_id": case.id}, context.now + QUIET)
    return False


async def _ask(
    context: Context, incoming: Incoming, kind: str, content: Mapping[str, Any], expires_at: datetime
) -> None:
    """Store a prompt under a key of its own: one message may leave several of them."""
    await prompts.ask(
        context.tx,
        person=incoming.sender,
        room_id=incoming.room_id,
        kind=kind,
        event_id=EventId(sha256(f"{kind}|{incoming.event_id}".encode()).hexdigest()),
        content=content,
        now=context.now,
        expires_at=expires_at,
    )


async def _open_offer(context: Context, incoming: Incoming) -> prompts.Prompt | None:
    """Return the offer, unless a code has been asked for since."""
    prompt = await prompts.newest_open(context.tx, incoming.sender, context.now, (PASS_ON, confirm.KIND))
    return prompt if prompt and prompt.kind == PASS_ON and prompt.room_id == incoming.room_id else None


def _items(offer_: prompts.Prompt) -> list[Item]:
    return [Item.from_json(message) for message in offer_.content["messages"]]


def _size(message: Mapping[str, Any]) -> int:
    return len(message["text"]) + _MESSAGE + (_FILE if message["file"] else 0)

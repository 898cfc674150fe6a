"""What is not a command: it goes into the person's open case, or is offered to a human. Nothing is dropped."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from dpobot.cases import service
from dpobot.commands import access, which
from dpobot.commands.access import Access
from dpobot.commands.opening import open_case
from dpobot.commands.parse import FreeText
from dpobot.commands.spec import Context
from dpobot.model.ids import EventId
from dpobot.model.records import Incoming, Reply
from dpobot.model.words import Kind
from dpobot.store import prompts

PASS_ON = "pass_on"  # noqa: S105 a kind of prompt, not a password
_FILED = "filed"  # not a question: as long as it is open, the person has just heard where their words go
KEPT_FOR = timedelta(days=2)  # words that nobody has said yes to
QUIET = timedelta(minutes=5)  # the same sentence is not said again within this time
MOST_KEPT = 100_000  # characters of one person's words that wait for a yes


async def take(context: Context, incoming: Incoming, free: FreeText) -> Sequence[Reply]:
    """File the words in the newest open case that this device may add to, or keep them and offer to pass them on."""
    access.check(Access(), incoming)
    if not free.text:
        return [Reply("nothing_said")]
    case = await which.for_words(context, incoming)
    if case is None:
        return await _offer(context, incoming, free)
    quiet = await _said_lately(context, incoming)
    await service.add_message(context.tx, context.now, case, incoming.event_id, free.text)
    if quiet and free.meant is None:
        return []
    return [Reply("free_text_added", {"reference": case.reference, "meant": free.meant})]


async def file(context: Context, incoming: Incoming) -> Sequence[Reply]:
    """Say that a file can't be taken; what is written beside it is taken like any words."""
    access.check(Access(), incoming)
    name = incoming.content.get("filename")
    caption = incoming.body if isinstance(name, str) and incoming.body != name else ""
    words = await take(context, incoming, FreeText(caption)) if caption.strip() else []
    return [Reply("file_not_taken"), *words]


async def answered(context: Context, incoming: Incoming, *, yes: bool) -> Sequence[Reply]:
    """Take a yes or a no: to the offer if one is open, else as words like any others."""
    offer = await _open_offer(context, incoming)
    if offer is None:
        return await take(context, incoming, FreeText(incoming.body.strip()))
    await prompts.answer(context.tx, offer.id, context.now)
    if not yes:
        return [Reply("not_passed_on")]
    return await _open(context, incoming, _messages(offer))


async def pass_on(context: Context, incoming: Incoming, text: str) -> Sequence[Reply]:
    """Open a question for a human with these words."""
    return await _open(context, incoming, [{"event_id": incoming.event_id, "text": text}])


async def _open(context: Context, incoming: Incoming, messages: Sequence[Mapping[str, str]]) -> Sequence[Reply]:
    case = await open_case(context, incoming, Kind.QUESTION)
    for message in messages:
        await service.add_message(context.tx, context.now, case, EventId(message["event_id"]), message["text"])
    return [Reply("passed_on", {"reference": case.reference, "due_at": case.due_at})]


async def _offer(context: Context, incoming: Incoming, free: FreeText) -> Sequence[Reply]:
    """Keep the words, together with those that wait already, and ask."""
    before = await _open_offer(context, incoming)
    kept = _messages(before) if before else []
    if sum(len(message["text"]) for message in kept) + len(free.text) > MOST_KEPT:
        return [Reply("free_text_full")]
    if before is not None:
        await prompts.answer(context.tx, before.id, context.now)
    spoken_at = before.content["spoken_at"] if before else None
    quiet = spoken_at is not None and context.now.timestamp() - spoken_at < QUIET.total_seconds() and free.meant is None
    await prompts.ask(
        context.tx,
        person=incoming.sender,
        room_id=incoming.room_id,
        kind=PASS_ON,
        event_id=incoming.event_id,
        content={
            "messages": [*kept, {"event_id": incoming.event_id, "text": free.text}],
            "spoken_at": spoken_at if quiet else context.now.timestamp(),
        },
        now=context.now,
        expires_at=context.now + KEPT_FOR,
    )
    return [] if quiet else [Reply("free_text_offer", {"meant": free.meant, "until": context.now + KEPT_FOR})]


async def _said_lately(context: Context, incoming: Incoming) -> bool:
    """Say whether the person has just heard where their words go; if not, note that they hear it now."""
    newest = await prompts.newest_open(context.tx, incoming.sender, context.now)
    if newest is not None:  # a real question stays the newest one
        return newest.kind == _FILED
    await prompts.ask(
        context.tx,
        person=incoming.sender,
        room_id=incoming.room_id,
        kind=_FILED,
        event_id=incoming.event_id,
        content={},
        now=context.now,
        expires_at=context.now + QUIET,
    )
    return False


async def _open_offer(context: Context, incoming: Incoming) -> prompts.Prompt | None:
    prompt = await prompts.newest_open(context.tx, incoming.sender, context.now)
    return prompt if prompt and prompt.kind == PASS_ON and prompt.room_id == incoming.room_id else None


def _messages(offer: prompts.Prompt) -> list[dict[str, Any]]:
    return list(offer.content["messages"])

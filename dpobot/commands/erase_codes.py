"""The code under the plan of an erasure (Art. 17 GDPR): typed, it confirms that very plan, and nothing else does.

The job that counts what would go asks for the code. It is good once, for one person, room, case and plan, until it
expires, in a message from a device that its owner has signed and that we have known long enough. Reactions, edits and
files are no messages of this kind.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from dpobot.cases import erasure, queries, safeguards
from dpobot.commands import access
from dpobot.commands.access import Access
from dpobot.commands.arguments import understood
from dpobot.commands.parse import PREFIX, FreeText, Said, parse, without_fallback
from dpobot.commands.spec import Context
from dpobot.errors import Refusal
from dpobot.model import typed_code
from dpobot.model.ids import EventId
from dpobot.model.records import Case, Incoming, Reply
from dpobot.model.words import CaseState
from dpobot.store import prompts, staff_prompts
from dpobot.store.staff_prompts import StaffPrompt

KIND = "erase_code"  # of the question; its content: {"case_id", "plan_hash", "code"}
COMMAND = "erase"
MOST_WRONG = 5  # wrong codes; then nothing but a new plan helps
_TRIES = "erase_tries"  # how many wrong codes there were; its content: {"prompt_id", "count"}
_WHO = Access(signed=True, local=True)
_CODE = re.compile(f"[{typed_code.ALPHABET}]{{{typed_code.LENGTH}}}", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_AROUND = " \t\r\n.`'\"“”„«»"  # how people quote what they copy
_LOOKED_AT = 50  # of the newest codes in a room


@dataclass(frozen=True, slots=True)
class _Typed:
    """What may be a code. ``asked``: it stood behind ``erase``; ``certain``: it is hardly a word."""

    code: str
    asked: bool
    certain: bool


async def typed(context: Context, incoming: Incoming) -> Sequence[Reply] | None:
    """Confirm the plan whose code this message is, alone or behind ``erase``; None if it is no such code.

    Raises `Refusal`: ``erase_code_unknown``, ``erase_code_used``, ``erase_code_void``, ``erase_code_superseded``,
    ``erase_code_expired``, ``erase_code_over``, ``device_too_new``, those of `access.check` and of `erasure.confirm`.
    """
    said = _said(context, incoming.body)
    if said is None:
        return None
    given = await staff_prompts.of_room(context.tx, incoming.room_id, KIND, _LOOKED_AT, incoming.sender)
    meant = next((each for each in given if _is(each, said.code)), None)
    if meant is not None:
        access.check(_WHO, incoming)
        return await _use(context, incoming, meant, newest=given[0])
    if given and _waits(given[0], context.now) and (said.asked or said.certain):
        access.check(_WHO, incoming)  # who may not confirm can't use the tries up either
        return [await _wrong(context, incoming, given[0])]
    if said.asked:
        raise Refusal("erase_code_unknown")
    return None


async def is_asked_for(context: Context, incoming: Incoming, others: Sequence[str]) -> bool:
    """Say whether a code is the last thing that this person was asked for, ``others`` being what else counts."""
    last = await prompts.newest_open(context.tx, incoming.sender, context.now, (KIND, *others))
    return last is not None and last.kind == KIND and last.room_id == incoming.room_id


async def known_long_enough(context: Context, incoming: Incoming) -> datetime:
    """Return from when on the sending device may confirm an erasure."""
    in_force = await safeguards.in_force(context.tx, context.now)
    return (incoming.device_since or context.now) + in_force.new_device


def _said(context: Context, body: str) -> _Typed | None:
    found = parse(body, context.commands.vocabulary)
    word = _behind_command(context, found) if isinstance(found, Said) else _alone(found)
    if not _CODE.fullmatch(word):
        return None
    certain = _DIGIT.search(word) is not None or word == word.upper()
    return _Typed(word.upper(), isinstance(found, Said), certain)


def _behind_command(context: Context, said: Said) -> str:
    """Return the one word behind ``erase``, unless it is an option."""
    if said.command != COMMAND or len(said.words) != 1:
        return ""
    word = said.words[0].strip(_AROUND)
    return "" if understood(context.commands[COMMAND], word) else word


def _alone(found: FreeText) -> str:
    text = without_fallback(found.text).strip(_AROUND)
    return text[len(PREFIX) :].strip(_AROUND) if text[: len(PREFIX)].casefold() == PREFIX else text


def _is(prompt: StaffPrompt, code: str) -> bool:
    return secrets.compare_digest(str(prompt.content.get("code", "")).encode(), code.encode())


def _waits(prompt: StaffPrompt, now: datetime) -> bool:
    return prompt.answered_at is None and now < prompt.expires_at


async def _use(context: Context, incoming: Incoming, prompt: StaffPrompt, newest: StaffPrompt) -> Sequence[Reply]:
    case = await queries.by_id(context.tx, prompt.content["case_id"])
    if case is None or case.person != incoming.sender:
        raise Refusal("erase_code_unknown")
    if prompt.content.get("void"):
        raise Refusal("erase_code_void")
    if prompt.answered_at is not None:
        raise Refusal("erase_code_used", reference=case.reference)
    if case.state is not CaseState.CONFIRMING:
        raise Refusal("erase_code_over", reference=case.reference)
    if prompt.id != newest.id:
        raise Refusal("erase_code_superseded")
    if prompt.expires_at <= context.now:
        raise Refusal("erase_code_expired")
    await _refuse_new_device(context, incoming, case)
    await erasure.confirm(context.tx, context.now, case, str(prompt.content["plan_hash"]))
    await staff_prompts.answered(context.tx, prompt.id, _kept(prompt), context.now)
    return [Reply("erase_checking", {"reference": case.reference})]


async def _refuse_new_device(context: Context, incoming: Incoming, case: Case) -> None:
    if case.verified_at is not None:  # staff have made sure who it is
        return
    until = await known_long_enough(context, incoming)
    if context.now < until:
        raise Refusal("device_too_new", since=incoming.device_since or context.now, until=until)


async def _wrong(context: Context, incoming: Incoming, prompt: StaffPrompt) -> Reply:
    """Count a wrong code; the last one takes the right one away. An answer, no refusal: it must be remembered."""
    before = await prompts.newest_open(context.tx, incoming.sender, context.now, (_TRIES,))
    count = 1
    if before is not None:
        count += int(before.content["count"]) if before.content["prompt_id"] == prompt.id else 0
        await prompts.answer(context.tx, before.id, context.now)
    if count >= MOST_WRONG:
        await staff_prompts.answered(context.tx, prompt.id, {**_kept(prompt), "void": True}, context.now)
    else:
        await prompts.ask(
            context.tx,
            person=incoming.sender,
            room_id=incoming.room_id,
            kind=_TRIES,
            event_id=EventId(sha256(f"{_TRIES}|{incoming.event_id}".encode()).hexdigest()),
            content={"prompt_id": prompt.id, "count": count},
            now=context.now,
            expires_at=prompt.expires_at,
        )
    return Reply("erase_code_wrong", {"left": MOST_WRONG - count})


def _kept(prompt: StaffPrompt) -> Mapping[str, object]:
    return {name: prompt.content[name] for name in ("case_id", "plan_hash", "code")}

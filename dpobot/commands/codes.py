"""Between the plan of a staff command and its performance: a typed code.

A code is bound in our database to one command on one case with one plan, to who asked for it, and to an expiry. The
plan is made anew when the code comes; if it differs from the one that was shown, nothing happens. What a client sends
beside the code (relations, reactions, earlier events) plays no part.
"""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dpobot.audit import access
from dpobot.cases import queries
from dpobot.commands.spec import Outcome, Parameter, ParameterKind, StaffCommand, StaffContext
from dpobot.errors import StaffRefusal
from dpobot.model import typed_code
from dpobot.model.records import Json, Reply, StaffMessage
from dpobot.store import prompts, staff_prompts
from dpobot.store.staff_prompts import StaffPrompt

KIND = "staff_code"
_CODE = re.compile(rf"[{typed_code.ALPHABET}]{{{typed_code.LENGTH}}}", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
CODE = Parameter("code", ParameterKind.TEXT, "[CODE]", most_words=1)  # in a usage line: it is taken before all others
_MOST_LOOKED_AT = 300  # codes of the last hours; older ones are as unknown as those never given out


def looks_like_one(text: str) -> bool:
    """Say whether ``text`` could be a code."""
    return _CODE.fullmatch(text.strip()) is not None


def takes_one(command: StaffCommand) -> bool:
    """Say whether a command is performed by a code."""
    return command.plan is not None


async def ask(
    context: StaffContext, message: StaffMessage, command: StaffCommand, arguments: Mapping[str, Any]
) -> Sequence[Outcome]:
    """Show the plan of a command, with the code that performs it (template ``staff/confirm_<command>``)."""
    plan = await _plan(context, message, command, arguments)
    code = typed_code.new()
    until = context.now + context.staff_rules.code_valid
    await prompts.ask(
        context.tx,
        person=message.sender,
        room_id=message.room_id,
        kind=KIND,
        event_id=message.event_id,
        content={
            "command": command.name,
            "case_id": context.case.id if context.case else None,
            "arguments": dict(arguments),
            "plan": dict(plan),
            "code": code,
        },
        now=context.now,
        expires_at=until,
    )
    if context.case is not None:
        await access.case_shown(context.tx, context.now, message.sender, context.case.id, command.name)
    values = {"plan": plan, "code": code, "until": until, "command": command.name}
    return [Reply(f"staff/confirm_{_file(command.name)}", values)]


async def confirm(context: StaffContext, message: StaffMessage, command: StaffCommand, text: str) -> Sequence[Outcome]:
    """Perform what the code ``text`` stands for, said behind its command.

    Raises `StaffRefusal`: ``code_unknown``, ``code_not_yours``, ``code_used``, ``code_expired``,
    ``code_other_command``, ``code_other_case``, ``plan_changed``.
    """
    prompt = await _find(context, message, text)
    if prompt is None:
        raise StaffRefusal("code_unknown", command=command.name)
    if prompt.content["command"] != command.name and prompt.person == message.sender:
        raise StaffRefusal("code_other_command", command=command.name, meant=prompt.content["command"])
    return await _use(context, message, prompt)


async def typed(context: StaffContext, message: StaffMessage, text: str) -> Sequence[Outcome] | None:
    """Do the same for a code that was said alone; None if it is a word that only looks like one.

    Raises `StaffRefusal` as `confirm` does.
    """
    prompt = await _find(context, message, text)
    if prompt is not None:
        return await _use(context, message, prompt)
    if _DIGIT.search(text) and re.search("[a-z]", text, re.IGNORECASE):
        raise StaffRefusal("code_unknown", command=None)
    return None


async def _find(context: StaffContext, message: StaffMessage, text: str) -> StaffPrompt | None:
    wanted = text.strip().upper().encode()
    for prompt in await staff_prompts.of_room(context.tx, message.room_id, KIND, _MOST_LOOKED_AT):
        if secrets.compare_digest(str(prompt.content.get("code", "")).encode(), wanted):
            return prompt
    return None


async def _use(context: StaffContext, message: StaffMessage, prompt: StaffPrompt) -> Sequence[Outcome]:
    context = await _fitting(context, message, prompt)
    command = context.commands[prompt.content["command"]]
    plan = await _plan(context, message, command, prompt.content["arguments"])
    if _canonical(plan) != _canonical(prompt.content["plan"]):
        raise StaffRefusal("plan_changed", command=command.name)
    kept = {name: prompt.content[name] for name in ("code", "command", "case_id")}
    await staff_prompts.answered(context.tx, prompt.id, kept, context.now)
    if command.perform is None:
        raise TypeError(f"{command.name} has a plan and no perform()")
    return await command.perform(context, message, plan)


async def _fitting(context: StaffContext, message: StaffMessage, prompt: StaffPrompt) -> StaffContext:
    """Return the context with the code's own case, if the code may be used by this sender, here and now."""
    case_id = prompt.content["case_id"]
    case = None if case_id is None else await queries.by_id(context.tx, case_id)
    if prompt.person != message.sender:
        raise StaffRefusal("code_not_yours", by=prompt.person)
    if case is not None and context.case is not None and case.id != context.case.id:
        raise StaffRefusal("code_other_case", reference=context.case.reference, meant=case.reference)
    if prompt.answered_at is not None:
        raise StaffRefusal("code_used", command=prompt.content["command"], at=prompt.answered_at)
    if prompt.expires_at <= context.now:
        raise StaffRefusal("code_expired", command=prompt.content["command"], at=prompt.expires_at)
    return replace(context, case=case)


async def _plan(
    context: StaffContext, message: StaffMessage, command: StaffCommand, arguments: Mapping[str, Any]
) -> Json:
    if command.plan is None:
        raise TypeError(f"{command.name} has no plan()")
    return await command.plan(context, message, arguments)


def _canonical(plan: Json) -> str:
    return json.dumps(dict(plan), sort_keys=True, separators=(",", ":"))


def _file(name: str) -> str:
    return name.replace(" ", "_").replace("-", "_")

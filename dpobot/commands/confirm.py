"""Between the plan of a destructive command and its performance: a typed code, bound to one plan of one person.

A code is good for one room, one plan and half an hour. The plan is made anew when the code comes: if it differs from
what the person saw, nothing happens.
"""

import json
import secrets
from collections.abc import Sequence
from datetime import timedelta

from dpobot.commands import access
from dpobot.commands.arguments import bind
from dpobot.commands.parse import Said, parse
from dpobot.commands.spec import Arguments, Command, Context
from dpobot.errors import Refusal
from dpobot.model import typed_code
from dpobot.model.records import Incoming, Json, Reply
from dpobot.store import prompts

KIND = "confirm"
VALID = timedelta(minutes=30)


async def ask(context: Context, incoming: Incoming, command: Command, arguments: Arguments) -> Sequence[Reply]:
    """Show the plan of a destructive command, with the code that confirms it (template ``confirm_<command>``)."""
    if command.plan is None:
        raise TypeError(f"{command.name} has neither run() nor plan()")
    plan = await command.plan(context, incoming, arguments)
    code = typed_code.new()
    await prompts.ask(
        context.tx,
        person=incoming.sender,
        room_id=incoming.room_id,
        kind=KIND,
        event_id=incoming.event_id,
        content={"body": incoming.body, "plan": dict(plan), "code": code},
        now=context.now,
        expires_at=context.now + VALID,
    )
    return [Reply(f"confirm_{command.name}", {"plan": plan, "code": code, "until": context.now + VALID})]


async def typed(context: Context, incoming: Incoming) -> Sequence[Reply] | None:
    """Perform the plan whose code this message is; None if it is no such code.

    Raises `Refusal` ``plan_changed`` if things are no longer as the person saw them.
    """
    prompt = await prompts.newest_open(context.tx, incoming.sender, context.now, (KIND,))
    if prompt is None or prompt.room_id != incoming.room_id:
        return None
    if not secrets.compare_digest(incoming.body.strip().upper().encode(), str(prompt.content["code"]).encode()):
        return None
    said = parse(str(prompt.content["body"]), context.commands.vocabulary)
    if not isinstance(said, Said):
        raise Refusal("plan_changed")
    command = context.commands[said.command]
    access.check(command.access, incoming)
    if command.plan is None or command.perform is None:
        raise Refusal("plan_changed")
    plan = await command.plan(context, incoming, bind(command, said, prompt.created_at))
    if _canonical(plan) != _canonical(prompt.content["plan"]):
        raise Refusal("plan_changed")
    await prompts.answer(context.tx, prompt.id, context.now)
    return await command.perform(context, incoming, plan)


def _canonical(plan: Json) -> str:
    return json.dumps(dict(plan), sort_keys=True, separators=(",", ":"))

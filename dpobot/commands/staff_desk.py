"""The one thing that the inbox calls for the staff room: a message of staff -> what is answered, and to whom."""

from collections.abc import Sequence
from datetime import datetime

from dpobot.cases import correspondence, queries
from dpobot.cases.service import Conflict, Rules
from dpobot.cases.transitions import IllegalMove
from dpobot.commands import codes, staff_choices, staff_files, staff_reactions, staff_refusals
from dpobot.commands.spec import Outcome, StaffCommand, StaffCommands, StaffContext, StaffRules
from dpobot.commands.staff_arguments import bind, is_one_word, required
from dpobot.commands.staff_case import take_case
from dpobot.commands.staff_parse import StaffSaid, UnknownCommand, parse_staff, said_in
from dpobot.errors import Refusal, StaffRefusal
from dpobot.model.records import IncomingKind, Reply, StaffMessage
from dpobot.pulse import PROCESS
from dpobot.store.database import Tx
from dpobot.text.notice import Notice


class StaffDesk:
    """Understands what staff say in their room, and has the commands run."""

    def __init__(
        self,
        registry: StaffCommands,
        rules: Rules,
        staff_rules: StaffRules,
        notice: Notice,
        evidence_bytes: int = 50_000_000,
    ) -> None:
        self._evidence_bytes = evidence_bytes
        self._registry = registry
        self._rules = rules
        self._staff_rules = staff_rules
        self._notice = notice

    async def serve(self, tx: Tx, now: datetime, message: StaffMessage) -> Sequence[Outcome]:
        """Do what a message says, inside the caller's transaction; what a `ToPerson` says comes before all replies.

        The caller has made sure that the sender is staff at this moment. Raises `StaffRefusal`: the transaction must
        be rolled back, and `staff_refused` of it is the answer.
        """
        if message.content.get("msgtype") == "m.notice":
            return []  # the word of a program: answering could go on for ever (spec 11.2.1.3 "m.notice")
        case = None if message.case_id is None else await queries.by_id(tx, message.case_id)
        context = StaffContext(
            tx,
            now,
            message.language,
            self._rules,
            self._staff_rules,
            self._notice,
            self._registry,
            case,
            self._evidence_bytes,
        )
        try:
            return await self._serve(context, message)
        except StaffRefusal as refusal:
            raise await staff_refusals.with_facts(context, refusal) from refusal
        except (Conflict, IllegalMove) as trouble:
            raise await staff_refusals.changed(context) from trouble

    async def understands(self, body: str) -> bool:
        """Say whether a message begins as a command of the staff room does."""
        return isinstance(parse_staff(said_in(body), self._registry.vocabulary), StaffSaid)

    async def _serve(self, context: StaffContext, message: StaffMessage) -> Sequence[Outcome]:
        if message.kind is IncomingKind.EDIT:
            return [Reply("staff/edited_after")]
        if message.kind is IncomingKind.REACTION:
            return await staff_reactions.take(context, message)
        if message.kind is IncomingKind.FILE:
            return await staff_files.take(context, message)
        return await self._text(context, message) if message.kind is IncomingKind.TEXT else []

    async def _text(self, context: StaffContext, message: StaffMessage) -> Sequence[Outcome]:
        text = said_in(message.body)
        text = await staff_choices.resolve(context, message, text)
        if codes.looks_like_one(text) and (outcomes := await codes.typed(context, message, text)) is not None:
            return outcomes
        said = parse_staff(text, self._registry.vocabulary)
        if isinstance(said, UnknownCommand):
            raise StaffRefusal("unknown_command", word=said.word)
        if said is not None:
            return await self._command(context, message, said)
        if context.case is not None and text:
            await correspondence.note(context.tx, context.now, context.case, message.sender, message.event_id, text)
        return []

    async def _command(self, context: StaffContext, message: StaffMessage, said: StaffSaid) -> Sequence[Outcome]:
        command = self._registry[said.command]
        PROCESS.handled("staff", command.name)
        context, said = await take_case(context, command, said)
        if codes.takes_one(command) and codes.looks_like_one(said.text):
            return await codes.confirm(context, message, command, said.text)
        if codes.takes_one(command) and is_one_word(said.text) and not required(command):
            raise StaffRefusal("code_unknown", command=command.name)
        arguments = bind(command, said, context.now, in_thread=message.case_id is not None)
        return await _carry_out(context, message, command, arguments)


async def _carry_out(
    context: StaffContext, message: StaffMessage, command: StaffCommand, arguments: dict[str, object]
) -> Sequence[Outcome]:
    if command.run is None:
        return await codes.ask(context, message, command, arguments)
    return await command.run(context, message, arguments)


def staff_refused(refusal: Refusal) -> Reply:
    """Return the sentence of a refusal."""
    return Reply(f"staff/refusal_{refusal.code}", dict(refusal.values))

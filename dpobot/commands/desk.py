"""The one thing that the inbox calls: a message of a person -> what is answered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from dpobot.cases.service import Rules
from dpobot.commands import access, choices, confirm, erase_codes, free_text
from dpobot.commands.arguments import bind
from dpobot.commands.parse import FreeText, Said, parse
from dpobot.commands.registry import Registry
from dpobot.commands.spec import Context, ReceiptPage
from dpobot.errors import Refusal
from dpobot.model.records import Incoming, IncomingKind, Reply
from dpobot.pulse import PROCESS
from dpobot.receipt import codes
from dpobot.store.database import Tx
from dpobot.text.notice import Notice

_EVIDENCE_BYTES = 50_000_000  # as the configuration has it by default


class Desk:
    """Understands messages and has the commands run."""

    def __init__(
        self,
        registry: Registry,
        rules: Rules,
        notice: Notice,
        evidence_bytes: int = _EVIDENCE_BYTES,
        receipt_page: ReceiptPage | None = None,
        *,
        visible: bool = False,
        notices: bool = False,
    ) -> None:
        self._registry = registry
        self._rules = rules
        self._notice = notice
        self._evidence_bytes = evidence_bytes
        self._receipt_page = receipt_page
        self._visible = visible
        self._notices = notices

    def greeting(self, *, alone: bool) -> Reply:
        """Return the first words to a person; ``alone``: no answer follows them, so its commands have numbers."""
        return Reply("greeting", {"numbered": alone}, choices=tuple(self._registry) if alone else ())

    async def serve(self, tx: Tx, now: datetime, incoming: Incoming) -> Sequence[Reply]:
        """Do what a message asks, inside the caller's transaction, and return the answers; none is a possible answer.

        Raises `Refusal`: the transaction must be rolled back, and `refused` of it is the answer.
        """
        if incoming.content.get("msgtype") == "m.notice":
            return []  # the word of a program: answering could go on for ever (spec 11.2.1.3 "m.notice")
        context = Context(
            tx,
            now,
            incoming.language,
            self._rules,
            self._notice,
            self._registry,
            self._evidence_bytes,
            self._receipt_page,
            self._visible,
            self._notices,
        )
        if incoming.kind is IncomingKind.EDIT:
            return [Reply("edited_after")]
        if incoming.kind is IncomingKind.FILE:
            return await free_text.file(context, incoming)
        if incoming.kind is not IncomingKind.TEXT:
            return []
        return await self._text(context, incoming)

    async def _text(self, context: Context, incoming: Incoming) -> Sequence[Reply]:
        for typed in (confirm.typed, erase_codes.typed):
            confirmed = await typed(context, incoming)
            if confirmed is not None:
                return confirmed
        words = await choices.chosen(context, incoming)
        if words is not None:
            incoming = replace(incoming, body=words)
        parsed = parse(incoming.body, self._registry.vocabulary)
        if isinstance(parsed, FreeText) and _is_receipt_code(parsed.text):
            parsed = Said("receipt", (parsed.text,), parsed.text, prefixed=True)  # the code was pasted alone
        if isinstance(parsed, FreeText):
            return await free_text.take(context, incoming, parsed)
        return await self._command(context, incoming, parsed)

    async def _command(self, context: Context, incoming: Incoming, said: Said) -> Sequence[Reply]:
        command = self._registry[said.command]
        access.check(command.access, incoming)
        try:
            arguments = bind(command, said, context.now)
        except Refusal as problem:
            if said.prefixed or problem.code != "unknown_parameter" or len(said.words) <= _SLIP:
                raise
            # a sentence that only begins like a command: it is meant for a person
            return await free_text.take(context, incoming, FreeText(incoming.body, command.name))
        PROCESS.handled("person", command.name)
        if command.run is None:
            return await confirm.ask(context, incoming, command, arguments)
        return await command.run(context, incoming, arguments)


def _is_receipt_code(text: str) -> bool:
    """Say whether ``text`` is nothing but the code of a receipt, dashes and all."""
    return text.count("-") == _DASHES and codes.normalised(text) is not None


_DASHES = 4  # between the groups of a receipt's code
_SLIP = 3  # so few words behind a command are taken for a slip in its arguments


# refusals whose sentence shows what can be said next, by number
_CHOICES: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, ...]]] = {
    "which_case": lambda values: tuple(f"{values['command']} {case['reference']}" for case in values["cases"]),
    "already_open": lambda values: (f"status {values['reference']}", f"cancel {values['reference']}"),
    "erase_access_open": lambda values: (
        f"status {values['reference']}",
        f"{'received' if values['delivered'] else 'cancel'} {values['reference']}",
    ),
}


def refused(refusal: Refusal) -> Reply:
    """Return the sentence of a refusal."""
    values: Mapping[str, object] = refusal.values
    shown = _CHOICES.get(refusal.code)
    return Reply(f"refusal_{refusal.code}", dict(values), choices=shown(values) if shown else ())

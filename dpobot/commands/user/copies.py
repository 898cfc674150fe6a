"""``copies``: who holds copies of what the person sent, by name (Art. 15(1)(c) GDPR)."""

from collections.abc import Sequence

from dpobot.cases import service
from dpobot.commands.opening import open_case
from dpobot.commands.spec import Arguments, Command, Context
from dpobot.model.records import Incoming, Reply
from dpobot.model.words import CaseState, Kind
from dpobot.text.language import translatable

ORDER = 59


async def run(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Open the case; policy or staff decide as with a statement, the answer says which."""
    case = await open_case(context, incoming, Kind.ACCESS, {service.COPIES: True})
    values = {"reference": case.reference, "due_at": case.due_at}
    if case.state is not CaseState.REVIEW:
        return [Reply("copies_accepted", values)]
    return [Reply("copies_waiting", {**values, "trust": incoming.trust.value, "local": incoming.local})]


COMMANDS = (
    Command(
        name="copies",
        summary=translatable("which servers, bridges, bots and push services hold a copy of what you sent"),
        run=run,
        aliases=("kopien", "copie", "recipients", "empfänger", "destinataires"),
        synonyms=(
            "who has my data", "who has copies of my data", "who has my messages", "who got my messages",
            "which servers have my data", "which servers have my messages", "which servers hold my data",
            "where are copies of my messages", "where are my messages", "who received my data",
            "wer hat meine daten", "wer hat meine nachrichten", "wer hat kopien meiner nachrichten",
            "welche server haben meine daten", "welche server haben meine nachrichten",
            "wo liegen meine nachrichten", "wer hat meine daten bekommen",
            "qui a mes données", "qui a mes messages", "qui a reçu mes données", "qui a reçu mes messages",
            "quels serveurs ont mes données", "quels serveurs ont mes messages", "où sont mes messages",
        ),
    ),
)  # fmt: skip

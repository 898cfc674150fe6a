"""``rectify ...``: what the homeserver itself can put right is asked for in a set form, all else in plain words."""

from collections.abc import Sequence

from dpobot.commands import asking, corrections
from dpobot.commands.corrections import Correction
from dpobot.commands.opening import open_case
from dpobot.commands.spec import Arguments, Command, Context, Parameter, ParameterKind
from dpobot.errors import Refusal
from dpobot.model.records import Incoming, Reply
from dpobot.model.words import Kind
from dpobot.store import rectifications
from dpobot.text.language import translatable

ORDER = 55


async def run(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Open a case with what is to be put right: after staff approve it, the homeserver does it; else people do."""
    text = arguments.get("text", "")
    wanted = corrections.correction(text) if incoming.local else None  # another server's account we can't change
    if wanted is None:
        return await asking.by_hand(Kind.RECTIFICATION, context, incoming, text)
    return [await _open(context, incoming, wanted)]


async def _open(context: Context, incoming: Incoming, wanted: Correction) -> Reply:
    before = await asking.open_already(Kind.RECTIFICATION, context, incoming, wanted.field)
    if before is not None:  # what staff may be deciding about does not change under their hands
        raise Refusal("already_open", reference=before.reference)
    case = await open_case(context, incoming, Kind.RECTIFICATION, {asking.FIELD: wanted.field})
    values = {"old": wanted.old, "new": wanted.new}
    await rectifications.put(context.tx, case.id, wanted.field, values)
    shown = {**values, "field": wanted.field, "trust": incoming.trust.value}
    return Reply("request_correction", {"reference": case.reference, "due_at": case.due_at, **shown})


COMMANDS = (
    Command(
        name="rectify",
        summary=translatable("says what is wrong in your data, so that it is put right"),
        run=run,
        aliases=("rectification", "berichtigen", "rectifier"),
        synonyms=(
            "correct my data", "my data is wrong", "meine daten berichtigen", "meine daten sind falsch",
            "corriger mes données",
        ),
        parameters=(
            Parameter(
                "text",
                ParameterKind.TEXT,
                "[display name NEW|avatar [remove]|email OLD NEW|your words]",
            ),
        ),
    ),
)  # fmt: skip

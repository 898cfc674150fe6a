"""Requests that a person of the DPO team reads: one command a right, all of the same shape."""

from collections.abc import Sequence
from functools import partial

from dpobot.cases import queries, service
from dpobot.commands.opening import open_case
from dpobot.commands.spec import Arguments, Command, Context, Parameter, ParameterKind
from dpobot.model.records import Case, Incoming, Reply
from dpobot.model.words import Kind, Trust
from dpobot.text.language import translatable

ORDER = 60


async def run(kind: Kind, context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Open a case of a kind with the person's words in it; further words go into the case that is open already."""
    text = arguments.get("text", "")
    case = await _open_already(kind, context, incoming)
    if case is not None and text:
        await service.add_message(context.tx, context.now, case, incoming.event_id, text)
        return [Reply("free_text_added", {"reference": case.reference, "meant": None})]
    case = await open_for_review(kind, context, incoming, text)
    values = {"reference": case.reference, "due_at": case.due_at, "words": bool(text)}
    return [Reply(f"request_{kind.value}", values)]


async def open_for_review(kind: Kind, context: Context, incoming: Incoming, text: str) -> Case:
    """Open a case that staff decide, with the person's words. Raises `Refusal` ``already_open``."""
    case = await open_case(context, incoming, kind)
    if text:
        await service.add_message(context.tx, context.now, case, incoming.event_id, text)
    return case


async def _open_already(kind: Kind, context: Context, incoming: Incoming) -> Case | None:
    """Return the open case of this kind that the sender's device may add to."""
    for case in await queries.open_of_person(context.tx, incoming.sender):
        if case.kind is kind and (case.trust is not Trust.SIGNED or incoming.trust is Trust.SIGNED):
            return case
    return None


def _command(kind: Kind, name: str, summary: str, aliases: tuple[str, ...], synonyms: tuple[str, ...]) -> Command:
    return Command(
        name=name,
        summary=summary,
        run=partial(run, kind),
        aliases=aliases,
        synonyms=synonyms,
        parameters=(Parameter("text", ParameterKind.TEXT, "[your words]"),),
    )


COMMANDS = (
    _command(
        Kind.ACCESS,
        "access",
        translatable("a statement of what is held about you, why, how long, and who received it"),
        ("auskunft", "accès"),
        (
            "what do you know about me", "what data do you hold about me", "was wisst ihr über mich",
            "que savez-vous de moi",
        ),
    ),
    _command(
        Kind.ERASURE,
        "erase",
        translatable("asks for your data and account to be erased; nothing is erased before you confirm it"),
        ("delete", "erasure", "löschen", "supprimer", "effacer"),
        (
            "delete my account", "delete my data", "delete all my data", "delete me", "erase my account",
            "erase my data",
            "forget me", "remove my account", "remove my data", "close my account", "right to be forgotten",
            "lösche mein konto", "mein konto löschen", "konto löschen", "meine daten löschen", "lösche meine daten",
            "supprimer mon compte", "supprimez mon compte", "supprimer mes données", "effacer mes données",
            "oubliez-moi",
        ),
    ),
    _command(
        Kind.RECTIFICATION,
        "rectify",
        translatable("says what is wrong in your data, so that it is put right"),
        ("rectification", "berichtigen", "rectifier"),
        (
            "correct my data", "my data is wrong", "meine daten berichtigen", "meine daten sind falsch",
            "corriger mes données",
        ),
    ),
    _command(
        Kind.RESTRICTION,
        "restrict",
        translatable("asks that your data be kept but not used"),
        ("restriction", "einschränken", "limiter"),
        ("restrict processing", "stop using my data", "verarbeitung einschränken", "limiter le traitement"),
    ),
    _command(
        Kind.OBJECTION,
        "object",
        translatable("objects to something that is done with your data"),
        ("objection", "widerspruch", "widersprechen", "opposition"),
        ("i object", "ich widerspreche", "je m'oppose"),
    ),
    _command(
        Kind.AUTOMATED,
        "automated",
        translatable("asks a human to look at a decision that a machine took about you"),
        ("automatisiert", "automatisé"),
        ("automated decision", "automatisierte entscheidung", "décision automatisée"),
    ),
    _command(
        Kind.COMPLAINT,
        "complaint",
        translatable("complains about how your data was handled"),
        ("complain", "beschwerde", "plainte", "réclamation"),
        (
            "i have a complaint", "make a complaint", "mich beschweren", "eine beschwerde",
            "porter plainte", "me plaindre",
        ),
    ),
    _command(
        Kind.SECURITY,
        "security",
        translatable("reports a weakness, or that somebody else uses your account; read first of all"),
        ("vulnerability", "sicherheit", "sécurité"),
        ("i was hacked", "my account was hacked", "mein konto wurde gehackt", "mon compte a été piraté"),
    ),
    _command(
        Kind.CHILD,
        "child",
        translatable("reports an account of a child; read first of all"),
        ("enfant",),
        ("a child uses this server", "underage user"),
    ),
)  # fmt: skip

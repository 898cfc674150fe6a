"""Requests that a person of the DPO team reads: one command a right, all of the same shape."""

from collections.abc import Sequence
from functools import partial

from dpobot.cases import queries, service
from dpobot.commands import free_text, which
from dpobot.commands.free_text import Item
from dpobot.commands.opening import open_case
from dpobot.commands.spec import Arguments, Command, Context, Parameter, ParameterKind
from dpobot.errors import Refusal
from dpobot.model.records import Case, Incoming, Reply
from dpobot.model.words import CaseState, Kind
from dpobot.text.language import translatable

ORDER = 60


# Art. 18(1): the four grounds on which use may be restricted, in the order in which its sentence shows them
_GROUNDS = ("a", "b", "c", "d")


async def run(kind: Kind, context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Open a case of a kind with the person's words in it; further words go into the case that is open already."""
    text = arguments.get("text", "")
    case = await _open_already(kind, context, incoming)
    if case is not None:
        return [await _more(context, incoming, case, text)]
    case = await open_for_review(kind, context, incoming, text)
    values = {"reference": case.reference, "due_at": case.due_at, "words": bool(text), "local": incoming.local}
    return [Reply(f"request_{kind.value}", values, choices=() if text else _guided(kind, case))]


async def open_for_review(kind: Kind, context: Context, incoming: Incoming, text: str) -> Case:
    """Open a case that staff decide, with the person's words. Raises `Refusal` ``already_open``."""
    case = await open_case(context, incoming, kind)
    if text:
        await service.add_message(context.tx, context.now, case, incoming.event_id, text, context.rules)
    return case


async def _more(context: Context, incoming: Incoming, case: Case, text: str) -> Reply:
    if not text:
        raise Refusal("already_open", reference=case.reference)
    return await free_text.add(context, case, Item(incoming.event_id, text))


async def _open_already(kind: Kind, context: Context, incoming: Incoming) -> Case | None:
    """Return the unanswered case of this kind, asked for from a device known as well, unless this message opened it."""
    for case in await queries.open_of_person(context.tx, incoming.sender):
        answered = case.state is CaseState.DELIVERED
        if case.kind is kind and not answered and which.alike(incoming, case) and case.event_id != incoming.event_id:
            return case
    return None


def _guided(kind: Kind, case: Case) -> tuple[str, ...]:
    """Return answers to the question that the acknowledgement asks, to be picked by number."""
    if kind is not Kind.RESTRICTION:
        return ()
    return tuple(f"reply {case.reference} Art. 18(1)({ground})" for ground in _GROUNDS)


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

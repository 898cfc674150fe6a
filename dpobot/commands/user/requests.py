"""Requests that a person of the DPO team reads: one command a right, all of the same shape."""

from collections.abc import Sequence
from functools import partial

from dpobot.commands import asking
from dpobot.commands.spec import Arguments, Command, Context, Parameter, ParameterKind
from dpobot.model.records import Incoming, Reply
from dpobot.model.words import Kind
from dpobot.text.language import translatable

ORDER = 60


async def run(kind: Kind, context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Open a case of a kind for a human, or add to the one that is open."""
    return await asking.by_hand(kind, context, incoming, arguments.get("text", ""))


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

"""``export [mine|visible] [account|messages|media] [since DATE] [until DATE]``."""

from collections.abc import Mapping, Sequence

from dpobot.commands.dates import Period
from dpobot.commands.opening import open_case
from dpobot.commands.spec import Arguments, Command, Context, Parameter, ParameterKind
from dpobot.errors import Refusal
from dpobot.model.records import ExportOptions, Incoming, Reply
from dpobot.model.words import CaseState, Kind, Scope, Section
from dpobot.text.language import translatable

ORDER = 40


async def run(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Open the case; policy or staff decide, the answer says which."""
    wanted = options(arguments, visible=context.visible and incoming.local)
    case = await open_case(context, incoming, Kind.EXPORT, stored(wanted))
    values = {
        "reference": case.reference,
        "due_at": case.due_at,
        "sections": sorted(section.value for section in wanted.sections),
        "since": wanted.since,
        "until": wanted.until,
        "scope": wanted.scope.value,
    }
    if case.state is not CaseState.REVIEW:
        return [Reply("export_accepted", values)]
    return [Reply("export_waiting", {**values, "trust": incoming.trust.value, "local": incoming.local})]


def options(arguments: Arguments, *, visible: bool = False) -> ExportOptions:
    """Return what is asked for; ``visible``: what others wrote may be, by an account that we can read it as.

    Raises `Refusal`: ``visible_not_offered``, ``empty_period``.
    """
    scope = Scope(arguments.get("scope", Scope.MINE))
    if scope is Scope.VISIBLE and not visible:
        raise Refusal("visible_not_offered")
    since: Period | None = arguments.get("since")
    until: Period | None = arguments.get("until")
    if since and until and since[0] >= until[1]:
        raise Refusal("empty_period", since=since[0], until=until[0])
    return ExportOptions(
        scope=scope,
        sections=frozenset(Section(word) for word in arguments.get("sections", ())),
        since=since[0] if since else None,
        until=until[1] if until else None,  # a day that is named last is wanted whole
    )


def stored(wanted: ExportOptions) -> Mapping[str, object]:
    """Return options as the case keeps them: JSON."""
    return {
        "scope": wanted.scope.value,
        "sections": sorted(section.value for section in wanted.sections),
        "since": wanted.since.isoformat() if wanted.since else None,
        "until": wanted.until.isoformat() if wanted.until else None,
    }


_SCOPES = {"mine": "mine", "visible": "visible"}
_SECTIONS = {
    "account": "account", "konto": "account", "compte": "account", "profile": "account",
    "messages": "messages", "nachrichten": "messages", "message": "messages",
    "media": "media", "files": "media", "medien": "media", "dateien": "media", "fichiers": "media",
    "pictures": "media", "bilder": "media", "photos": "media",
}  # fmt: skip
_SINCE = dict.fromkeys(("since", "from", "seit", "ab", "depuis"), "since")
_UNTIL = dict.fromkeys(("until", "till", "to", "bis", "jusqu'à", "jusqu'en"), "until")

COMMANDS = (
    Command(
        name="export",
        summary=translatable("a copy of your data, as files in this room"),
        run=run,
        aliases=("exportieren", "exporter"),
        synonyms=(
            "give me my data", "send me my data", "a copy of my data", "copy of my data", "download my data",
            "get my data",
            "my data", "all my data", "have a copy of my data", "get a copy of my data", "give me all my data",
            "send me a copy of my data", "give me a copy of my data", "gdpr export", "data export",
            "what do you have on me",
            "gib mir meine daten", "meine daten", "meine daten haben", "kopie meiner daten",
            "eine kopie meiner daten",
            "meine daten herunterladen", "datenauskunft", "schick mir meine daten",
            "mes données", "donne-moi mes données", "donnez-moi mes données", "une copie de mes données",
            "copie de mes données", "télécharger mes données", "obtenir mes données",
        ),
        parameters=(
            Parameter("scope", ParameterKind.CHOICE, "[mine|visible]", _SCOPES),
            Parameter("sections", ParameterKind.CHOICES, "[account|messages|media]", _SECTIONS),
            Parameter("since", ParameterKind.DATE, "[since DATE]", _SINCE),
            Parameter("until", ParameterKind.DATE, "[until DATE]", _UNTIL),
        ),
    ),
)  # fmt: skip

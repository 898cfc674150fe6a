"""``privacy [section or words]`` and ``privacy history [date]``."""

from collections.abc import Sequence

from dpobot.commands.access import PUBLIC
from dpobot.commands.dates import period
from dpobot.commands.spec import Arguments, Command, Context, Parameter, ParameterKind
from dpobot.errors import Refusal
from dpobot.model.records import Incoming, Reply
from dpobot.text import notice
from dpobot.text.language import translatable

ORDER = 20
_HISTORY = ("history", "versions", "historique", "verlauf")


async def run(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Show the list of sections, one section, what a search found, or the versions."""
    wanted = arguments.get("wanted", "")
    first, _, rest = wanted.partition(" ")
    if first.casefold() in _HISTORY:
        return [_history(context, rest.strip())]
    return [_section(context, wanted)]


def _section(context: Context, wanted: str) -> Reply:
    version = context.notice.current(context.now.date())
    if not wanted:
        return Reply("privacy", {"version": version})
    section = notice.section(version, wanted)
    found = [section] if section else notice.search(version, wanted)
    if len(found) == 1:
        return Reply("privacy_section", {"version": version, "section": found[0]})
    return Reply("privacy_found", {"found": found})


def _history(context: Context, day: str) -> Reply:
    if not day:
        return Reply("privacy_history", {"versions": context.notice.versions[::-1]})
    asked = period(day, context.now)
    if asked is None:
        raise Refusal("bad_date", text=day)
    version = context.notice.in_force(asked[0].date())
    return Reply("privacy_in_force", {"day": asked[0], "version": version, "first": context.notice.versions[0]})


COMMANDS = (
    Command(
        name="privacy",
        summary=translatable("the privacy notice: its sections, one of them, or what it says about some words"),
        run=run,
        aliases=("notice", "policy", "datenschutz", "confidentialité"),
        synonyms=("privacy notice", "privacy policy", "datenschutzerklärung", "politique de confidentialité"),
        parameters=(Parameter("wanted", ParameterKind.TEXT, "[section, words or history]", most_words=6),),
        access=PUBLIC,
    ),
)

"""``erase [redact] [media] [direct] [tell] [without copy]``; ``erase CODE`` is `commands.erase_codes`.

It is not registered as destructive: what would go is counted by a job that asks the homeserver, and the code under its
plan is not good for this command but for the case. `cases.erasure` sees to it that exactly that plan was confirmed.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from dpobot.cases import erasure, queries, service
from dpobot.commands import erase_codes
from dpobot.commands.opening import open_case
from dpobot.commands.spec import Arguments, Command, Context, Parameter, ParameterKind
from dpobot.errors import Refusal
from dpobot.model.erasure import Copy, ErasureOptions
from dpobot.model.records import Case, Incoming, Reply
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import erasures
from dpobot.text.language import translatable

ORDER = 50
COPY_GOOD_FOR = timedelta(days=30)  # a copy that was delivered longer ago lacks what came since
_THERE = (CaseState.DELIVERED, CaseState.CLOSED)


async def run(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Have it counted what would go, or say what has to come first. Nothing is erased before its plan is confirmed."""
    options = _options(arguments)
    if options.tell and not context.notices:
        raise Refusal("notices_not_offered")
    case = await _open_already(context, incoming)
    if incoming.trust is not Trust.SIGNED or not incoming.local:
        return [await _for_staff(context, incoming, case, options)]
    if case is not None:
        await _refuse_settled(context, case)
    block = await erasure.blocked(context.tx, incoming.sender)
    if block is not None and block.kind == "access_open":
        raise Refusal("erase_access_open", reference=block.reference, delivered=block.delivered)
    options = replace(options, copy=await _copy(context, incoming, case, options))
    if options.copy is Copy.OPEN:
        return [_offer(options)]
    case = case or await open_case(context, incoming, Kind.ERASURE)
    if block is not None:
        return [await _on_hold(context, case, options)]
    return [await _begin(context, incoming, case, options)]


def _options(arguments: Arguments) -> ErasureOptions:
    chosen = arguments.get("options", frozenset())
    copy = Copy(arguments.get("copy", Copy.OPEN))
    return ErasureOptions("redact" in chosen, "media" in chosen, "direct" in chosen, copy, "tell" in chosen)


async def _open_already(context: Context, incoming: Incoming) -> Case | None:
    """Return the erasure that is asked for already, by somebody known as well as the sender of this message."""
    signed = incoming.trust is Trust.SIGNED
    for case in await queries.open_of_person(context.tx, incoming.sender):
        alike = case.proven if signed else case.trust is not Trust.SIGNED
        if case.kind is Kind.ERASURE and alike and case.state is not CaseState.DELIVERED:
            return case
    return None


async def _for_staff(context: Context, incoming: Incoming, case: Case | None, options: ErasureOptions) -> Reply:
    """Leave it to staff: it is not known who asks, or the account is not ours to erase."""
    if case is not None and case.event_id != incoming.event_id:
        raise Refusal("already_open", reference=case.reference)
    case = await open_case(context, incoming, Kind.ERASURE)
    await erasures.put(context.tx, case.id, options)
    values = {"reference": case.reference, "due_at": case.due_at, "words": False}
    return Reply("request_erasure", {**values, "local": incoming.local, "trust": incoming.trust.value})


async def _refuse_settled(context: Context, case: Case) -> None:
    """Let only what nobody has confirmed begin anew."""
    if await erasure.has_begun(context.tx, case.id):
        raise Refusal("erasure_begun", reference=case.reference)
    begun = await erasures.get(context.tx, case.id)
    settled = begun is not None and begun.cooled_off_at is not None
    if case.channel is not Channel.MATRIX or settled or case.state not in (CaseState.CONFIRMING, CaseState.REVIEW):
        raise Refusal("already_open", reference=case.reference)


async def _copy(context: Context, incoming: Incoming, case: Case | None, options: ErasureOptions) -> Copy:
    for each in await queries.of_person(context.tx, incoming.sender):
        if each.kind is Kind.EXPORT and each.proven and each.state in _THERE and _lately(each, context.now):
            return Copy.DELIVERED
    before = await erasures.get(context.tx, case.id) if case else None
    waived = options.copy is Copy.WAIVED or (before is not None and before.options.copy is Copy.WAIVED)
    return Copy.WAIVED if waived else Copy.OPEN


def _lately(case: Case, now: datetime) -> bool:
    return case.answered_at is not None and now - case.answered_at <= COPY_GOOD_FOR


def _offer(options: ErasureOptions) -> Reply:
    """Offer a copy first: once the account is gone nobody can have one."""
    without = written(replace(options, copy=Copy.WAIVED))
    return Reply("erase_copy_first", {"without": without}, choices=("export", without))


async def _on_hold(context: Context, case: Case, options: ErasureOptions) -> Reply:
    """Leave it to staff: something obliges us to keep data of this person (Art. 17(3), 18(2) GDPR)."""
    await erasures.put(context.tx, case.id, options)
    if case.state is CaseState.CONFIRMING:
        await service.move(context.tx, context.now, case, CaseState.REVIEW, "bot", "erasure.on_hold")
    return Reply("erase_on_hold", {"reference": case.reference, "due_at": case.due_at})


async def _begin(context: Context, incoming: Incoming, case: Case, options: ErasureOptions) -> Reply:
    known = context.now if case.verified_at else await erase_codes.known_long_enough(context, incoming)
    survey_after = known if context.now < known else None
    case = await erasure.begin(context.tx, context.now, case, options, survey_after=survey_after)
    values = {"reference": case.reference, "due_at": case.due_at}
    if survey_after is None:
        return Reply("erase_counting", values)
    return Reply("erase_device_new", {**values, "since": incoming.device_since or context.now, "until": survey_after})


def written(options: ErasureOptions) -> str:
    """Return the command that asks for these options."""
    chosen = [word for word in ("redact", "media", "direct", "tell") if getattr(options, word)]
    return " ".join(["erase", *chosen, *(["without copy"] if options.copy is Copy.WAIVED else [])])


_OPTIONS = {
    "redact": "redact", "redaction": "redact", "redact everything": "redact", "messages": "redact",
    "take back": "redact", "schwärzen": "redact", "nachrichten": "redact", "zurücknehmen": "redact",
    "caviarder": "redact", "retirer": "redact", "message": "redact",
    "media": "media", "files": "media", "pictures": "media", "medien": "media", "dateien": "media", "bilder": "media",
    "médias": "media", "fichiers": "media", "images": "media", "photos": "media",
    "direct": "direct", "directs": "direct", "dms": "direct", "direct messages": "direct", "direct chats": "direct",
    "direkt": "direct", "direktnachrichten": "direct", "direkte nachrichten": "direct", "direktchats": "direct",
    "messages directs": "direct", "conversations directes": "direct",
    "tell": "tell", "tell servers": "tell", "tell other servers": "tell", "servers": "tell", "notify": "tell",
    "anderen sagen": "tell", "server": "tell", "weitersagen": "tell", "server informieren": "tell",
    "prévenir": "tell", "serveurs": "tell", "prévenir les serveurs": "tell",
    "account": "account", "konto": "account", "compte": "account",  # that goes in any case
}  # fmt: skip
_WITHOUT = dict.fromkeys(
    (
        "without copy", "without a copy", "without export", "no copy", "ohne kopie", "ohne eine kopie", "ohne export",
        "keine kopie", "sans copie", "sans une copie", "pas de copie", "sans export",
    ),
    Copy.WAIVED.value,
)  # fmt: skip

COMMANDS = (
    Command(
        name=erase_codes.COMMAND,
        summary=translatable(
            "has your account and your data erased: shows what would go and what would stay, and asks for a code"
        ),
        run=run,
        aliases=("delete", "erasure", "löschen", "supprimer", "effacer"),
        synonyms=(
            "delete my account", "delete my data", "delete all my data", "delete me", "erase my account",
            "erase my data",
            "forget me", "remove my account", "remove my data", "close my account", "right to be forgotten",
            "lösche mein konto", "mein konto löschen", "konto löschen", "meine daten löschen", "lösche meine daten",
            "supprimer mon compte", "supprimez mon compte", "supprimer mes données", "effacer mes données",
            "oubliez-moi",
        ),
        parameters=(
            Parameter("options", ParameterKind.CHOICES, "[redact] [media] [direct] [tell]", _OPTIONS),
            Parameter("copy", ParameterKind.CHOICE, "[without copy]", _WITHOUT),
        ),
    ),
)  # fmt: skip

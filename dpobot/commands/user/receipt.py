"""``receipt CODE``: the signed receipt of an erasure, from any account: the one that was erased is gone."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from dpobot.commands.access import Access
from dpobot.commands.spec import Arguments, Command, Context, Parameter, ParameterKind
from dpobot.errors import Refusal
from dpobot.model.ids import EventId
from dpobot.model.records import Attachment, Incoming, Reply
from dpobot.receipt import codes
from dpobot.receipt.page import WELL_KNOWN
from dpobot.store import notices, prompts, receipts
from dpobot.text.language import translatable

ORDER = 95
MOST_GUESSES = 10  # wrong codes of one sender within `GUESSES_COUNT_FOR`
GUESSES_COUNT_FOR = timedelta(hours=1)
_GUESSES = "receipt_guesses"  # when somebody's wrong codes came; its content: {"at": [moment, ...]}


async def run(context: Context, incoming: Incoming, arguments: Arguments) -> Sequence[Reply]:
    """Send the receipt that a code leads to, and the page that checks it."""
    text = arguments.get("code", "")
    code = codes.normalised(text)
    if code is None:
        raise Refusal("receipt_no_code", said=bool(text))
    guesses = await _guesses(context, incoming)
    if len(guesses) >= MOST_GUESSES:  # also before a right one: it would be a guess as well
        raise Refusal("receipt_too_many", until=guesses[0] + GUESSES_COUNT_FOR)
    found = await receipts.by_code(context.tx, codes.code_hash(code))
    if found is None:
        await _note_guess(context, incoming, guesses)
        return [Reply("receipt_unknown")]
    if found.document is None:
        return [Reply("receipt_not_ready")]
    return _answer(context, found.document, await notices.counts(context.tx, found.case_id))


def _answer(context: Context, document: str, told: Mapping[str, int]) -> Sequence[Reply]:
    said: Mapping[str, Any] = json.loads(document)
    reference = {"reference": said["case"]}
    shown = {"residuals": bool(said["residuals"]), "key_id": said["key_id"], "published": WELL_KNOWN}
    ledger = [{"state": state, "count": count} for state, count in told.items()]
    receipt = Attachment(f"receipt-{said['case']}.json", "application/json", document.encode())
    answer = Reply("receipt", {**reference, **shown, "notices": ledger}, attachment=receipt)
    if context.receipt_page is None:
        return [answer]
    return [answer, Reply("receipt_page", reference, attachment=context.receipt_page(document, context.language))]


async def _guesses(context: Context, incoming: Incoming) -> list[datetime]:
    kept = await prompts.newest_open(context.tx, incoming.sender, context.now, (_GUESSES,))
    moments = [datetime.fromisoformat(each) for each in kept.content["at"]] if kept else []
    return [each for each in moments if context.now - each < GUESSES_COUNT_FOR]


async def _note_guess(context: Context, incoming: Incoming, before: Sequence[datetime]) -> None:
    await prompts.ask(
        context.tx,
        person=incoming.sender,
        room_id=incoming.room_id,
        kind=_GUESSES,
        event_id=EventId(sha256(f"{_GUESSES}|{incoming.event_id}".encode()).hexdigest()),
        content={"at": [each.isoformat() for each in (*before, context.now)]},
        now=context.now,
        expires_at=context.now + GUESSES_COUNT_FOR,
    )


COMMANDS = (
    Command(
        name="receipt",
        summary=translatable("the signed receipt of an erasure, by the code that you were given; from any account"),
        run=run,
        aliases=("quittung", "récépissé"),
        synonyms=("my receipt", "meine quittung", "mon récépissé"),
        parameters=(Parameter("code", ParameterKind.TEXT, "CODE", most_words=5),),
        access=Access(),
    ),
)

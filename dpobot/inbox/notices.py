"""What homeservers tell each other: notices of erasures, their answers, and the words of those we talk with about them.

In a room that is for notices nothing is a command, unless it says so with ``!dpo``: two bots that took each other's
sentences for questions would never stop. Words there reach the case's thread.
"""

from datetime import timedelta
from typing import Any

from dpobot import log
from dpobot.cases import foreign
from dpobot.cases import notices as ledger
from dpobot.cases.foreign import Letter
from dpobot.cases.service import Rules
from dpobot.clock import Clock
from dpobot.config import NoticesConfig
from dpobot.delivery.answers import post_answer
from dpobot.delivery.messages import key
from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.federation.support import Contacts
from dpobot.inbox.gate import Admitted, remember
from dpobot.model.notices import ANSWER, NOTICE, ErasureAnswer, ErasureNotice, NoticeState
from dpobot.model.records import Incoming, IncomingKind
from dpobot.model.words import Trust
from dpobot.store import case_messages, foreign_requests, inbox, notices, staff_threads
from dpobot.store.case_messages import Direction
from dpobot.store.database import Database, Tx
from dpobot.store.inbox import InboxRow
from dpobot.text.render import Renderer

_COMMAND = "!dpo"
_MOST_WORDS = 200  # messages of one contact in one case
_PATIENCE = 3  # attempts in which an answer waits for its notice to be noted as sent
_SOON = timedelta(seconds=2)
_logger = log.get(__name__)


class NoticeInbox:
    """Handles the rows that belong here; the dispatcher is the boundary for what goes wrong."""

    def __init__(
        self,
        database: Database,
        renderer: Renderer,
        clock: Clock,
        config: NoticesConfig,
        rules: Rules,
        contacts: Contacts,
        server: str,
    ) -> None:
        self._database = database
        self._renderer = renderer
        self._clock = clock
        self._config = config
        self._rules = rules
        self._contacts = contacts
        self._server = server

    async def takes(self, row: InboxRow) -> bool:
        """Say whether a row is a notice, an answer, or words in a room that is for notices."""
        if row.kind is not IncomingKind.TEXT:
            return False
        if is_federation(row.payload.get("content")):
            return True
        if str(row.payload.get("body", "")).lstrip().casefold().startswith(_COMMAND):
            return False
        return await self._database.read(lambda tx: _about(tx, row)) is not None

    async def handle(self, row: InboxRow, admitted: Admitted) -> None:
        """Deal with a row. Raises `Unavailable`: then it is tried again."""
        content = admitted.incoming.content
        if NOTICE in content:
            await self._notice(row, admitted, ErasureNotice.from_content(content[NOTICE]))
        elif ANSWER in content:
            answer = ErasureAnswer.from_content(content[ANSWER])
            await self._database.write(lambda tx: self._answer(tx, row, admitted, answer))
        else:
            await self._database.write(lambda tx: self._words(tx, row, admitted))

    async def _notice(self, row: InboxRow, admitted: Admitted, notice: ErasureNotice | None) -> None:
        """Refuse what is not right, answer what is known, and open a case for the rest."""
        incoming = admitted.incoming
        if notice is None or (reason := self._trouble(notice, incoming)) is not None:
            reason = "malformed" if notice is None else reason
            await self._database.write(lambda tx: self._refuse(tx, row, admitted, notice, str(reason)))
            return
        letter = Letter(notice, incoming.sender, incoming.room_id, incoming.event_id)
        if await self._database.write(lambda tx: self._without_asking(tx, row, admitted, letter)):
            return
        verified = await self._verified(letter)
        await self._database.write(lambda tx: self._open(tx, row, admitted, letter, verified=verified))

    def _trouble(self, notice: ErasureNotice, incoming: Incoming) -> str | None:
        if self._config.receive == "never":
            return "not_taken"
        return foreign.trouble_with(notice, incoming.sender, incoming.trust, self._server)

    async def _verified(self, letter: Letter) -> bool:
        """Ask the sender's server whether it names the sender; a server that can't be asked names nobody."""
        try:
            return (await self._contacts(letter.server)).names(letter.sender)
        except (Rejected, Unavailable) as trouble:
            _logger.info("notice.not_verified", code=trouble.code)
            return False

    async def _without_asking(self, tx: Tx, row: InboxRow, admitted: Admitted, letter: Letter) -> bool:
        """Answer what needs no look at the other server: a notice that is known, and one too many."""
        answer = await foreign.repeated(tx, letter)
        if answer is None and await foreign.too_many(tx, self._clock.now(), letter.server, self._config.per_hour):
            answer = ErasureAnswer(letter.notice.reference, NoticeState.REFUSED, reason=ledger.TOO_MANY)
        if answer is not None:
            await self._say(tx, row, admitted, answer.reason, answer)
        return answer is not None

    async def _open(self, tx: Tx, row: InboxRow, admitted: Admitted, letter: Letter, *, verified: bool) -> None:
        case = await foreign.open_case(tx, self._clock.now(), letter, self._rules, verified=verified)
        answer = ErasureAnswer(letter.notice.reference, NoticeState.ACKNOWLEDGED, case.reference)
        await self._say(tx, row, admitted, None, answer)

    async def _refuse(
        self, tx: Tx, row: InboxRow, admitted: Admitted, notice: ErasureNotice | None, reason: str
    ) -> None:
        answer = None if notice is None else ErasureAnswer(notice.reference, NoticeState.REFUSED, reason=reason)
        await self._say(tx, row, admitted, reason, answer)

    async def _say(
        self, tx: Tx, row: InboxRow, admitted: Admitted, reason: str | None, answer: ErasureAnswer | None
    ) -> None:
        now, said = self._clock.now(), key(row.event_id, "answer")
        await remember(tx, admitted)
        await post_answer(tx, self._renderer, now, row.sender, row.room_id, reason, answer, said)
        await inbox.done(tx, row.id, now)

    async def _answer(self, tx: Tx, row: InboxRow, admitted: Admitted, answer: ErasureAnswer | None) -> None:
        """Take an answer from the room, and from the contact, that was asked; anything else with that content is none.

        Raises `Unavailable` for one that was faster than the note that its notice was sent.
        """
        now = self._clock.now()
        if answer is not None and admitted.incoming.trust is Trust.SIGNED:
            known = await notices.asked(tx, row.room_id, row.sender, answer.reference)
            if known is not None and known.state is NoticeState.APPROVED and row.attempts < _PATIENCE:
                raise Unavailable("notice_not_noted", _SOON.total_seconds())
            if known is not None:
                await ledger.answered(tx, now, known, answer)
        await inbox.done(tx, row.id, now)

    async def _words(self, tx: Tx, row: InboxRow, admitted: Admitted) -> None:
        """Hand what a contact writes to the case's thread."""
        now, body = self._clock.now(), admitted.incoming.body.strip()
        case_id = await _about(tx, row)
        await remember(tx, admitted)
        if case_id is not None and body and len(await case_messages.of_case(tx, case_id)) < _MOST_WORDS:
            await case_messages.add(
                tx, case_id, row.event_id, body, author=row.sender, direction=Direction.PERSON, posted=False, now=now
            )
            await staff_threads.touch(tx, case_id)
        await inbox.done(tx, row.id, now)


def is_federation(content: Any) -> bool:
    """Say whether a message's content holds what homeservers' bots tell each other."""
    return isinstance(content, dict) and (NOTICE in content or ANSWER in content)


async def _about(tx: Tx, row: InboxRow) -> int | None:
    """Return the case about which we talk with somebody in a room: the newest that they sent, or were sent."""
    asked = await foreign_requests.in_room(tx, row.room_id, row.sender)
    if asked is not None:
        return asked.case_id
    told = await notices.in_room(tx, row.room_id, row.sender)
    return told[0].case_id if told else None

"""Notices of other homeservers: what makes one good, the case that it opens, and what is answered. See docs/notices.md.

Each is one transaction of the caller. Nothing is ever done by itself: staff decide about each case.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dpobot.cases import service
from dpobot.cases.service import Opening, Rules
from dpobot.model.ids import EventId, RoomId, UserId, server_of
from dpobot.model.notices import ErasureAnswer, ErasureNotice, NoticeState
from dpobot.model.records import Case
from dpobot.model.words import CaseState, Channel, Kind, Trust
from dpobot.store import cases, foreign_requests
from dpobot.store.database import Tx
from dpobot.store.foreign_requests import ForeignRequest

MOST_OPEN = 50  # cases of one server that are not over
_AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice as it came: who sent it, where, in which message."""

    notice: ErasureNotice
    sender: UserId
    room_id: RoomId
    event_id: EventId

    @property
    def server(self) -> str:
        """Whose notice it is."""
        return server_of(self.sender)


def trouble_with(notice: ErasureNotice, sender: UserId, trust: Trust, ours: str) -> str | None:
    """Return why a notice is not taken, as a code; None if nothing speaks against it.

    Only the server that the account was on can say that it was erased.
    """
    theirs = server_of(notice.user_id)
    if theirs == ours:
        return "local"
    if server_of(sender) != theirs:
        return "other_server"
    return None if trust is Trust.SIGNED else "untrusted"


async def repeated(tx: Tx, letter: Letter) -> ErasureAnswer | None:
    """Return the answer to a notice that has opened a case already, None if it has not.

    The same reference with another sender or person is refused: what became of a case is told to who asked for it.
    """
    known = await foreign_requests.find(tx, letter.server, letter.notice.reference)
    if known is None:
        return None
    case = await cases.get(tx, known.case_id)
    if known.sender != letter.sender or case.person != letter.notice.user_id:
        return ErasureAnswer(letter.notice.reference, NoticeState.REFUSED, reason="reference_taken")
    return answer_of(known, case.reference, case.state)


async def too_many(tx: Tx, now: datetime, server: str, per_hour: int) -> bool:
    """Say whether a server has asked for as much as it may: others are to be heard, too."""
    lately = await foreign_requests.count_since(tx, server, now - _AN_HOUR)
    return lately >= per_hour or await foreign_requests.open_of(tx, server) >= MOST_OPEN


async def open_case(tx: Tx, now: datetime, letter: Letter, rules: Rules, *, verified: bool) -> Case:
    """Open the case of a notice. ``verified``: the server names the sender as its contact."""
    opening = Opening(
        person=letter.notice.user_id,
        kind=Kind.ERASURE,
        channel=Channel.FEDERATION,
        trust=Trust.SIGNED if verified else Trust.UNKNOWN,
        local=False,
        room_id=None,  # the room is the sender's, not the person's
        event_id=letter.event_id,
        options={},
        received_at=now,
    )
    case = (await service.open_case(tx, now, opening, rules, actor=letter.sender)).case
    request = ForeignRequest(
        case_id=case.id,
        server=letter.server,
        sender=letter.sender,
        reference=letter.notice.reference,
        room_id=letter.room_id,
        event_id=letter.event_id,
        verified=verified,
        requested=tuple(each.value for each in letter.notice.requested),
        erased_on=letter.notice.erased_at.isoformat(),
        told=NoticeState.ACKNOWLEDGED,
        created_at=now,
    )
    await foreign_requests.add(tx, request)
    return case


def answer_of(request: ForeignRequest, reference: str, state: CaseState | str) -> ErasureAnswer:
    """Return what is answered to a notice whose case is in a state."""
    said = {
        CaseState.CLOSED: NoticeState.DONE,
        CaseState.REFUSED: NoticeState.REFUSED,
        CaseState.WITHDRAWN: NoticeState.REFUSED,
    }
    return ErasureAnswer(request.reference, said.get(CaseState(state), NoticeState.ACKNOWLEDGED), reference)

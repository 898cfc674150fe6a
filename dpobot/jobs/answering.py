"""Other homeservers whose notice opened a case here are told how it ended."""

from datetime import datetime

from dpobot.cases.foreign import answer_of
from dpobot.delivery.answers import post_answer
from dpobot.delivery.messages import key
from dpobot.jobs.parts import Parts
from dpobot.store import foreign_requests
from dpobot.store.database import Tx
from dpobot.text.render import Renderer

_AT_ONCE = 50


class Answering:
    """Looks for cases that are over, and of which whoever asked has not heard so."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def once(self, now: datetime) -> int:
        """Tell them; return how many that were."""
        return await self._parts.database.write(lambda tx: tell_ends(tx, self._parts.renderer, now))


async def tell_ends(tx: Tx, renderer: Renderer, now: datetime) -> int:
    """Tell whoever asked of cases that are over and has not heard so; return how many those are."""
    waiting = await foreign_requests.untold(tx, _AT_ONCE)
    for each in waiting:
        request, answer = each.request, answer_of(each.request, each.reference, each.state)
        said = key("erasure_answer", request.case_id, answer.state)
        await post_answer(tx, renderer, now, request.sender, request.room_id, None, answer, said)
        await foreign_requests.tell(tx, request.case_id, answer.state)
    return len(waiting)

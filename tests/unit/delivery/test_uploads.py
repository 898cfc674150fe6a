"""What the bot uploads for a case's thread is known for as long as the case, so that it can be deleted with it."""

from dpobot.errors import Unavailable
from dpobot.model.ids import Mxc
from dpobot.model.records import Attachment
from dpobot.store import staff_uploads
from dpobot.store.outbox import Relation
from tests.unit.delivery.conftest import World


async def _known(world: World) -> set[Mxc]:
    return set(await world.database.read(lambda tx: staff_uploads.of_case(tx, world.case.id)))


async def test_every_upload_for_a_thread_is_known(world: World) -> None:
    """Also one whose message was not sent: the next attempt uploads once more, and which one counts is not certain."""
    theirs = world.uploaded(b"evidence")
    await world.tell("card", "card", Relation.CARD)
    await world.send()
    world.fail("send", Unavailable("connection"))
    await world.evidence(theirs, "copy")
    await world.send()
    await world.tell("table", "table", Relation.THREAD, attachment=Attachment("a.csv", "text/csv", b"a"))
    await world.send(minutes=1)
    assert len(await _known(world)) == 3
    assert await _known(world) == set(world.server.media) - {theirs.file.url}


async def test_an_upload_about_no_case_is_nobodys(world: World) -> None:
    """Nor is what goes to the person: that is theirs."""
    await world.tell("queue", "queue", attachment=Attachment("queue.csv", "text/csv", b"a"))
    await world.say("answer", "answer", files=[world.uploaded(b"answer")], case_id=world.case.id)
    await world.send()
    assert await _known(world) == set()
    assert len(world.server.media) == 3

"""Which device a request comes from decides how far it goes: signed, unsigned, another identity, forged."""

from dpobot.model.words import Trust
from tests.flow.conftest import ANNA
from tests.flow.planted import BODY
from tests.flow.stage import Stage, reference


async def test_an_unsigned_device_waits_for_a_human(stage: Stage) -> None:
    """Anna hears that her request is noted, why it waits, and what she can do about it."""
    room_id = await stage.meet(ANNA)
    stage.server.devices[ANNA] = Trust.UNSIGNED
    (answer,) = await stage.ask(room_id, ANNA, "export")
    assert reference([answer])
    assert "not verified" in answer
    assert "verify this device" in answer
    assert await stage.states() == ["review"]
    assert await stage.rows("job") == []
    assert stage.files(room_id) == []


async def test_a_verified_device_is_not_kept_waiting_by_an_unverified_request(stage: Stage) -> None:
    """Whoever asks from an unverified device does not block Anna, who then asks from a verified one."""
    room_id = await stage.meet(ANNA)
    stage.server.devices[ANNA] = Trust.UNSIGNED
    await stage.ask(room_id, ANNA, "export")
    stage.server.devices[ANNA] = Trust.SIGNED
    await stage.ask(room_id, ANNA, "export")
    assert await stage.states() == ["review", "delivered"]
    assert len(stage.files(room_id)) == 1


async def test_an_unverified_device_does_not_cancel_a_verified_request(stage: Stage) -> None:
    """Nor does it confirm, nor write into it: Anna's case goes on as it was."""
    room_id = await stage.meet(ANNA)
    number = reference(await stage.ask(room_id, ANNA, "export"))
    stage.server.devices[ANNA] = Trust.UNSIGNED
    (cancelled,) = await stage.ask(room_id, ANNA, f"cancel {number}")
    (received,) = await stage.ask(room_id, ANNA, f"received {number}")
    assert "verified" in cancelled
    assert "verified" in received
    assert await stage.states() == ["delivered"]
    assert len(stage.files(room_id)) == 1
    await stage.ask(room_id, ANNA, f"{BODY} and more of it")
    assert await stage.rows("case_message") == []


async def test_a_forged_message_does_nothing(stage: Stage) -> None:
    """It comes from no device of Anna's: she is warned, and no case is opened."""
    room_id = await stage.meet(ANNA)
    stage.server.devices[ANNA] = Trust.MISMATCH
    (answer,) = await stage.ask(room_id, ANNA, "export")
    assert "does not come from any of your devices" in answer
    assert await stage.rows("case") == []


async def test_another_identity_waits_for_a_human(stage: Stage) -> None:
    """After a reset, or a take-over, of the account its requests are noted, and nothing is handed out."""
    room_id = await stage.meet(ANNA)
    await stage.ask(room_id, ANNA, "rights")
    stage.server.identities[ANNA] = "another"
    (answer,) = await stage.ask(room_id, ANNA, "export")
    assert "identity has changed" in answer
    assert await stage.states() == ["review"]
    assert stage.files(room_id) == []


async def test_the_first_identity_is_pinned_for_good(stage: Stage) -> None:
    """Neither an unsigned device pins one, nor does a later one replace the first."""
    room_id = await stage.meet(ANNA)
    stage.server.devices[ANNA] = Trust.UNSIGNED
    await stage.ask(room_id, ANNA, "rights")
    assert [person["master_key"] for person in await stage.rows("person")] == [None]
    stage.server.devices[ANNA] = Trust.SIGNED
    await stage.ask(room_id, ANNA, "rights")
    stage.server.identities[ANNA] = "another"
    await stage.ask(room_id, ANNA, "rights")
    assert [person["master_key"] for person in await stage.rows("person")] == [f"master-{ANNA}"]


async def test_a_trust_that_can_not_be_established_now_waits(stage: Stage) -> None:
    """The homeserver does not answer about devices: the message is dealt with once it does."""
    room_id = await stage.meet(ANNA)
    stage.server.faults["trust"] = stage.away(2)
    assert await stage.ask(room_id, ANNA, "export") == []
    await stage.pass_time(seconds=10)
    await stage.pass_time(seconds=20)
    assert await stage.states() == ["delivered"]

"""Who may call what."""

from datetime import UTC, datetime

import pytest

from dpobot.commands.access import PUBLIC, Access, refusal
from dpobot.model.ids import EventId, RoomId, UserId
from dpobot.model.records import Incoming, IncomingKind
from dpobot.model.words import Trust


def _message(trust: Trust, *, encrypted: bool = True, local: bool = True) -> Incoming:
    return Incoming(
        event_id=EventId("$e"),
        room_id=RoomId("!r"),
        sender=UserId("@a:example.org"),
        kind=IncomingKind.TEXT,
        body="x",
        received_at=datetime(2026, 11, 23, tzinfo=UTC),
        encrypted=encrypted,
        trust=trust,
        local=local,
    )


def _code(access: Access, message: Incoming) -> str | None:
    found = refusal(access, message)
    return found.code if found else None


@pytest.mark.parametrize("trust", list(Trust))
def test_what_is_public_is_for_everybody(trust: Trust) -> None:
    """The privacy notice needs no trust and no encryption."""
    assert _code(PUBLIC, _message(trust, encrypted=False, local=False)) is None


@pytest.mark.parametrize("trust", [trust for trust in Trust if trust is not Trust.MISMATCH])
def test_personal_data_needs_an_encrypted_room_and_no_more(trust: Trust) -> None:
    """Anybody may ask; how far the device is trusted decides what happens then."""
    assert _code(Access(), _message(trust)) is None
    assert _code(Access(), _message(trust, encrypted=False)) == "unencrypted_room"


def test_a_forged_message_calls_nothing() -> None:
    """It comes from none of the sender's devices."""
    assert _code(Access(), _message(Trust.MISMATCH)) == "forged"


@pytest.mark.parametrize("trust", [trust for trust in Trust if trust not in (Trust.SIGNED, Trust.MISMATCH)])
def test_some_commands_need_a_verified_device(trust: Trust) -> None:
    """Nothing but cross-signed is enough for them."""
    assert _code(Access(signed=True), _message(trust)) == "untrusted_device"
    assert _code(Access(signed=True), _message(Trust.SIGNED)) is None


def test_some_commands_are_for_accounts_of_this_server() -> None:
    """What only one's own server can do."""
    assert _code(Access(local=True), _message(Trust.SIGNED, local=False)) == "remote_account"
    assert _code(Access(local=True), _message(Trust.SIGNED)) is None

"""What every `Matrix` keeps to: the same tests on the one in memory and on the real session at a real Synapse."""

import secrets
from dataclasses import replace
from pathlib import Path

import pytest

from dpobot.errors import Gone, Rejected
from dpobot.model.words import Trust
from tests.contracts.matrix_stage import NOWHERE, Stage, talking, text
from tests.contracts.matrix_stage import stack as stack
from tests.contracts.matrix_stage import stage as stage
from tests.live.conftest import register as register
from tests.live.conftest import synapse as synapse


async def test_an_invitation_says_what_it_is(stage: Stage) -> None:
    """Who invites, that it is a direct message, that it is encrypted."""
    bot, person = await stage.account("bot"), await stage.account("person")
    room_id = await person.matrix.create_direct(bot.user_id)
    (invite,) = (await bot.matrix.sync(bot.token, 300)).invites
    assert (invite.room_id, invite.inviter, invite.direct, invite.encrypted) == (room_id, person.user_id, True, True)


async def test_what_came_with_the_invitation_is_heard(stage: Stage) -> None:
    """Messages from before the join and after it arrive once each, in order, whatever was synced between."""
    bot, person = await stage.account("bot"), await stage.account("person")
    room_id = await person.matrix.create_direct(bot.user_id)
    await person.say(room_id, "before")
    await bot.sync()
    await bot.matrix.join(room_id)
    await bot.matrix.join(room_id)
    await person.say(room_id, "after")
    assert await bot.hears("before", "after") == ["before", "after"]
    await bot.sync()
    assert bot.texts() == ["before", "after"]


async def test_a_token_gives_the_same_again(stage: Stage) -> None:
    """Whoever did not keep the new token hears everything since the old one once more."""
    bot, person, room_id = await talking(stage)
    await bot.sync()
    kept = bot.token
    await person.say(room_id, "again")
    await bot.hears("again")
    bot.token = kept
    assert await bot.hears("again") == ["again", "again"]


async def test_a_message_says_where_it_comes_from(stage: Stage) -> None:
    """Encrypted, from whom, with keys that lead to a signed device."""
    bot, person, room_id = await talking(stage)
    event_id = await person.say(room_id, "hello")
    await bot.hears("hello")
    (event,) = [event for event in bot.heard if event.event_id == event_id]
    assert (event.sender, event.room_id, event.encrypted, event.undecryptable) == (person.user_id, room_id, True, None)
    answer = await bot.matrix.trust(person.user_id, event.origin, None)
    assert answer.trust is Trust.SIGNED
    assert answer.master_key is not None
    again = await bot.matrix.trust(person.user_id, event.origin, answer.master_key)
    other = await bot.matrix.trust(person.user_id, event.origin, "another")
    clear = await bot.matrix.trust(person.user_id, None, None)
    assert [each.trust for each in (again, other, clear)] == [Trust.SIGNED, Trust.IDENTITY_CHANGED, Trust.CLEARTEXT]


async def test_a_transaction_is_one_event(stage: Stage) -> None:
    """Sending again with the same transaction gives the same event, and nobody hears it twice."""
    bot, person, room_id = await talking(stage)
    first = await bot.say(room_id, "once", "txn")
    assert await bot.say(room_id, "once", "txn") == first
    await bot.say(room_id, "end")
    assert await person.hears("end") == ["once", "end"]


async def test_a_room_says_who_is_there(stage: Stage) -> None:
    """Invited is not joined, and whoever left is neither."""
    bot, person = await stage.account("bot"), await stage.account("person")
    room_id = await bot.matrix.create_direct(person.user_id)
    facts = await bot.matrix.room(room_id)
    assert (facts.encrypted, facts.joined, facts.invited) == (
        True,
        frozenset({bot.user_id}),
        frozenset({person.user_id}),
    )
    assert await bot.matrix.direct_rooms(person.user_id) == [room_id]
    await person.matrix.join(room_id)
    facts = await bot.matrix.room(room_id)
    assert (facts.joined, facts.invited) == (frozenset({bot.user_id, person.user_id}), frozenset())
    assert await bot.matrix.direct_rooms(person.user_id) == [room_id]
    await person.matrix.leave(room_id)
    await person.matrix.leave(room_id)
    await bot.sync()
    facts = await bot.matrix.room(room_id)
    assert (facts.joined, facts.invited) == (frozenset({bot.user_id}), frozenset())
    assert await bot.matrix.direct_rooms(person.user_id) == []


async def test_rooms_that_are_not_ours_are_closed(stage: Stage) -> None:
    """Neither a room that never was nor one that was left can be looked at or written to."""
    bot, _, room_id = await talking(stage)
    await bot.matrix.leave(room_id)
    for closed in (room_id, NOWHERE):
        with pytest.raises(Rejected):
            await bot.matrix.room(closed)
        with pytest.raises(Rejected):
            await bot.matrix.send(closed, text("no"), txn_id=secrets.token_hex(8))
    with pytest.raises(Rejected):
        await bot.matrix.join(NOWHERE)


async def test_nothing_goes_in_clear_but_a_warning(stage: Stage) -> None:
    """In an unencrypted room only the sentence without personal data can be said; encryption needs the power."""
    bot, person = await stage.account("bot"), await stage.account("person")
    room_id = await stage.cleartext_room(person, bot.user_id)
    await bot.matrix.join(room_id)
    assert not (await bot.matrix.room(room_id)).encrypted
    with pytest.raises(Rejected) as refused:
        await bot.say(room_id, "secret")
    assert refused.value.code == "not_encrypted"
    with pytest.raises(Rejected) as powerless:
        await bot.matrix.enable_encryption(room_id)
    assert powerless.value.code == "M_FORBIDDEN"
    await bot.matrix.send_cleartext_warning(room_id, text("warning"), txn_id="warning")
    assert await person.hears("warning") == ["warning"]
    await person.matrix.enable_encryption(room_id)
    assert (await bot.matrix.room(room_id)).encrypted
    await bot.say(room_id, "now")
    assert (await person.hears("now"))[-1] == "now"


async def test_a_file_comes_back_as_it_went(stage: Stage, tmp_path: Path) -> None:
    """Uploaded and downloaded byte by byte; with another hash than the one in the event nothing is handed out."""
    bot = await stage.account("bot")
    path, target = tmp_path / "file", tmp_path / "target"
    path.write_bytes(secrets.token_bytes(100_000))
    file = await bot.matrix.upload_encrypted(path, "application/zip")
    assert file.size == 100_000
    assert await bot.matrix.media_exists(file.url)
    await bot.matrix.download_encrypted(file, target)
    assert target.read_bytes() == path.read_bytes()
    assert await bot.matrix.upload_limit() >= 100_000
    with pytest.raises(Rejected) as too_large:
        await bot.matrix.download_encrypted(file, tmp_path / "large", most=99_999)
    assert (too_large.value.code, (tmp_path / "large").exists()) == ("too_large", False)
    await bot.matrix.download_encrypted(file, target, most=100_000)
    altered = replace(file, hashes={"sha256": "0" * 43})
    with pytest.raises(Rejected) as refused:
        await bot.matrix.download_encrypted(altered, tmp_path / "altered")
    assert (refused.value.code, (tmp_path / "altered").exists()) == ("bad_hash", False)


async def test_what_is_for_two_goes_to_two(stage: Stage) -> None:
    """Whoever else is in the room, or invited, keeps it from being sent at all."""
    bot, person, room_id = await talking(stage)
    both = frozenset({bot.user_id, person.user_id})
    await bot.matrix.send(room_id, text("for you"), txn_id="two", only=both)
    assert (await person.hears("for you"))[-1] == "for you"
    third = await stage.account("third")
    await stage.invite(person, room_id, third.user_id)
    await bot.matrix.room(room_id)
    with pytest.raises(Rejected) as refused:
        await bot.matrix.send(room_id, text("for you"), txn_id="three", only=both)
    assert refused.value.code == "other_members"


async def test_a_medium_that_never_was(stage: Stage) -> None:
    """It does not exist, and can't be downloaded."""
    bot = await stage.account("bot")
    path = Path(__file__)
    file = await bot.matrix.upload_encrypted(path, "text/plain")
    gone = type(file)(type(file.url)(f"{file.url}x"), file.key, file.iv, file.hashes, file.size)
    assert not await bot.matrix.media_exists(gone.url)
    with pytest.raises(Gone):
        await bot.matrix.download_encrypted(gone, path.with_name("never"))


async def test_a_redaction_is_harmless_to_repeat(stage: Stage) -> None:
    """The same redaction twice, and one in a room that was left."""
    bot, _person, room_id = await talking(stage)
    event_id = await bot.say(room_id, "gone")
    for _ in range(2):
        await bot.matrix.redact(room_id, event_id, txn_id="redact")
    await bot.matrix.leave(room_id)
    with pytest.raises(Rejected):
        await bot.matrix.redact(room_id, event_id, txn_id="later")

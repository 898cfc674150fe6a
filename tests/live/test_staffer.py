"""The member of staff of these tests is tested itself: a failure with the bot is the bot's."""

import secrets
from pathlib import Path

import pytest

from tests.live.staffer import Employ, body, in_thread

pytestmark = pytest.mark.live

REFERENCE = "DPO-2026-0042"


async def test_a_member_of_staff_reads_cards_threads_and_files(employ: Employ, tmp_path: Path) -> None:
    """Somebody else plays the bot: card, two edits, a thread with words and a file, a reaction."""
    bot, member = await employ("bot"), await employ("dora")
    room = await bot.furnish(member.user_id, powers={member.user_id: 50})
    bot.bot = bot.user_id
    assert await member.enter(bot.user_id) == room
    root = await bot.say(f"{REFERENCE} · new")
    await bot.edit(root, f"{REFERENCE} · claimed")
    await bot.edit(root, f"{REFERENCE} · closed")
    await bot.say("a line", root)
    (tmp_path / "list.csv").write_bytes(b"a;b")
    await bot.hand_in(tmp_path / "list.csv", "list.csv", root)
    card = await member.card(REFERENCE, "closed")
    file = await member.hear("list.csv", root)
    reaction = await member.react(root, "\U0001f44d")
    await bot.until(lambda: any(event.event_id == reaction for event in bot.client.heard), "the reaction")
    assert (card.event_id, len(member.cards(REFERENCE)), body(card)) == (root, 1, f"{REFERENCE} · new")
    assert [body(event) for event in member.thread(root)] == ["a line", "list.csv"]
    assert await member.fetch(file, tmp_path / "got") == b"a;b"
    assert member.unread() == []


async def test_an_answer_is_what_comes_next_in_that_place(employ: Employ) -> None:
    """What is said elsewhere does not count as an answer."""
    bot, member = await employ("bot"), await employ("dora")
    await bot.furnish(member.user_id)
    await member.enter(bot.user_id)
    root = await bot.say(f"{REFERENCE} · new")
    other = await bot.say("DPO-2026-0043 · new")
    await bot.client.session.send(
        bot.room, {"msgtype": "m.text", "body": "other"} | in_thread(other), txn_id=secrets.token_hex(8)
    )
    await bot.say("an earlier line", root)
    asked = await member.say("claim", root)
    await bot.say("an answer", root)
    answer = await member.next(asked, root)
    assert (body(answer), [body(event) for event in member.main()]) == (
        "an answer",
        [f"{REFERENCE} · new", "DPO-2026-0043 · new"],
    )

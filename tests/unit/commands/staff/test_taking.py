"""``queue``, ``show``, ``claim``, ``assign``, and the reactions that stand for them."""

from datetime import timedelta

import pytest

from dpobot.model.ids import EventId
from dpobot.model.records import IncomingKind, Reply
from dpobot.model.words import CaseState, Kind
from tests.unit.commands.staff.conftest import Member, Office, text_of, values_of


async def test_the_queue_is_numbered_and_a_number_shows_the_case(office: Office, dora: Member) -> None:
    """The soonest due first."""
    first = await office.opens()
    office.waits(timedelta(days=3))
    second = await office.opens(Kind.SECURITY)
    (queue,) = await dora.says("queue")
    assert [case["reference"] for case in values_of(queue)["cases"]] == [first.reference, second.reference]
    assert text_of(queue).index(f"1. {first.reference}") < text_of(queue).index(f"2. {second.reference}")
    (shown,) = await dora.says("2")
    assert values_of(shown)["case"]["reference"] == second.reference
    assert await dora.hears("3") == ["staff/refusal_no_such_choice"]


async def test_the_queues(office: Office, dora: Member, emil: Member) -> None:
    """Open, due within a week, one's own, all."""
    old = await office.opens()
    office.waits(timedelta(days=27))
    mine, over = await office.opens(), await office.opens()
    await dora.says("claim", mine)
    await office.moves(over, CaseState.WITHDRAWN)

    async def listed(word: str) -> set[str]:
        (queue,) = await dora.says(f"queue {word}")
        return {case["reference"] for case in values_of(queue)["cases"]}

    assert await listed("") == await listed("open") == {old.reference, mine.reference}
    assert await listed("due") == {old.reference}
    assert await listed("mine") == {mine.reference}
    assert await listed("all") == {old.reference, mine.reference, over.reference}
    assert await emil.hears("queue mine") == ["staff/queue"]
    assert "There is none." in emil.heard[-1]


async def test_a_number_of_somebody_elses_list_is_talk(office: Office, dora: Member, emil: Member) -> None:
    """The list was shown to who asked for it."""
    await office.opens()
    await dora.says("queue")
    assert await emil.says("1") == []


async def test_show_has_all_that_was_written(office: Office, dora: Member) -> None:
    """The words of all sides, cut where they are long."""
    case = await office.opens()
    await dora.says("reply Hello Ada", case)
    await dora.says("remember " + "x" * 5000, case)
    (shown,) = await dora.says("show", case)
    messages = values_of(shown)["messages"]
    assert [(each["direction"], each["cut"]) for each in messages] == [("reply", False), ("note", True)]
    assert "Hello Ada" in text_of(shown)


async def test_show_of_a_flood_stays_a_message(office: Office, dora: Member) -> None:
    """The newest words are shown, and that there are more is said."""
    case = await office.opens()
    for number in range(40):
        await dora.says(f"word {number} " + "x" * 1000, case)
    (shown,) = await dora.says("show", case)
    assert values_of(shown)["left_out"] is True
    assert "word 39" in text_of(shown)
    assert "word 9 " not in text_of(shown)


async def test_claim(office: Office, dora: Member, emil: Member) -> None:
    """The first has it; the second is told who; again by oneself is harmless."""
    case = await office.opens()
    assert await dora.hears("claim", case) == ["staff/claimed"]
    assert await emil.hears("claim", case) == ["staff/refusal_claimed"]
    assert dora.user_id in emil.heard[-1]
    assert await dora.hears("claim", case) == ["staff/claimed"]
    assert (await office.case(case)).assignee == dora.user_id


async def test_a_case_that_is_over_is_not_claimed(office: Office, dora: Member) -> None:
    """Who ended it is said."""
    case = await office.moves(await office.opens(), CaseState.WITHDRAWN)
    assert await dora.hears("claim", case) == ["staff/refusal_case_over"]
    assert "withdrawn" in dora.heard[-1]


async def test_assign(office: Office, dora: Member, emil: Member) -> None:
    """To a full user ID of somebody who is staff now, to oneself, to nobody; who gets it is notified."""
    case = await office.opens()
    (reply,) = await dora.says(f"assign {emil.user_id}", case)
    assert isinstance(reply, Reply)
    assert reply.mentions == (emil.user_id,)
    assert (await office.case(case)).assignee == emil.user_id
    await dora.says("assign me", case)
    assert (await office.case(case)).assignee == dora.user_id
    await dora.says("assign nobody", case)
    assert (await office.case(case)).assignee is None


@pytest.mark.parametrize(
    "who", ["emil", "@emil", "@EMIL:example.org", "@emil:example.org.evil", "@ada:example.org", "@еmil:example.org"]  # noqa: RUF001 the look-alike is the point
)  # fmt: skip
async def test_assign_compares_full_user_ids(office: Office, dora: Member, who: str) -> None:
    """Nobody who is not staff, however they are called."""
    case = await office.opens()
    assert await dora.hears(f"assign {who}", case) == ["staff/refusal_not_on_staff"]
    assert (await office.case(case)).assignee is None


async def test_assign_to_who_was_mentioned(office: Office, dora: Member, emil: Member) -> None:
    """Clients write a display name; the user ID stands in m.mentions, and only that counts."""
    case = await office.opens()
    mention = {"msgtype": "m.text", "m.mentions": {"user_ids": [emil.user_id]}}
    assert await dora.hears("assign Dora", case, content=mention) == ["staff/assigned"]
    assert (await office.case(case)).assignee == emil.user_id
    stranger = {"msgtype": "m.text", "m.mentions": {"user_ids": ["@ada:example.org"]}}
    assert await dora.hears("assign Emil", case, content=stranger) == ["staff/refusal_not_on_staff"]


@pytest.mark.parametrize(
    ("key", "template"),
    [("✋", "claimed"), ("🙋\ufe0f", "claimed"), ("✋🏽", "claimed"), ("👀", "show"), ("👀\ufe0f", "show"),
     ("➡️", "nothing_next"), ("⏭️", "nothing_next"), ("✅", "approval_by_reaction"),
     ("👍🏾", "approval_by_reaction"), ("✔️", "approval_by_reaction")],
)  # fmt: skip
async def test_reactions_to_a_card(office: Office, dora: Member, key: str, template: str) -> None:
    """Shortcuts for what can be undone; an approving one gets the sentence, and nothing happens."""
    case = await office.opens()
    assert await dora.reacts(key, case) == [f"staff/{template}"]
    assert (await office.case(case)).state is CaseState.REVIEW


@pytest.mark.parametrize("key", ["❤️", "", "approve", "🎉", "🗑️"])
async def test_other_reactions_do_nothing(office: Office, dora: Member, key: str) -> None:
    """Whatever their key says."""
    case = await office.opens()
    assert await dora.reacts(key, case) == []
    assert await office.case(case) == case


async def test_a_reaction_to_anything_but_a_card_does_nothing(office: Office, dora: Member) -> None:
    """A message in a thread, another room's card, an event without a relation."""
    case = await office.opens()
    content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$other", "key": "✋"}}
    assert await dora.says("", case, kind=IncomingKind.REACTION, content=content) == []
    assert await dora.says("", case, kind=IncomingKind.REACTION, content={}) == []
    assert await dora.says("", case, kind=IncomingKind.REACTION, content={"m.relates_to": {"key": "✋"}}) == []
    assert await dora.reacts("✋", case, room_id="!other:example.org") == []
    assert (await office.case(case)).assignee is None


async def test_a_forged_approval_by_reaction(office: Office, dora: Member) -> None:
    """A reaction to the card after the plan was shown, even with the code as its key, approves nothing."""
    case = await office.opens()
    code = await dora.code_of("approve", case)
    assert await dora.reacts(code, case) == []
    assert await dora.reacts("👍", case, event_id=EventId("$forged")) == ["staff/approval_by_reaction"]
    assert (await office.case(case)).state is CaseState.REVIEW


async def test_next_shows_what_needs_somebody(office: Office, dora: Member) -> None:
    """Behind the case at hand."""
    first = await office.opens()
    office.waits(timedelta(days=1))
    second = await office.opens()
    assert await dora.reacts("➡️", first) == ["staff/show"]
    assert second.reference in dora.heard[-1]

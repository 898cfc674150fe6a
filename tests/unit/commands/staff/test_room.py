"""What is about no single case: the register, figures, breach mode, the notice, help."""

import io
import json
from datetime import timedelta

import pytest
from PIL import Image

from dpobot.audit import trail
from dpobot.commands import chart
from dpobot.commands.spec import StaffCommand
from dpobot.commands.staff_registry import StaffRegistry
from dpobot.model.ids import UserId
from dpobot.model.records import Reply
from dpobot.model.words import Kind, Trust
from dpobot.store import audit_rows, bot_state, people
from dpobot.store.database import Tx
from tests.unit.commands.staff.conftest import ADA, Member, Office, text_of, values_of


async def _state(office: Office, key: str) -> str | None:
    return await office.read(lambda tx: bot_state.get(tx, key))


async def test_the_trail_of_a_case(office: Office, dora: Member) -> None:
    """Who did what; nothing that anybody wrote."""
    case = await office.opens(Kind.QUESTION)
    await dora.says("claim", case)
    await dora.says("reply Hello zebra.", case)
    (shown,) = await dora.says(f"trail {case.reference}")
    assert [row["action"] for row in values_of(shown)["rows"]] == ["case.opened", "case.claimed", "case.replied"]
    assert "zebra" not in text_of(shown)
    assert dora.user_id in text_of(shown)


async def test_a_long_trail_comes_as_a_file(office: Office, dora: Member) -> None:
    """Whole, with what the chain covers."""
    case = await office.opens()
    for number in range(50):
        await dora.says(f"note {number}", case)
    (shown,) = await dora.says("trail", case)
    assert isinstance(shown, Reply)
    assert shown.attachment is not None
    rows = [json.loads(line) for line in shown.attachment.data.decode().splitlines()]
    expected = (await office.read(lambda tx: audit_rows.of_case(tx, case.id)))[:-1]  # then this look was recorded
    assert [row["hash"] for row in rows] == [row.hash for row in expected]
    assert (len(values_of(shown)["rows"]), values_of(shown)["left_out"]) == (40, len(expected) - 40)


async def test_the_register_is_a_file_without_names(office: Office, dora: Member) -> None:
    """Both days included; reading it is recorded."""
    case = await office.opens()
    (reply,) = await dora.says("register 2026-11-23 2026-11-23")
    assert isinstance(reply, Reply)
    assert reply.attachment is not None
    assert (reply.attachment.name, reply.attachment.media_type) == (
        "register-2026-11-23-2026-11-23.csv",
        "text/csv",
    )
    text = reply.attachment.data.decode()
    assert case.reference in text
    assert ADA not in text
    (empty,) = await dora.says("register 2025 2025")
    assert isinstance(empty, Reply)
    assert empty.attachment is not None
    assert empty.attachment.name == "register-2025-01-01-2025-12-31.csv"
    assert case.reference not in empty.attachment.data.decode()


@pytest.mark.parametrize(
    ("said", "code"),
    [("register", "missing_words"), ("register 2026", "missing_words"), ("register soon later", "bad_date"),
     ("register 2026-05-01 2026-04-01", "empty_period")],
)  # fmt: skip
async def test_a_register_needs_a_time(dora: Member, said: str, code: str) -> None:
    """From when, until when."""
    assert await dora.hears(said) == [f"staff/refusal_{code}"]


async def test_stats_count_and_draw(office: Office, dora: Member) -> None:
    """By kind, with medians and a picture that is one."""
    done, _, _ = await office.opens(), await office.opens(), await office.opens(Kind.SECURITY)
    office.waits(timedelta(days=4))
    await dora.says("close Done.", done)
    (stats,) = await dora.says("stats")
    assert isinstance(stats, Reply)
    assert stats.attachment is not None
    by_kind = {row["kind"]: row for row in values_of(stats)["kinds"]}
    expected = {"kind": "complaint", "open": 1, "overdue": 0, "closed": 1, "days": 4.0}
    assert by_kind["complaint"] == expected
    image = Image.open(io.BytesIO(stats.attachment.data))
    assert (image.format, image.width) == ("PNG", 640)
    assert len(stats.attachment.data) < 20_000


async def test_stats_of_nothing(dora: Member) -> None:
    """No picture."""
    (stats,) = await dora.says("stats")
    assert isinstance(stats, Reply)
    assert stats.attachment is None


def test_what_is_there_is_drawn() -> None:
    """One overdue case among thousands is seen."""
    assert dict(chart.lengths(chart.Bar("export", 9_999, 1, 0), 10_000))["overdue"] == 2
    assert dict(chart.lengths(chart.Bar("export", 0, 0, 0), 10_000)) == {"open": 0, "overdue": 0, "closed": 0}
    assert chart.png([]).startswith(b"\x89PNG")


async def test_breach_mode_begins_at_once(office: Office, dora: Member, emil: Member) -> None:
    """Without a code; with the 72-hour moment; ended only by a code."""
    assert await dora.hears("resume-deliveries") == ["staff/refusal_deliveries_not_paused"]
    assert await dora.hears("pause-deliveries for a suspected break-in") == ["staff/deliveries_paused"]
    assert "26 November 2026, 09:00 UTC" in dora.heard[-1]
    assert await _state(office, bot_state.DELIVERIES_PAUSED) == office.now.isoformat()
    assert await emil.hears("pause-deliveries now") == ["staff/refusal_deliveries_paused_already"]
    code = await emil.code_of("resume-deliveries")
    assert await _state(office, bot_state.DELIVERIES_PAUSED) is not None
    assert await dora.hears(f"resume-deliveries {code}") == ["staff/refusal_code_not_yours"]
    assert await emil.hears(f"resume-deliveries {code}") == ["staff/deliveries_resumed"]
    assert await _state(office, bot_state.DELIVERIES_PAUSED) is None


async def test_another_stop_is_not_ended_by_an_old_code(office: Office, dora: Member, emil: Member) -> None:
    """The plan is the stop that was shown."""
    await dora.says("pause-deliveries suspected break-in")
    old = await dora.code_of("resume-deliveries")
    await emil.says(await emil.code_of("resume-deliveries"))
    office.waits(timedelta(minutes=1))
    await emil.says("pause-deliveries it is one")
    assert await dora.hears(old) == ["staff/refusal_plan_changed"]
    assert await _state(office, bot_state.DELIVERIES_PAUSED) is not None


async def _greet(tx: Tx, *user_ids: str) -> None:
    for user_id in user_ids:
        await people.ensure(tx, UserId(user_id), Office.now)
        await people.mark_greeted(tx, UserId(user_id), Office.now)


async def test_announcing_a_notice(office: Office, dora: Member) -> None:
    """How many people would be told; then they are, once."""
    await office.write(lambda tx: _greet(tx, "@zoe:example.org", "@ada:elsewhere.example"))
    (plan,) = await dora.says("notice announce 2026-11-22")
    assert values_of(plan)["plan"]["count"] == 2
    assert await _state(office, bot_state.ANNOUNCING) is None
    assert await dora.hears(values_of(plan)["code"]) == ["staff/announcing"]
    assert (await _state(office, bot_state.ANNOUNCING) or "").partition(" ")[::2] == ("2026-11-22", "")
    assert await dora.hears("notice announce 2026-11-22") == ["staff/refusal_announcing"]
    assert await dora.hears("notice announce 1999") == ["staff/refusal_unknown_version"]


async def test_somebody_new_changes_the_plan(office: Office, dora: Member) -> None:
    """The number that was shown is what was agreed to."""
    code = await dora.code_of("notice announce 2026-11-22")
    await office.write(lambda tx: _greet(tx, "@zoe:example.org"))
    assert await dora.hears(code) == ["staff/refusal_plan_changed"]


async def test_what_is_no_cases_is_recorded(office: Office, dora: Member) -> None:
    """Breach mode, the register, an announcement: each has its row."""
    await dora.says("pause-deliveries suspected break-in")
    await dora.says(await dora.code_of("resume-deliveries"))
    await dora.says("register 2026 2026")
    await dora.says(await dora.code_of("notice announce 2026-11-22"))
    seen = await office.read(_actions)
    assert seen == ["deliveries.paused", "deliveries.resumed", "register.read", "notice.announced"]


async def _actions(tx: Tx) -> list[str]:
    return [row.action async for row in audit_rows.rows(tx)]


async def test_help_has_every_command(dora: Member, staff_registry: StaffRegistry) -> None:
    """Made from the commands themselves."""
    (reply,) = await dora.says("help")
    assert [command.usage for command in staff_registry.values() if f"`{command.usage}`" not in text_of(reply)] == []


async def test_help_of_each_command_has_an_example(dora: Member, staff_registry: StaffRegistry) -> None:
    """Also of those of two words."""
    for name in staff_registry:
        assert await dora.hears(f"help {name}") == ["staff/help_command"]
    assert await dora.hears("help refuse") == ["staff/help_command"]
    assert "`identity`" in dora.heard[-1]
    assert await dora.hears("help frobnicate") == ["staff/help"]


def test_all_staff_commands_of_the_product(staff_registry: StaffRegistry) -> None:
    """As the product's table has them."""
    expected = {
        "queue", "show", "claim", "assign", "approve", "refuse", "extend", "pause", "resume", "verify", "reply", "undo",
        "note", "hold", "release", "attach", "assess", "assess agree", "open", "close", "trail", "stats", "register",
        "notice announce", "pause-deliveries", "resume-deliveries", "help", "plan", "retry", "retry skip",
        "exceptional", "lift", "notices", "notify",
    }  # fmt: skip
    assert set(staff_registry) == expected


def test_what_can_not_be_undone_takes_a_code(staff_registry: StaffRegistry) -> None:
    """These, and no reaction, number or single word, do them."""
    expected = {"approve", "refuse", "assess agree", "notice announce", "resume-deliveries", "retry skip", "notify"}
    assert {name for name, command in staff_registry.items() if command.plan} == expected


def test_a_command_has_something_to_do() -> None:
    """Else it can't be registered; nor can two of one name."""

    async def run(*_: object) -> list[Reply]:
        return []

    async def plan(*_: object) -> dict[str, object]:
        return {}

    for command in (
        StaffCommand("x", "x"),
        StaffCommand("x", "x", plan=plan),
        StaffCommand("x", "x", run=run, plan=plan, perform=run),
    ):
        with pytest.raises(ValueError, match=r"run\(\)"):
            StaffRegistry([command])
    with pytest.raises(ValueError, match="belongs to x already"):
        StaffRegistry([StaffCommand("x", "x", run=run), StaffCommand("y", "y", run=run, aliases=("X",))])


def test_summaries_stand_behind_a_colon(staff_registry: StaffRegistry) -> None:
    """One sentence without its full stop."""
    assert [name for name, each in staff_registry.items() if not each.summary or each.summary[-1] == "."] == []


async def test_hostile_words_stay_words(office: Office, dora: Member) -> None:
    """Markup, mentions and directions of what staff type come out harmless where it is repeated."""
    case = await office.opens(trust=Trust.UNSIGNED)
    hostile = "<b>@room</b> \u202e<img src=x> [x](https://evil.example)"
    for said in (
        f"reply {hostile}",
        f"verify {hostile}",
        f"claim {hostile}",
        f"open {hostile}",
        f"refuse fraud {hostile}",
    ):
        for outcome in await dora.says(said, case):
            assert "\u202e" not in text_of(outcome)
    assert await office.read(lambda tx: trail.of_case(tx, case.id)) != []

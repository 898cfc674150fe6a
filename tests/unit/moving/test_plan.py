"""What is foreseen for an account follows from the parcel and from what the account has; nothing of its own is lost."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dpobot.moving.direct import marked
from dpobot.moving.item import SECTIONS, Verdict
from dpobot.moving.parcel import Parcel
from dpobot.moving.plan import foreseen, items
from dpobot.moving.present import Present
from dpobot.moving.push_rules import STANDARD, tuned
from dpobot.moving.rooms import through
from dpobot.moving.settings import merged

ME = "@me:new.example"
OLD = "@me:old.example"
RULES = ("public", "knock", "invite", "restricted", "knock_restricted", "private", None)


def parcel(**parts: Any) -> Parcel:
    """Return a parcel with these parts."""
    return Parcel.model_validate({"format": "dpobot.portable", "version": "1.0", "user_id": OLD, **parts})


def room(number: int, rule: str | None, **more: Any) -> dict[str, Any]:
    return {"room_id": f"!{number}:old.example", "join_rule": rule, "tags": {"u.x": {}}, **more}


def planned(of: Parcel, present: Present | None = None, **options: Any) -> dict[str, tuple[Verdict, str]]:
    """Return verdict and reason of each item."""
    lines = foreseen(items(of, **options), present or Present(ME))
    return {line.item.key: (line.standing.verdict, line.standing.why) for line in lines}


def test_each_join_rule_has_its_way() -> None:
    """Joined, tried, knocked at, or in need of an invitation; a room that was left is no item."""
    rooms = [room(number, rule) for number, rule in enumerate(RULES)] + [room(9, "public", membership="leave")]
    said = planned(parcel(rooms=rooms), only=["rooms"])
    invitation = f"needs an invitation: invite {ME} with {OLD}; then run the same command again"
    assert {key: why for key, (_, why) in said.items()} == {
        "rooms/!0:old.example": "join",
        "rooms/!1:old.example": "knock",
        "rooms/!2:old.example": invitation,
        "rooms/!3:old.example": "try to join",
        "rooms/!4:old.example": "try to join",
        "rooms/!5:old.example": invitation,
        "rooms/!6:old.example": "try to join",
    }
    assert list(said)[-2:] == ["rooms/!3:old.example", "rooms/!4:old.example"]  # after those that they hang on


def test_what_belongs_to_a_room_follows_its_join() -> None:
    """A tag is planned where the join is planned, and skipped where it is not or was only knocked."""
    said = planned(parcel(rooms=[room(0, "public"), room(1, "invite"), room(2, "knock")]), only=["rooms", "tags"])
    assert {key: verdict for key, (verdict, _) in said.items() if key.startswith("tags")} == {
        "tags/!0:old.example/u.x": Verdict.WILL,
        "tags/!1:old.example/u.x": Verdict.SKIPPED,
        "tags/!2:old.example/u.x": Verdict.SKIPPED,
    }


def test_an_invitation_opens_any_room() -> None:
    """Also a private one, and one that was knocked at."""
    present = Present(ME, invited={"!0:old.example", "!1:old.example"})
    said = planned(parcel(rooms=[room(0, "invite"), room(1, "knock")]), present)
    assert set(said.values()) == {(Verdict.WILL, "accept the invitation"), (Verdict.WILL, "set it")}


def test_the_name_that_a_server_gave_is_no_name_of_ones_own() -> None:
    """Only what the person chose stays."""
    given_name = parcel(profile={"displayname": "Me"})
    said = [planned(given_name, Present(ME, displayname=name))["profile/displayname"][0] for name in ("me", "", "Mine")]
    assert said == [Verdict.WILL, Verdict.WILL, Verdict.SKIPPED]


def test_the_ignore_list_never_holds_the_new_account() -> None:
    """Somebody who once ignored the account that they move to."""
    present = Present(ME, account_data={"m.ignored_user_list": {"ignored_users": {"@a:x": {}}}})
    assert planned(parcel(ignored=[ME, "@a:x"]), present)["ignored"][0] is Verdict.THERE
    assert planned(parcel(ignored=[ME, "@b:x"]), present)["ignored"] == (Verdict.WILL, "add 1")


def test_a_server_s_own_rules_are_left_to_the_server() -> None:
    """Unchanged standard rules, unknown ones, and own rules that pretend to be standard are no items."""
    rules = [
        {"kind": "underride", "rule_id": ".m.rule.message", "default": True, "actions": ["notify"]},
        {"kind": "override", "rule_id": ".org.example.rule", "default": True, "actions": []},
        {"kind": "override", "rule_id": ".sneaky", "default": False, "actions": []},
        {"kind": "postcontent", "rule_id": "x", "default": False, "actions": []},
    ]
    assert planned(parcel(push_rules=rules)) == {}


def test_the_same_tune_in_other_words_is_the_same() -> None:
    """``highlight: false`` is none, and without a value it is one."""
    spoken = ["notify", {"set_tweak": "sound", "value": "default"}, {"set_tweak": "highlight", "value": False}]
    assert tuned(True, spoken) == STANDARD[".m.rule.room_one_to_one"]
    assert tuned(True, ["notify", {"set_tweak": "highlight"}]) == STANDARD[".m.rule.roomnotif"]


def test_sections_can_be_chosen() -> None:
    """Only they are planned, and their names are the documented ones."""
    whole = parcel(
        profile={"displayname": "Me"},
        ignored=["@a:x"],
        rooms=[room(0, "public", account_data={"m.marked_unread": {"unread": True}})],
        direct={"@b:x": ["!0:old.example"]},
        push_rules=[{"kind": "room", "rule_id": "!0:old.example", "actions": []}],
        account_data={"im.vector.web.settings": {"a": 1}},
    )
    assert list(dict.fromkeys(item.section for item in items(whole))) == list(SECTIONS)
    assert {item.section for item in items(whole, ["tags", "ignored"])} == {"tags", "ignored"}


def test_servers_to_join_through_are_named_in_both_ways() -> None:
    """For servers before and after version 1.12 of the specification."""
    assert through(["a", "b"]) == {"via": "a\nb", "server_name": "a\nb"}
    assert through([]) == {}


_content = st.dictionaries(st.text(max_size=3), st.integers())
_rooms = st.lists(st.sampled_from(["!a", "!b", "!c"]), max_size=3, unique=True)
_direct = st.dictionaries(st.sampled_from(["@x", "@y"]), _rooms)


@given(_content, _content)
def test_merging_loses_nothing_and_comes_to_rest(own: dict[str, int], brought: dict[str, int]) -> None:
    """The account's own values win, all that is brought and missing is added, and again changes nothing."""
    made = merged(own, brought)
    assert {key: made[key] for key in own} == own
    assert made.keys() == own.keys() | brought.keys()
    assert merged(made, brought) == made


@given(_direct, _direct, st.sets(st.sampled_from(["!a", "!b", "!c"])))
def test_marks_of_direct_messages_are_added_only_for_rooms_that_one_is_in(
    own: dict[str, list[str]], brought: dict[str, list[str]], joined: set[str]
) -> None:
    """What the account had marked stays, whatever the parcel says."""
    present = Present(ME, joined=joined, account_data={"m.direct": own})
    made = marked(present, brought)
    assert all(made[user][: len(rooms)] == rooms for user, rooms in own.items())
    added = {room for user, rooms in made.items() for room in rooms[len(own.get(user, [])) :]}
    assert added <= joined
    assert marked(Present(ME, joined=joined, account_data={"m.direct": made}), brought) == made


@given(st.lists(st.sampled_from(RULES), max_size=5), _direct)
def test_a_plan_that_was_carried_out_leaves_nothing_to_plan(
    rules: list[str | None], direct: dict[str, list[str]]
) -> None:
    """What each item assumes is what the next look at the account would find; the look itself changes nothing."""
    whole = parcel(
        profile={"displayname": "Me", "fields": {"m.tz": "UTC"}},
        rooms=[room(number, rule) for number, rule in enumerate(rules)],
        direct=direct,
        ignored=["@a:x"],
        account_data={"im.vector.web.settings": {"a": 1}},
    )
    present, moving = Present(ME), items(whole)
    untouched = copy.deepcopy(present)
    foreseen(moving, present)
    assert present == untouched
    for item in moving:
        if item.foresee(present).verdict is Verdict.WILL:
            item.assume(present)
    left = {line.standing.verdict for line in foreseen(moving, present)}
    assert left <= {Verdict.THERE, Verdict.SKIPPED}

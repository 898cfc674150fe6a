"""An account moves to another homeserver: what arrived, item by item, asked of both real servers."""

import argparse
import json
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dpobot.moving import command
from dpobot.moving.push_rules import STANDARD, as_tuned
from dpobot.moving.signing import DEVICE_ID
from dpobot.moving.stopped import ImportStopped
from tests.live.federation import running
from tests.live.http import Client
from tests.live.moving import PIXEL, SETTINGS, Life, in_a_process, lived, rough_way, state_of

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
async def life(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Life]:
    """Two homeservers, and on the first an account that was lived in, with its archive."""
    folder = tmp_path_factory.mktemp("moving")
    async with running(folder) as both:
        yield await lived(both, folder)


@dataclass
class New:
    """An account on the other server, and how to import into it."""

    client: Client
    life: Life
    folder: Path

    @property
    def arguments(self) -> list[str]:
        password = self.folder / "password"
        password.write_text(self.client.credentials.password)
        password.chmod(0o600)
        where = ["--user", self.client.user_id, "--password-file", str(password)]
        return [str(self.life.archive), *where, "--state", str(self.folder / "state.jsonl")]

    async def run(self, *more: str, homeserver: str | None = None) -> int:
        """Import within this process."""
        parser = argparse.ArgumentParser()
        command.arguments(parser)
        url = homeserver or self.life.both.away.url
        return await command.run(parser.parse_args([*self.arguments, "--homeserver", url, *more]))


async def newcomer(life: Life, name: str, folder: Path) -> New:
    client = await life.both.far_away(name)
    (folder / name).mkdir()
    return New(client, life, folder / name)


def verdicts(output: str) -> dict[str, str]:
    """Return the verdict of each item of a report in JSON."""
    return {line["item"]: line["verdict"] for line in json.loads(output)}


def expected(life: Life, verdict: str) -> dict[str, str]:
    """Return what must become of each item in a new account; ``verdict``: of what can be carried over."""
    rooms = life.rooms
    can, can_t = verdict, "skipped"
    return {
        "profile/displayname": can,
        "profile/avatar": can,
        "profile/field/m.tz": can,
        "ignored": can,
        f"rooms/{rooms['public']}": can,
        f"rooms/{rooms['talk']}": can,
        f"rooms/{rooms['knock']}": can,
        f"rooms/{rooms['restricted']}": can,
        f"rooms/{rooms['private']}": can_t,
        f"rooms/{rooms['direct']}": can_t,
        "direct": can,
        f"direct/{life.ben.user_id}": "was there",  # through the room that is open
        "push_rules/override/.m.rule.suppress_notices": can,
        "push_rules/underride/.m.rule.message": can,
        "push_rules/override/first": can,
        "push_rules/override/second": can,
        "push_rules/content/cake": can,
        f"push_rules/room/{rooms['public']}": can,
        f"settings/{SETTINGS}": can,
        f"tags/{rooms['public']}/m.favourite": can,
        f"tags/{rooms['private']}/m.favourite": can_t,
        f"tags/{rooms['knock']}/m.favourite": can_t,
        f"room_settings/{rooms['public']}/m.marked_unread": can,
    }


def standard_rules(state: dict[str, Any]) -> dict[str, Any]:
    """Return what the standard rules of an account do."""
    return {rule["rule_id"]: as_tuned(rule) for rules in state["push_rules"].values() for rule in rules}


async def test_a_dry_run_says_what_it_would_do_and_changes_nothing(
    life: Life, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Account, devices and disk are as before; each item has its verdict; nothing of the archive moves the cursor."""
    new = await newcomer(life, "dry", tmp_path)
    before = await state_of(new.client, devices=True)
    assert await new.run("--dry-run", "--json") == 0
    planned = capsys.readouterr().out
    assert await new.run("--dry-run") == 0
    text = capsys.readouterr().out
    assert verdicts(planned) == expected(life, "planned")
    assert await state_of(new.client, devices=True) == before
    assert not (new.folder / "state.jsonl").exists()
    assert f"needs an invitation: invite {new.client.user_id} with {life.anna.user_id}" in text
    assert f"or ask {life.ben.user_id}" in text
    assert "1 rooms that you had left are not joined." in text
    assert "\x1b" not in text
    standard = standard_rules(before)
    assert {rule: standard[rule] for rule in STANDARD if rule in standard} == {
        rule: tune for rule, tune in STANDARD.items() if rule in standard
    }


async def test_everything_arrives_item_by_item(life: Life, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the report says is what both servers answer; a second run finds everything there; no session stays."""
    new = await newcomer(life, "whole", tmp_path)
    assert await new.run("--json") == 0
    printed = capsys.readouterr()
    assert verdicts(printed.out) == expected(life, "done")
    state, rooms, old = await state_of(new.client, devices=True), life.rooms, await state_of(life.anna)
    assert state["profile"] == {"displayname": "Anna Lived", "m.tz": "Europe/London"}
    assert state["picture"] == PIXEL
    assert state["rooms"] == {
        "join": sorted([rooms["public"], rooms["talk"], rooms["restricted"]]),
        "knock": [rooms["knock"]],
    }
    assert state["account_data"] == {
        "m.direct": {life.ben.user_id: [rooms["talk"]]},
        "m.ignored_user_list": old["account_data"]["m.ignored_user_list"],
        SETTINGS: {"theme": "dark", "showReadReceipts": False},
    }
    assert state["room_data"][rooms["public"]] == {
        "m.tag": {"tags": {"m.favourite": {"order": 0.25}}},
        "m.marked_unread": {"unread": True},
    }
    assert own_rules(state) == own_rules(old)
    assert standard_rules(state) == standard_rules(old)
    assert DEVICE_ID not in state["devices"]
    members = {name: await memberships(life.ben, rooms[name], new.client.user_id) for name in rooms}
    assert members == dict.fromkeys(("public", "talk", "restricted"), "join") | {"knock": "knock"} | dict.fromkeys(
        ("private", "direct", "left"), None
    )
    for secret in (new.client.credentials.password, new.client.credentials.access_token, "PLANTED"):
        assert secret not in printed.out + printed.err + (new.folder / "state.jsonl").read_text()
    assert (new.folder / "state.jsonl").stat().st_mode & 0o777 == 0o600
    assert await new.run("--json") == 0
    assert verdicts(capsys.readouterr().out) == expected(life, "done")
    (new.folder / "state.jsonl").unlink()  # without it the account itself tells
    assert await new.run("--json") == 0
    assert verdicts(capsys.readouterr().out) == expected(life, "was there") | {"profile/avatar": "skipped"}
    assert await state_of(new.client, devices=True) == state


def own_rules(state: dict[str, Any]) -> dict[str, Any]:
    """Return the rules that somebody made, in their order."""
    return {kind: [rule for rule in rules if not rule["default"]] for kind, rules in state["push_rules"].items()}


async def comparable(client: Client) -> dict[str, Any]:
    """Return an account's state without the standard rules' patterns, which name the account."""
    state = await state_of(client)
    return state | {"push_rules": (own_rules(state), standard_rules(state))}


async def memberships(client: Client, room: str, user: str) -> str | None:
    """Return somebody's membership as the client's server knows it."""
    events = (await client.get("rooms", room, "members"))["chunk"]
    return next((event["content"]["membership"] for event in events if event["state_key"] == user), None)


async def test_what_the_account_has_stays(life: Life, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its name, settings, tags, rules and marks: only what is missing is added."""
    new = await newcomer(life, "own", tmp_path)
    user, room = ("user", new.client.user_id), life.rooms["public"]
    await new.client.put("profile", new.client.user_id, "displayname", body={"displayname": "My own"})
    await new.client.put(*user, "account_data", SETTINGS, body={"theme": "light"})
    await new.client.put(*user, "account_data", "m.direct", body={life.ben.user_id: ["!own:example.org"]})
    rules = ("pushrules", "global")
    await new.client.put(*rules, "override", ".m.rule.suppress_notices", "actions", body={"actions": ["notify"]})
    await new.client.put(*rules, "content", "cake", body={"pattern": "cakes", "actions": []})
    await new.client.call("POST", f"/_matrix/client/v3/join/{room}?via={life.both.home.server_name}", {})
    await new.client.put(*user, "rooms", room, "tags", "m.favourite", body={"order": 0.75})
    assert await new.run("--json") == 0
    came = verdicts(capsys.readouterr().out)
    state = await state_of(new.client)
    assert {key for key, verdict in came.items() if verdict != expected(life, "done")[key]} == {
        "profile/displayname",
        "push_rules/override/.m.rule.suppress_notices",
        "push_rules/content/cake",
        f"rooms/{room}",
        f"tags/{room}/m.favourite",
    }
    assert state["profile"]["displayname"] == "My own"
    assert state["account_data"][SETTINGS] == {"theme": "light", "showReadReceipts": False}
    assert state["account_data"]["m.direct"] == {life.ben.user_id: ["!own:example.org", life.rooms["talk"]]}
    assert state["room_data"][room]["m.tag"] == {"tags": {"m.favourite": {"order": 0.75}}}
    assert standard_rules(state)[".m.rule.suppress_notices"] == (True, (True, None, False))


async def test_a_run_that_is_killed_again_and_again_comes_to_the_same_end(life: Life, tmp_path: Path) -> None:
    """Every third request is refused for now, the process dies after changes that it never heard of; and yet."""
    smooth, rough = await newcomer(life, "smooth", tmp_path), await newcomer(life, "rough", tmp_path)
    assert await smooth.run() == 0
    async with rough_way(life.both.away.url) as way:
        statuses = []
        for changes in (2, 5, 9, None):
            way.kill_after = changes
            status, output, progress = await in_a_process(way, *rough.arguments, "--homeserver", way.url, "--json")
            statuses.append(status)
    assert statuses == [-signal.SIGKILL] * 3 + [0], progress
    assert verdicts(output) == expected(life, "done")
    assert way.refused >= 8
    assert await comparable(rough.client) == await comparable(smooth.client)
    assert DEVICE_ID not in (await state_of(rough.client, devices=True))["devices"]


async def test_an_invitation_and_a_knock_that_was_answered_are_taken_up_by_the_next_run(
    life: Life, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same command again: joined, and tagged then; who asked for it begins direct messages anew."""
    new = await newcomer(life, "invited", tmp_path)
    user, rooms = new.client.user_id, life.rooms
    assert await new.run("--only", "rooms,tags") == 0
    await life.anna.member(rooms["private"], "invite", user_id=user)
    await life.ben.member(rooms["knock"], "invite", user_id=user)
    for room in ("private", "knock"):
        await invitation(new.client, rooms[room])
    capsys.readouterr()
    assert await new.run("--only", "rooms,tags", "--json") == 0
    came = verdicts(capsys.readouterr().out)
    later = {f"{what}/{rooms[name]}{tail}" for name in ("private", "knock") for what, tail in _OF_A_ROOM}
    assert {came[key] for key in later} == {"done"}
    state = await state_of(new.client)
    assert {room for room in (rooms["private"], rooms["knock"]) if room in state["rooms"]["join"]} == {
        rooms["private"],
        rooms["knock"],
    }
    await new.client.member(rooms["talk"], "leave")  # a room that was left on purpose is not joined again
    assert await new.run("--only", "rooms,direct", "--direct", "--json") == 0
    came = verdicts(capsys.readouterr().out)
    assert (came["direct"], came[f"direct/{life.ben.user_id}"]) == ("skipped", "done")
    ((made,),) = (await state_of(new.client))["account_data"]["m.direct"].values()
    assert await memberships(new.client, made, life.ben.user_id) == "invite"
    encryption = await new.client.get("rooms", made, "state", "m.room.encryption", "")
    assert encryption["algorithm"] == "m.megolm.v1.aes-sha2"


_OF_A_ROOM = (("rooms", ""), ("tags", "/m.favourite"))


async def invitation(client: Client, room: str) -> None:
    """Return as soon as an invitation has come from the other server."""
    for _ in range(40):
        synced = await client.get("sync", timeout="250")
        if room in synced.get("rooms", {}).get("invite", {}):
            return
    pytest.fail("the invitation did not arrive")


async def test_what_stops_an_import_is_said_in_a_sentence(life: Life, tmp_path: Path) -> None:
    """Wrong password, somebody else's token, another import's state, nobody there: what, and what to do."""
    new = await newcomer(life, "stopped", tmp_path)
    password = new.folder / "password"
    arguments = new.arguments
    password.write_text("wrong")
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    here = ["--homeserver", life.both.away.url]
    with pytest.raises(ImportStopped, match="wrong password, or no account @stopped"):
        await command.run(parser.parse_args([*arguments, *here]))
    token = new.folder / "token"
    token.write_text(new.client.credentials.access_token)
    token.chmod(0o600)
    other = [str(life.archive), "--user", "@somebody:else", "--token-file", str(token), *here]
    with pytest.raises(ImportStopped, match="the token is not @somebody:else's"):
        await command.run(parser.parse_args([*other, "--state", str(new.folder / "other.jsonl")]))
    with pytest.raises(ImportStopped, match="is the state of another import"):
        await command.run(parser.parse_args([*other, "--state", str(new.folder / "state.jsonl")]))
    with pytest.raises(ImportStopped, match="/nothing is no Matrix homeserver"):
        await new.run("--state", str(new.folder / "nowhere.jsonl"), homeserver=f"{life.both.away.url}/nothing")


async def test_a_session_of_ones_own_is_used_and_stays(
    life: Life, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With an access token nobody signs in, and nobody is signed out."""
    new = await newcomer(life, "token", tmp_path)
    token = new.folder / "token"
    token.write_text(new.client.credentials.access_token)
    token.chmod(0o600)
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    given = [str(life.archive), "--user", new.client.user_id, "--token-file", str(token), "--only", "profile"]
    where = ["--homeserver", life.both.away.url, "--state", str(new.folder / "state.jsonl")]
    assert await command.run(parser.parse_args([*given, *where])) == 0
    assert "3 done" in capsys.readouterr().out.splitlines()
    state = await state_of(new.client, devices=True)
    assert state["profile"]["displayname"] == "Anna Lived"
    assert state["devices"] == [new.client.credentials.device_id]

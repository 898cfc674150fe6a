"""What the homeserver is asked: old versions, missing powers, a server with very many rooms, no answer at all."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dpobot.check import checks, server
from dpobot.check.finding import Answer, Place, Standing
from dpobot.config import MasConfig
from dpobot.homeserver.http import Http
from tests.unit.check.places import NOW, named, place
from tests.unit.homeserver.conftest import Script, http, script

__all__ = ["http", "script"]  # fixtures
ME = {"user_id": "@admin:example.org"}
UNKNOWN = {"errcode": "M_UNRECOGNIZED", "error": "Unrecognized request"}


async def _look(http: Http, name: str) -> Answer:
    return await named(tuple(server.CHECKS), name).look(place(http=http))


@pytest.mark.parametrize(
    ("version", "standing"),
    [
        ("1.149.1", Standing.FAILED),
        ("1.150.0", Standing.WARNING),
        ("1.157.0", Standing.OK),
        ("1.163.2 (b=develop,abc)", Standing.OK),
        ("2.0.0rc1", Standing.OK),
        ("0.99.5", Standing.FAILED),
        ("unknown", Standing.WARNING),
    ],
)
async def test_a_version_in_which_the_erased_come_back_fails(
    script: Script, http: Http, version: str, standing: Standing
) -> None:
    """From 1.150 on they stay away (element-hq/synapse#19542); from 1.157 on redaction in left rooms is bounded."""
    script.json({"server_version": version})
    assert (await _look(http, "version")).standing is standing


async def test_a_token_without_power_fails(script: Script, http: Http) -> None:
    """It says whose token it is."""
    script.json(ME).json({"errcode": "M_FORBIDDEN", "error": "You are not a server admin"}, 403)
    answer = await _look(http, "admin")
    assert (answer.standing, "@admin:example.org" in answer.cure) == (Standing.FAILED, True)


async def test_parts_of_the_admin_api_that_are_missing_are_named(script: Script, http: Http) -> None:
    """An old homeserver, or a proxy that lets only some through."""
    known = {"errcode": "M_NOT_FOUND", "error": "No delete task for this ID"}
    script.json(ME).json(UNKNOWN, 404).json({}).json(known, 404).raw(b"<html>", 403).json({})
    answer = await _look(http, "admin API")
    said = "the admin API does not answer for: redaction of somebody's events, rate limits of an account"
    assert (answer.standing, answer.sentence) == (Standing.FAILED, said)


@pytest.mark.parametrize(
    ("status", "told", "standing"),
    [(200, False, Standing.FAILED), (200, True, Standing.OK), (404, True, Standing.FAILED), (404, False, Standing.OK)],
)
async def test_who_manages_accounts_is_what_we_were_told(
    script: Script, http: Http, tmp_path: Any, status: int, told: bool, standing: Standing
) -> None:
    """Deactivated only in the homeserver, an account of the authentication service comes back."""
    script.json({"issuer": "https://auth.example.org/"} if status == 200 else UNKNOWN, status)
    mas = MasConfig(url="https://auth.example.org", client_id="01", client_secret_file=tmp_path / "mas")
    looking = place(http=http)
    config = looking.config
    config = config.model_copy(
        update={"homeserver": config.homeserver.model_copy(update={"mas": mas if told else None})}
    )
    answer = await named(tuple(server.CHECKS), "accounts").look(replace(looking, config=config))
    assert answer.standing is standing


def _room(number: int, members: int, creator: str) -> Mapping[str, Any]:
    return {"room_id": f"!{number}:example.org", "joined_local_members": members, "creator": creator}


async def test_an_old_room_of_an_erased_person_fails(script: Script, http: Http) -> None:
    """A young one does not, nor one without events; a room that others made is a warning's worth."""
    siri, tom = "@siri:example.org", "@tom:elsewhere.org"
    rooms = [_room(1, 0, siri), _room(2, 0, siri), _room(3, 0, tom), _room(4, 0, siri), _room(5, 2, siri)]
    old, young = (int((NOW - timedelta(days=days)).timestamp() * 1000) for days in (31, 29))
    script.json(ME).json({"rooms": rooms, "next_batch": 5})
    script.json({"origin_server_ts": old}).json({"origin_server_ts": young}).json({"origin_server_ts": old})
    script.json({"errcode": "M_NOT_FOUND"}, 404).json({"erased": True})
    answer = await _look(http, "deserted rooms")
    said = "rooms of erased people, more than 30 days after the last word: 1"
    assert (answer.standing, answer.sentence) == (Standing.FAILED, said)
    assert script.asked[-1] == ("GET", "/_synapse/admin/v2/users/%40siri%3Aexample.org")


async def test_an_old_room_of_somebody_else_is_a_warning(script: Script, http: Http) -> None:
    """Whose account is there, or was never here."""
    old = int((NOW - timedelta(days=31)).timestamp() * 1000)
    script.json(ME).json({"rooms": [_room(1, 0, "@tom:elsewhere.org"), _room(2, 0, "@siri:example.org")]})
    script.json({"origin_server_ts": old}).json({"origin_server_ts": old}).json({"erased": False})
    answer = await _look(http, "deserted rooms")
    assert (answer.standing, answer.sentence) == (
        Standing.WARNING,
        "rooms older than 30 days that nobody here is in: 2",
    )


async def test_a_server_with_very_many_deserted_rooms_is_looked_at_in_part_and_says_so(
    script: Script, http: Http
) -> None:
    """A check ends within seconds: 200 rooms are looked at, page after page is counted."""
    first = [_room(number, 0, "@siri:example.org") for number in range(500)]
    second = [_room(number, number - 510, "@siri:example.org") for number in range(510, 520)]
    script.json(ME).json({"rooms": first, "next_batch": 500}).json({"rooms": second, "next_batch": 520})
    script.json({"origin_server_ts": int(NOW.timestamp() * 1000)})
    answer = await _look(http, "deserted rooms")
    said = "rooms that nobody here is in: 501, none older than 30 days (of 501, the first 200 were looked at)"
    assert (answer.standing, answer.sentence, len(script.asked)) == (Standing.OK, said, 203)


async def test_uploads_of_erased_accounts_are_counted(script: Script, http: Http) -> None:
    """Of those that are erased, page by page; a deactivated account that was not erased has its own reasons."""
    users = [{"name": f"@u{number}:example.org", "erased": number != 1} for number in range(3)]
    script.json({"users": users[:2], "next_token": "2"}).json({"users": users[2:]})
    script.json({"total": 4}).json({"total": 0})
    answer = await _look(http, "uploads of the erased")
    said = "uploads of erased accounts that are still here: 4, of accounts: 1"
    assert (answer.standing, answer.sentence.partition(";")[0]) == (Standing.WARNING, said)
    assert [query.get("from") for query in script.queries] == ["0", "2", None, None]


async def test_no_answer_fails_each_check_that_needs_one() -> None:
    """And says so in one line each; nothing else is said to be fine."""
    looking: Place = place()
    found = await checks.run(looking, tuple(server.CHECKS))
    await looking.http.close()
    told = {finding.check.name: finding.answer.sentence for finding in found}
    assert told.pop("redactions that wait").startswith("how many redactions")
    assert set(told.values()) == {"no answer now (connection_lost)"}

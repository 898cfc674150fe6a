"""`dpobot init` at a real homeserver: from nothing to a bot that can be started, guided and unattended."""

import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dpobot import config
from dpobot.check import account as account_checks
from dpobot.check import checks, machine, place, staff
from dpobot.check.finding import Standing
from dpobot.clock import SystemClock
from dpobot.demo.synapse import Credentials, Synapse
from dpobot.errors import ConfigurationError
from dpobot.setup import account, init, questions
from dpobot.setup.answers import Answers
from dpobot.setup.init import Installation, Result
from dpobot.setup.questions import Question
from tests.live.conftest import Register
from tests.live.people import opened
from tests.unit.setup.script import Script

pytestmark = pytest.mark.live

OPERATOR = {
    questions.NAME: "Example Foundation",
    questions.DPO_EMAIL: "dpo@example.org",
    questions.POSTAL_ADDRESS: "1 Example Street",
    questions.COUNTRY: "GB",
}


@pytest.fixture
def there(tmp_path: Path) -> Installation:
    """Where init writes to."""
    return Installation(tmp_path / "bot.toml", Path("secrets"))


@pytest.fixture
def known(synapse: Synapse, admin: Credentials) -> dict[Question, str]:
    """What nobody could guess."""
    return OPERATOR | {questions.HOMESERVER_URL: synapse.url, questions.ADMIN_TOKEN: admin.access_token}


def _unattended(there: Installation, answers: Mapping[Question, str]) -> Answers:
    return Answers({question.name: answer for question, answer in answers.items()}, there.memory, None)


async def _set_up(there: Installation, answers: Mapping[Question, str]) -> Result:
    return await init.tell(_unattended(there, answers), there)


async def _findings(chosen: config.Config) -> dict[str, Standing]:
    looked = (*account_checks.CHECKS, *staff.CHECKS, *machine.CHECKS)
    async with place.place(chosen, SystemClock()) as now:
        return {each.check.name: each.answer.standing for each in await checks.run(now, looked)}


async def _seen(synapse: Synapse, admin: Credentials, user_id: str) -> dict[str, Any]:
    found: dict[str, Any] = await synapse.request("GET", f"/_synapse/admin/v2/users/{user_id}", admin.access_token)
    return found


async def test_unattended_from_nothing_to_a_bot_that_can_start(
    synapse: Synapse, admin: Credentials, register: Register, there: Installation, known: dict[Question, str]
) -> None:
    """Account, device, identity, staff room, secrets and configuration are there; the check finds nothing amiss but
    that nobody has come into the room, and that the recovery key still lies where it was written."""
    dora, user_id = await register("dora"), f"@dpo-new-{there.path.parent.name.replace('_', '-')}:{synapse.server_name}"
    result = await _set_up(there, known | {questions.USER_ID: user_id, questions.STAFF: dora.user_id})
    written = config.load(there.path)
    seen = await _seen(synapse, admin, user_id)
    assert (seen["admin"], seen["displayname"]) == (False, "Data protection")
    secrets = [there.secrets.path(name) for name in ("admin-token", "bot-password")]
    assert written.homeserver.admin_token_file == secrets[0]
    assert written.matrix.password_file == secrets[1]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (secrets[0].parent, written.data.directory)} == {0o700}
    assert result.recovery_key == written.data.directory / "matrix" / "recovery-key.txt"
    invited = await synapse.request("GET", "/_matrix/client/v3/sync", dora.access_token)
    assert result.room in invited["rooms"]["invite"]
    assert [path.name for path in there.path.parent.iterdir() if "answers" in path.name or "draft" in path.name] == []
    found = await _findings(written)
    unusual = {name: standing.value for name, standing in found.items() if standing is not Standing.OK}
    assert unusual == {"recovery key": "warning", "staff": "failed", "staff devices": "can't be seen"}


async def test_without_enough_answers_nothing_is_done(there: Installation, known: dict[Question, str]) -> None:
    """All that is missing is said at once."""
    few = {question: answer for question, answer in known.items() if question is not questions.NAME}
    with pytest.raises(ConfigurationError) as caught:
        await _set_up(there, few)
    assert [problem.split()[1] for problem in caught.value.problems] == ["--name", "--staff"]
    assert list(there.path.parent.iterdir()) == []


async def test_guided_each_answer_is_checked_and_an_interrupted_attempt_goes_on(
    synapse: Synapse, admin: Credentials, register: Register, there: Installation, known: dict[Question, str]
) -> None:
    """Wrong answers are said to be wrong at once. After Ctrl-C the account is not made again, nobody types a secret
    twice, and the device is the same one."""
    nobody, dora, user_id = await register("nobody"), await register("dora"), f"@dpo-guided:{synapse.server_name}"
    first = Script(
        {
            questions.HOMESERVER_URL: ["http://127.0.0.1:9", synapse.url],
            questions.ADMIN_TOKEN: ["wrong", nobody.access_token, admin.access_token],
            questions.USER_ID: ["@dpo:elsewhere.example", admin.user_id, user_id],
            questions.NAME: "Example Foundation",
            questions.DPO_EMAIL: Script.STOP,
        }
    )
    with pytest.raises(KeyboardInterrupt):
        await init.tell(Answers({}, there.memory, first), there)
    complaints = " / ".join(first.complaints)
    for said in (
        "nothing answers there",
        "does not accept this token",
        "is no server admin",
        "must be on",
        "is a server admin;",
    ):
        assert said in complaints
    device = json.loads((there.path.parent / "data/matrix/device.json").read_text())
    again = Script(
        {question: known[question] for question in (*list(OPERATOR)[1:],)}
        | {questions.STAFF: ["@nobody-of-this-name:" + synapse.server_name, dora.user_id]}
    )
    result = await init.tell(Answers({}, there.memory, again), there)
    assert [prompt for prompt in again.prompts if prompt.startswith(("admin_token", "bot_password", "login"))] == []
    assert json.loads((there.path.parent / "data/matrix/device.json").read_text()) == device
    assert (result.config.operator.name, result.config.staff.members) == ("Example Foundation", (dora.user_id,))
    assert "there is no account @nobody-of-this-name" in " / ".join(again.complaints)


@pytest.mark.parametrize("way", ["password", "access token", "login token"])
async def test_an_account_that_exists_logs_in_each_way(
    way: str, synapse: Synapse, register: Register, there: Installation, known: dict[Question, str]
) -> None:
    """Only with a password the configuration names one; the device is signed by the account's identity each time."""
    bot = await register("dpo")
    if way == "password":
        proof = {questions.BOT_PASSWORD: bot.password}
    elif way == "access token":
        proof = {questions.BOT_ACCESS_TOKEN: bot.access_token}
    else:
        answer = await synapse.request("POST", "/_matrix/client/v1/login/get_token", bot.access_token, {})
        proof = {questions.BOT_LOGIN_TOKEN: answer["login_token"]}
    result = await _set_up(there, known | proof | {questions.USER_ID: bot.user_id, questions.STAFF_ROOM: ""})
    assert (result.config.matrix.password_file is not None) == (way == "password")
    found = await _findings(result.config)
    assert [found[name] for name in ("token", "identity", "devices")] == [Standing.OK] * 3


async def test_an_identity_that_exists_is_taken_up_and_never_replaced(
    synapse: Synapse, register: Register, there: Installation, known: dict[Question, str], tmp_path: Path
) -> None:
    """An account that has been used needs its recovery key; and the device of a token must not have keys elsewhere."""
    bot = await register("dpo")
    session = await opened(synapse, bot, tmp_path / "elsewhere")
    identity, used = session.master_key, json.loads((tmp_path / "elsewhere/device.json").read_text())
    await session.close()
    chosen = known | {questions.USER_ID: bot.user_id, questions.STAFF_ROOM: ""}
    with pytest.raises(ConfigurationError, match="has keys already"):
        await _set_up(there, chosen | {questions.BOT_ACCESS_TOKEN: used["access_token"]})
    chosen[questions.BOT_PASSWORD] = bot.password
    with pytest.raises(ConfigurationError, match="--recovery-key-file or DPOBOT_INIT_RECOVERY_KEY: missing"):
        await _set_up(there, chosen)
    with pytest.raises(ConfigurationError, match="does not open the secret storage"):
        await _set_up(there, chosen | {questions.RECOVERY_KEY: "EsTb wrong"})
    key = (tmp_path / "elsewhere/recovery-key.txt").read_text()
    result = await _set_up(there, chosen | {questions.RECOVERY_KEY: key})
    assert result.recovery_key is None
    again = await account.open_session(result.config, None)
    await again.close()
    found = await _findings(result.config)
    assert (again.master_key, found["identity"], found["recovery key"]) == (identity, Standing.OK, Standing.OK)


async def test_what_is_not_the_bots_is_refused(
    admin: Credentials, register: Register, there: Installation, known: dict[Question, str]
) -> None:
    """A server admin's account, somebody else's token, a wrong password; and nothing is left that could be mistaken."""
    bot, other = await register("dpo"), await register("other")
    chosen = known | {questions.USER_ID: bot.user_id, questions.STAFF_ROOM: ""}
    for more, said in (
        ({questions.USER_ID: admin.user_id}, "is a server admin"),
        ({}, "has to log in"),
        ({questions.BOT_ACCESS_TOKEN: other.access_token}, "not of"),
        ({questions.BOT_PASSWORD: "wrong"}, "does not let"),
        (
            {questions.CREATE_ACCOUNT: "no", questions.USER_ID: f"{bot.user_id[:4]}x{bot.user_id[4:]}"},
            "there is no account",
        ),
    ):
        with pytest.raises(ConfigurationError, match=said):
            await _set_up(there, chosen | more)
    assert not there.path.exists()
    assert not there.secrets.path("bot-password").exists()


async def test_a_room_of_staffs_own_is_adopted_if_it_is_fit(
    synapse: Synapse, register: Register, there: Installation, known: dict[Question, str]
) -> None:
    """One that is not encrypted is named in the configuration, but said to be no use yet."""
    bot, dora = await register("dpo"), await register("dora")
    room = (
        await synapse.request("POST", "/_matrix/client/v3/createRoom", dora.access_token, {"invite": [bot.user_id]})
    )["room_id"]
    chosen = known | {questions.USER_ID: bot.user_id, questions.BOT_PASSWORD: bot.password, questions.STAFF_ROOM: room}
    result = await _set_up(there, chosen)
    assert (result.config.staff.room_id, result.room) == (room, None)
    assert (await _findings(result.config))["staff room"] is Standing.FAILED

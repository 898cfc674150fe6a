"""`dpobot init` and `dpobot check` where an authentication service keeps the accounts."""

import secrets
from pathlib import Path

import pytest

from dpobot import config
from dpobot.check import account, checks, network, place, server
from dpobot.check.finding import Answer, Standing
from dpobot.clock import SystemClock
from dpobot.errors import ConfigurationError
from dpobot.setup import init, questions
from dpobot.setup.answers import Answers
from dpobot.setup.init import Installation
from dpobot.setup.questions import Question
from tests.mas.stand_in import Delegated

pytestmark = pytest.mark.live


async def _answers(delegation: Delegated) -> dict[Question, str]:
    bot = await delegation.mas.register(f"dpo{secrets.token_hex(4)}")
    return {
        questions.HOMESERVER_URL: delegation.synapse.url,
        questions.ADMIN_TOKEN: delegation.admin.access_token,
        questions.USER_ID: bot.user_id,
        questions.BOT_ACCESS_TOKEN: bot.access_token,
        questions.NAME: "Example Foundation",
        questions.DPO_EMAIL: "dpo@example.org",
        questions.POSTAL_ADDRESS: "1 Example Street",
        questions.COUNTRY: "GB",
        questions.STAFF_ROOM: "",
    }


def _client(delegation: Delegated) -> dict[Question, str]:
    mas = delegation.mas
    return {
        questions.MAS_URL: mas.url,
        questions.MAS_CLIENT_ID: mas.client_id,
        questions.MAS_CLIENT_SECRET: mas.client_secret,
    }


async def _set_up(folder: Path, answers: dict[Question, str]) -> config.Config:
    place_ = Installation(folder / "bot.toml", Path("secrets"))
    given = Answers({question.name: answer for question, answer in answers.items()}, place_.memory, None)
    return (await init.tell(given, place_)).config


async def _look(chosen: config.Config, name: str) -> Answer:
    [check] = [each for each in (*network.CHECKS, *server.CHECKS, *account.CHECKS) if each.name == name]
    async with place.place(chosen, SystemClock()) as now:
        return (await checks.run(now, [check]))[0].answer


async def test_the_client_is_asked_for_and_tried(delegation: Delegated, tmp_path: Path) -> None:
    """Without it all three answers are missed at once; a wrong secret is refused; the right one is kept in its file."""
    answers, client = await _answers(delegation), _client(delegation)
    with pytest.raises(ConfigurationError) as caught:
        await _set_up(tmp_path, answers)
    assert [problem.split()[1] for problem in caught.value.problems] == [
        "--mas-url",
        "--mas-client-id",
        "--mas-client-secret-file",
    ]
    with pytest.raises(ConfigurationError, match="refuses the client"):
        await _set_up(tmp_path, answers | client | {questions.MAS_CLIENT_SECRET: delegation.mas.client_id})
    chosen = await _set_up(tmp_path, answers | client)
    mas = chosen.homeserver.mas
    assert mas is not None
    assert (mas.url, mas.client_secret_file) == (delegation.mas.url, tmp_path / "secrets/mas-client-secret")
    for name in ("authentication service", "accounts", "least authority", "identity"):
        assert (name, (await _look(chosen, name)).standing) == (name, Standing.OK)


async def test_an_account_that_is_not_there_is_made_at_the_service(delegation: Delegated, tmp_path: Path) -> None:
    """Synapse can't make one, and init says so."""
    answers = await _answers(delegation) | _client(delegation) | {questions.USER_ID: "@nobody-yet:dpobot.test"}
    with pytest.raises(ConfigurationError, match="make it at the authentication service"):
        await _set_up(tmp_path, answers)


async def test_the_check_tells_a_client_that_is_refused_and_a_service_of_another_server(
    delegation: Delegated, tmp_path: Path
) -> None:
    """Each with its cure."""
    chosen = await _set_up(tmp_path, await _answers(delegation) | _client(delegation))
    elsewhere = chosen.matrix.model_copy(update={"user_id": "@dpo:elsewhere.example"})
    other = await _look(chosen.model_copy(update={"matrix": elsewhere}), "authentication service")
    assert (other.standing, "elsewhere.example" in other.sentence) == (Standing.FAILED, True)
    mas = chosen.homeserver.mas
    assert mas is not None
    mas.client_secret_file.write_text("wrong")
    refused = await _look(chosen, "authentication service")
    assert (refused.standing, "admin_clients" in refused.cure) == (Standing.FAILED, True)

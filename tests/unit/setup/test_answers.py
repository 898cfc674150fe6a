"""Answers come from options, the environment, files, an earlier attempt, and somebody who is asked."""

import stat
from pathlib import Path

import pytest

from dpobot.errors import ConfigurationError, Rejected, Unavailable
from dpobot.setup import answers, questions
from dpobot.setup.answers import Answers
from dpobot.setup.secret_files import SecretFiles
from tests.unit.setup.script import Script


async def _refuse_short(answer: str) -> None:
    if len(answer) < 4:
        raise ConfigurationError(["too short"])


def test_options_win_and_secrets_come_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment variable is next; for a secret it may name a file."""
    (tmp_path / "token").write_text("syt_option\n")
    (tmp_path / "password").write_text("from a file\n")
    monkeypatch.setenv("DPOBOT_INIT_NAME", "from the environment")
    monkeypatch.setenv("DPOBOT_INIT_ADMIN_TOKEN", "syt_environment")
    monkeypatch.setenv("DPOBOT_INIT_BOT_PASSWORD_FILE", str(tmp_path / "password"))
    asked = (questions.NAME, questions.ADMIN_TOKEN, questions.BOT_PASSWORD, questions.SERVICE, questions.COUNTRY)
    options: dict[str, str | Path | None] = {"admin_token": tmp_path / "token", "country": "DE"}
    assert answers.given(options, asked) == {
        "name": "from the environment",
        "admin_token": "syt_option",
        "bot_password": "from a file",
        "country": "DE",
    }


def test_no_option_takes_a_secret_itself() -> None:
    """The shell's history, and everybody who lists processes, would have it."""
    assert [question.option for question in questions.ALL if question.secret] == [
        "--admin-token-file",
        "--mas-client-secret-file",
        "--bot-password-file",
        "--bot-access-token-file",
        "--bot-login-token-file",
        "--recovery-key-file",
    ]


def test_files_that_cannot_be_read_are_all_named(tmp_path: Path) -> None:
    """At once."""
    options = {"admin_token": tmp_path / "a", "bot_password": tmp_path / "b"}
    with pytest.raises(ConfigurationError) as caught:
        answers.given(options, questions.ALL)
    assert [problem.split(" or ")[0] for problem in caught.value.problems] == [
        "init: --admin-token-file",
        "init: --bot-password-file",
    ]


def test_without_a_terminal_everything_missing_is_said_at_once(tmp_path: Path) -> None:
    """What has a default is not missing."""
    unattended = Answers({"name": "Foundation"}, tmp_path / "memory", None)
    with pytest.raises(ConfigurationError) as caught:
        unattended.require(questions.NAME, questions.DPO_EMAIL, questions.DATA, questions.ADMIN_TOKEN)
    assert [problem.split(":")[1].strip() for problem in caught.value.problems] == [
        "--dpo-email or DPOBOT_INIT_DPO_EMAIL",
        "--admin-token-file or DPOBOT_INIT_ADMIN_TOKEN",
    ]


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (ConfigurationError(["no good"]), "no good"),
        (Unavailable("connection"), "nothing answers there (connection)"),
        (Rejected("M_FORBIDDEN", 403), "the server refuses (403 M_FORBIDDEN)"),
    ],
)
async def test_without_a_terminal_a_bad_answer_ends_it_with_its_option(
    trouble: Exception, said: str, tmp_path: Path
) -> None:
    """Whatever the check had against it."""

    async def check(_: str) -> None:
        raise trouble

    unattended = Answers({"name": "Foundation"}, tmp_path / "memory", None)
    with pytest.raises(ConfigurationError) as caught:
        await unattended.of(questions.NAME, check=check)
    assert caught.value.problems[0].startswith(f"init: --name or DPOBOT_INIT_NAME: {said}")


async def test_whoever_is_asked_may_try_again(tmp_path: Path) -> None:
    """Each answer is checked at once: its form, and what it says."""
    script = Script({questions.DPO_EMAIL: ["", "nobody", "a@b", "dpo@example.org"]})
    guided = Answers({}, tmp_path / "memory", script)
    assert await guided.of(questions.DPO_EMAIL, check=_refuse_short) == "dpo@example.org"
    assert len(script.complaints) == 3


async def test_an_option_that_is_no_good_is_asked_for_at_a_terminal(tmp_path: Path) -> None:
    """After it was said what is wrong with it."""
    script = Script({questions.COUNTRY: "DE"})
    guided = Answers({"country": "Germany"}, tmp_path / "memory", script)
    assert await guided.of(questions.COUNTRY) == "DE"
    assert len(script.complaints) == 1


async def test_what_was_answered_is_remembered_but_no_secret(tmp_path: Path) -> None:
    """An attempt that was interrupted can be repeated: enter keeps the earlier answer."""
    memory = tmp_path / "memory"
    first = Answers({}, memory, Script({questions.NAME: "Foundation", questions.ADMIN_TOKEN: "syt_secret"}))
    await first.of(questions.NAME)
    await first.of(questions.ADMIN_TOKEN)
    assert "syt_secret" not in memory.read_text()
    assert stat.S_IMODE(memory.stat().st_mode) == 0o600
    again = Answers({}, memory, Script({}))
    assert await again.of(questions.NAME) == "Foundation"
    again.forget()
    assert not memory.exists()


@pytest.mark.parametrize("damaged", ["", "[1]", "{"])
async def test_a_damaged_memory_is_none(damaged: str, tmp_path: Path) -> None:
    """It only saves typing."""
    (tmp_path / "memory").write_text(damaged)
    guided = Answers({}, tmp_path / "memory", Script({questions.NAME: "Foundation"}))
    assert await guided.of(questions.NAME) == "Foundation"


async def test_a_secret_that_is_kept_and_still_good_is_not_asked_for(tmp_path: Path) -> None:
    """One that is no longer good is, and is replaced."""
    files, script = SecretFiles(tmp_path / "secrets"), Script({questions.ADMIN_TOKEN: "long enough"})
    guided = Answers({}, tmp_path / "memory", script)
    files.write("token", "good")
    assert await guided.secret(questions.ADMIN_TOKEN, files, "token", check=_refuse_short) == "good"
    assert script.prompts == []
    files.write("token", "no")
    assert await guided.secret(questions.ADMIN_TOKEN, files, "token", check=_refuse_short) == "long enough"
    assert files.read("token") == "long enough"


def test_secrets_are_for_nobody_else(tmp_path: Path) -> None:
    """Folder and file, also where the folder was open before."""
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o755)
    files = SecretFiles(folder)
    files.write("token", "syt_secret")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, files.path("token"))]
    assert modes == [0o700, 0o600]
    assert files.read("nothing") is None

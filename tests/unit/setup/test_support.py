"""The support file's snippet: who is asked about administration, security and data protection."""

import json
from pathlib import Path

import pytest

from dpobot import cli
from dpobot.homeserver.federation.support import contacts_in
from dpobot.model.ids import UserId
from tests.test_shape import ROOT


def _printed(capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, list[dict[str, str]]]:
    with pytest.raises(SystemExit) as ended:
        cli.main(["support", "--config", str(ROOT / "bot.example.toml"), *more])
    assert ended.value.code == 0
    document: dict[str, list[dict[str, str]]] = json.loads(capsys.readouterr().out)
    return document


def test_every_role_has_the_bot_and_an_address(capsys: pytest.CaptureFixture[str]) -> None:
    """Both spellings of the DPO's role: MSC4265 is not merged."""
    contacts = _printed(capsys)["contacts"]
    assert [(each["role"], each["email_address"]) for each in contacts] == [
        ("m.role.admin", "dpo@example.org"),
        ("m.role.security", "security@example.org"),
        ("org.matrix.msc4265.role.dpo", "dpo@example.org"),
        ("m.role.dpo", "dpo@example.org"),
    ]
    assert {each["matrix_id"] for each in contacts} == {"@dpo:example.org"}


def test_another_dpobot_finds_the_bot_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    """It is what is asked for when a notice of an erasure arrives."""
    found = contacts_in(_printed(capsys, "--admin-email", "root@example.org"), "example.org")
    assert found.names(UserId("@dpo:example.org"))
    best = found.best()
    assert best is not None
    assert best.role in ("m.role.dpo", "org.matrix.msc4265.role.dpo")


def test_a_configuration_that_exists_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence with what to do instead."""
    path = tmp_path / "bot.toml"
    path.write_text("mine")
    with pytest.raises(SystemExit) as ended:
        cli.main(["init", "--config", str(path), "--non-interactive"])
    assert (ended.value.code, path.read_text()) == (2, "mine")
    assert "never overwritten" in capsys.readouterr().err

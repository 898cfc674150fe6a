"""The command line where it carries nothing out: what it says of itself."""

import tomllib

import pytest

from dpobot import cli
from tests.test_shape import ROOT


def test_it_says_which_version_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """It is the one of the project's file: what somebody who asks for help is asked for first."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (ended.value.code, capsys.readouterr().out) == (0, f"dpobot {told}\n")


def test_without_a_command_it_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    """And how it is called, with the exit status of wrong arguments."""
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    said = capsys.readouterr().err
    assert (ended.value.code, said.startswith("usage: dpobot"), "COMMAND" in said) == (2, True, True)

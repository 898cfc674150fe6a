"""`dpobot verify` and `dpobot receipt-key`, as an admin or anybody else runs them."""

import json
from pathlib import Path

import pytest

from dpobot import cli
from dpobot.config import load
from dpobot.errors import ConfigurationError
from dpobot.receipt import command, key, page
from dpobot.text.render import Renderer
from tests.unit.admin import bot_toml
from tests.unit.receipt.conftest import ANNA, CODE, KEY, OTHER, receipt

__all__ = ["bot_toml"]  # a fixture


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A receipt on disk."""
    path = tmp_path / "receipt.json"
    path.write_text(receipt() + "\n")
    return path


def test_a_good_one_is_told_in_plain_words(renderer: Renderer, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What went, what stays and why, when."""
    assert command.verify(renderer, file, KEY.public, None, None) == 0
    said = capsys.readouterr().out
    assert said.startswith("VALID: this receipt is, to the last sign, what was signed.")
    for part in (
        "- Erased: 23 November 2026, 06:00 UTC",
        "- messages: 2 031",
        "- rules of rooms (12). Rooms need this for everybody else in them, such as who may do what.",
        "`DPO-2026-0042`",
        f"`{KEY.key_id}`",
    ):
        assert part in said.replace("\u202f", " ")


def test_an_altered_one_is_not(renderer: Renderer, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of what it says is repeated."""
    file.write_text(receipt().replace("2031", "2030"))
    assert command.verify(renderer, file, KEY.public, None, None) == 1
    assert capsys.readouterr().out == (
        "NOT VALID. The signature does not fit: the receipt was changed after it was signed, or never signed with this "
        "key.\n"
    )


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"x" * (command.MOST_BYTES + 1), b"{}"])
def test_what_is_no_receipt_is_told(
    renderer: Renderer, file: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever it is."""
    file.write_bytes(content)
    assert command.verify(renderer, file, KEY.public, None, None) == 1
    assert capsys.readouterr().out.startswith("NOT VALID.")


@pytest.mark.parametrize(
    ("code", "user", "status", "said"),
    [
        (CODE.lower(), ANNA, 0, "It is about this user"),
        (CODE, "@bob:dpobot.test", 1, "It is not about this user"),
        ("ABCD", ANNA, 1, "It is not about this user"),
    ],
)
def test_whose_it_is_can_be_shown(
    renderer: Renderer, file: Path, code: str, user: str, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the code and the user ID, not with either alone."""
    assert command.verify(renderer, file, KEY.public, None, (code, user)) == status
    assert said in capsys.readouterr().out


def test_the_page_is_read_as_well(tmp_path: Path, renderer: Renderer) -> None:
    """Whoever saved only that has everything."""
    saved = tmp_path / "receipt.html"
    saved.write_text(page.page(renderer, KEY.public, receipt(), "fr"), "utf-8")
    assert command.verify(renderer, saved, KEY.public, None, None) == 0


def test_the_key_may_be_a_file_or_what_is_published(renderer: Renderer, file: Path, tmp_path: Path) -> None:
    """Of several keys that one counts that the receipt names."""
    alone, published, others = tmp_path / "alone", tmp_path / "published.json", tmp_path / "others.json"
    alone.write_text(KEY.public + "\n")
    keys = [json.loads(command.published(each.publics))["receipt_keys"] for each in (OTHER, KEY)]
    published.write_text(json.dumps({"receipt_keys": keys[0] | keys[1]}))
    others.write_text(json.dumps({"receipt_keys": keys[0]}))
    assert [command.verify(renderer, file, str(path), None, None) for path in (alone, published, others)] == [0, 0, 1]


def test_without_anything_to_check_with_nothing_is_said_of_the_receipt(
    renderer: Renderer, file: Path, tmp_path: Path
) -> None:
    """Neither valid nor not: exit status 2."""
    for named, subject in ((None, file), ("AAAA", file), (KEY.public, tmp_path / "missing")):
        with pytest.raises(ConfigurationError):
            command.verify(renderer, subject, named, None, None)


def status_of(*arguments: str) -> object:
    """Run a command and return its exit status; in this process, which is much faster than another."""
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    return end.value.code


def test_an_installation_checks_its_own(bot_toml: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the key of its data folder, which `receipt-key` publishes."""
    config = ("--config", str(bot_toml))
    assert status_of("receipt-key", *config) == 0
    own = key.load(load(bot_toml).data.directory)
    assert json.loads(capsys.readouterr().out) == {
        "receipt_keys": {own.key_id: {"algorithm": "ed25519", "key": own.public}}
    }
    mine, other = tmp_path / "mine.json", tmp_path / "other.json"
    mine.write_text(receipt(own))
    other.write_text(receipt(OTHER))
    assert status_of("verify", str(mine), "--subject", CODE, ANNA, *config) == 0
    assert status_of("verify", str(other), *config) == 1
    assert status_of("verify", str(mine), "--config", str(tmp_path / "none.toml")) == 2
    capsys.readouterr()
    assert status_of("verify", str(mine), "--key", "AAAA") == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == (
        "",
        "dpobot: verify: that is no public key: one is 43 letters, digits and signs\n",
    )


def test_the_help_says_where_the_key_is_published(capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the contact of the DPO."""
    for name in ("verify", "receipt-key"):
        assert status_of(name, "--help") == 0
        said = "".join(capsys.readouterr().out.split())
        assert "/.well-known/matrix/org.dpobot.receipt_keys" in said

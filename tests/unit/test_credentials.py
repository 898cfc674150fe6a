"""Secrets that systemd hands over, and key files that the configuration names."""

from pathlib import Path

import pytest

from dpobot import config
from dpobot.errors import ConfigurationError
from dpobot.named_files import PATHS
from dpobot.receipt import key
from dpobot.store import seal

EXAMPLE = (Path(__file__).parents[2] / "bot.example.toml").read_text("utf-8")


@pytest.fixture
def handed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What systemd lays out: a private folder with a file that its user may read."""
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o500)
    folder.chmod(0o700)
    (folder / "password").write_text("open sesame\n")
    (folder / "password").chmod(0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return folder


def written(tmp_path: Path, old: str, new: str) -> Path:
    path = tmp_path / "bot.toml"
    assert old in EXAMPLE
    path.write_text(EXAMPLE.replace(old, new))
    return path


def test_every_key_that_names_a_file_may_name_a_credential() -> None:
    """A new ``..._file`` key that nobody listed would be taken for a path from the working directory."""
    sections = {name: field.annotation for name, field in config.Config.model_fields.items()}
    found = {
        (name, key)
        for name, model in [*sections.items(), ("homeserver.mas", config.MasConfig)]
        for key, field in model.model_fields.items()  # type: ignore[union-attr] # sections are models
        if key.endswith("_file") or "Path" in str(field.annotation)
    }
    assert found == set(PATHS)


def test_a_credential_is_a_file_that_systemd_hands_over(handed: Path, tmp_path: Path) -> None:
    """Found by its name, wherever the configuration lies."""
    path = written(tmp_path, '"secrets/bot-password"', '"credential:password"')
    found = config.load(path).matrix.password_file or path
    assert (found, config.secret(found)) == (handed / "password", "open sesame")


@pytest.mark.parametrize(("mode", "folder"), [(0o400, 0o500), (0o440, 0o550), (0o440, 0o500), (0o600, 0o700)])
def test_the_modes_of_systemd_are_private(handed: Path, mode: int, folder: int) -> None:
    """0440 is the mask of an access list, in a folder that nobody else may enter."""
    (handed / "password").chmod(mode)
    handed.chmod(folder)
    assert config.secret(handed / "password") == "open sesame"


@pytest.mark.parametrize(("mode", "folder"), [(0o444, 0o500), (0o460, 0o500), (0o440, 0o755), (0o440, 0o555)])
def test_a_credential_that_others_may_read_is_refused(handed: Path, mode: int, folder: int) -> None:
    """Also where the folder lets everybody in."""
    (handed / "password").chmod(mode)
    handed.chmod(folder)
    with pytest.raises(ConfigurationError, match="others may read"):
        config.secret(handed / "password")


def test_elsewhere_a_group_may_not_read_a_secret(handed: Path, tmp_path: Path) -> None:
    """The looser mode is for what systemd lays out alone."""
    path = tmp_path / "password"
    path.write_text("open sesame")
    path.chmod(0o440)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        config.secret(path)


def test_without_systemd_there_are_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said beside every other problem of the file, with the key."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    path = written(tmp_path, '"secrets/bot-password"', '"credential:password"\nsurprise = 1')
    with pytest.raises(ConfigurationError) as caught:
        config.load(path)
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["matrix.password_file", "matrix.surprise"]
    assert "$CREDENTIALS_DIRECTORY is not set" in caught.value.problems[0]


@pytest.mark.parametrize("name", ["missing", "../password", "", "..", "a/b"])
def test_a_credential_that_is_not_there_is_named(handed: Path, tmp_path: Path, name: str) -> None:
    """A name never leads out of the folder."""
    path = written(tmp_path, '"secrets/admin-token"', f'"credential:{name}"')
    with pytest.raises(ConfigurationError) as caught:
        config.load(path)
    assert caught.value.problems[0].startswith("homeserver.admin_token_file: ")


def test_a_key_file_that_is_named_is_never_made(tmp_path: Path) -> None:
    """A worker that made keys of its own could read nothing, and would sign with a key that nobody knows."""
    with pytest.raises(ConfigurationError, match="copy it from the machine that has it"):
        seal.of(tmp_path, tmp_path / "named.keys")
    with pytest.raises(ConfigurationError, match="copy it from the machine that has it"):
        key.load_or_create(tmp_path, tmp_path / "named.key")
    assert list(tmp_path.iterdir()) == []


def test_a_copy_of_the_key_files_is_used_by_another_machine(tmp_path: Path) -> None:
    """What one seals the other opens; both sign alike."""
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
    sealed = seal.of(one, None).close(b"words", "t.c")
    signing = key.load_or_create(one)
    for name in (seal.FILE, key.FILE):
        (other / f"copy-{name}").write_bytes((one / name).read_bytes())
        (other / f"copy-{name}").chmod(0o600)
    assert seal.of(other, other / "copy-seal.keys").open(sealed, "t.c") == b"words"
    assert key.load_or_create(other, other / "copy-receipt.key").public == signing.public
    assert sorted(each.name for each in other.iterdir()) == ["copy-receipt.key", "copy-seal.keys"]

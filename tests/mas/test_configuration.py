"""Where accounts are kept is said in the configuration, and decides which adapters are used."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from dpobot import config
from dpobot.errors import ConfigurationError
from dpobot.homeserver.erasing.synapse_changes import SynapseChanges
from dpobot.homeserver.mas.changes import MasChanges
from dpobot.homeserver.mas.homeserver import MasHomeserver
from dpobot.homeserver.mas.leftovers import MasLeftovers
from dpobot.homeserver.synapse import SynapseHomeserver
from dpobot.homeserver.verifying.synapse_leftovers import SynapseLeftovers
from dpobot.workshop import administration

_EXAMPLE = Path(__file__).resolve().parents[2] / "bot.example.toml"


def example(*, delegated: bool) -> str:
    """Return the example configuration, with or without its commented line for MAS."""
    text = _EXAMPLE.read_text("utf-8")
    assert "# mas = {" in text
    return text.replace("# mas = {", "mas = {") if delegated else text


def written(folder: Path, *, delegated: bool) -> config.Config:
    """Return the example as it is read from a folder with its secrets."""
    (folder / "secrets").mkdir()
    for name in ("admin-token", "mas"):
        secret = folder / "secrets" / name
        secret.write_text(name)
        secret.chmod(0o600)
    path = folder / "bot.toml"
    path.write_text(example(delegated=delegated))
    return config.load(path)


def test_the_secret_is_found_beside_the_configuration(tmp_path: Path) -> None:
    """As every other path in it."""
    mas = written(tmp_path, delegated=True).homeserver.mas
    assert mas is not None
    assert mas.client_secret_file == (tmp_path / "secrets" / "mas").resolve()


def test_what_is_missing_is_named_with_its_place() -> None:
    """Half a section is none."""
    raw: dict[str, Any] = tomllib.loads(example(delegated=False))
    raw["homeserver"]["mas"] = {"url": "auth.example.org", "secret": "x"}
    with pytest.raises(ConfigurationError) as caught:
        config.parse(raw)
    assert sorted(problem.split(":")[0] for problem in caught.value.problems) == [
        "homeserver.mas.client_id",
        "homeserver.mas.client_secret_file",
        "homeserver.mas.secret",
        "homeserver.mas.url",
    ]


@pytest.mark.parametrize(
    ("delegated", "adapters"),
    [
        (False, [SynapseHomeserver, SynapseChanges, SynapseLeftovers]),
        (True, [MasHomeserver, MasChanges, MasLeftovers]),
    ],
)
async def test_the_adapters_are_those_of_where_accounts_are(
    delegated: bool, adapters: list[type], tmp_path: Path
) -> None:
    """All three of a kind: reading at one place and deactivating at another would be half an erasure."""
    made = administration.adapters(written(tmp_path, delegated=delegated))
    assert [type(adapter) for adapter in made] == adapters
    for adapter in made:
        await adapter.close()


def test_a_secret_of_mas_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """As every other secret."""
    read = written(tmp_path, delegated=True)
    (tmp_path / "secrets" / "mas").chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        administration.adapters(read)

"""The homeserver's settings are read as Synapse reads them, and nothing of them that no check asks for."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synapse.config._base import Config

from dpobot.check import settings
from dpobot.check.settings import Settings, SettingsError, duration, read
from tests.unit.check.places import written


def test_a_file_of_a_real_homeserver_is_read(tmp_path: Path) -> None:
    """Comments, anchors, quotes and lists, as people write them."""
    text = """
# our homeserver
server_name: "example.org"
redaction_retention_period: 5d   # was 7d
forgotten_room_retention_period: '28d'
retention: &policy
  enabled: true
  default_policy:
    max_lifetime: 1y
media_storage_providers:
  - module: s3_storage_provider.S3StorageProviderBackend
    store_local: true
"""
    known = read([written(tmp_path, "homeserver.yaml", text)])
    assert known.duration("redaction_retention_period") == timedelta(days=5)
    assert known.duration("forgotten_room_retention_period") == timedelta(days=28)
    assert known.get("retention") == {"enabled": True, "default_policy": {"max_lifetime": "1y"}}
    assert [provider["store_local"] for provider in known.get("media_storage_providers")] == [True]
    assert known.duration("user_ips_max_age", "28d") == timedelta(days=28)


def test_later_files_replace_earlier_ones_key_by_key(tmp_path: Path) -> None:
    """As Synapse does: a folder's files by their names, only those that end in .yaml, whole sections at once."""
    first = written(tmp_path, "homeserver.yaml", "retention: {enabled: true, purge_jobs: []}\nuser_ips_max_age: 1d\n")
    written(tmp_path, "conf.d/20-late.yaml", "user_ips_max_age: 3d\n")
    written(tmp_path, "conf.d/10-early.yaml", "user_ips_max_age: 2d\nretention: {enabled: false}\n")
    written(tmp_path, "conf.d/30-off.yaml.disabled", "user_ips_max_age: 4d\n")
    written(tmp_path, "conf.d/40-empty.yaml", "# nothing here\n")
    known = read([first, tmp_path / "conf.d"])
    assert known.values == {"user_ips_max_age": "3d", "retention": {"enabled": False}}


def test_no_secret_is_kept(tmp_path: Path) -> None:
    """The file holds passwords and keys: they are neither kept nor asked for."""
    text = "registration_shared_secret: hush\ndatabase: {args: {password: hush}}\nenable_search: false\n"
    known = read([written(tmp_path, "homeserver.yaml", text)])
    assert known.values == {"enable_search": False}
    with pytest.raises(KeyError):
        known.get("registration_shared_secret")


def test_what_cannot_be_read_names_the_file_and_quotes_nothing(tmp_path: Path) -> None:
    """A line that is no YAML may be the one with the secret."""
    broken = written(tmp_path, "broken.yaml", "macaroon_secret_key: [hush\n")
    for path, said in ((broken, f"{broken} is not YAML"), (tmp_path / "none", "No such file")):
        with pytest.raises(SettingsError, match=said) as caught:
            read([path])
        assert "hush" not in str(caught.value)


def test_python_objects_in_a_file_are_refused(tmp_path: Path) -> None:
    """Settings are data: a file can't make us run anything."""
    path = written(tmp_path, "evil.yaml", "retention: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(SettingsError, match="is not YAML"):
        read([path])


@given(st.integers(0, 10**6), st.sampled_from(["", "s", "m", "h", "d", "w", "y"]))
def test_a_duration_is_what_synapse_takes_it_for(number: int, unit: str) -> None:
    """Compared with Synapse's own reading."""
    value = f"{number}{unit}"
    assert duration(value) == timedelta(milliseconds=Config.parse_duration(value))
    assert duration(number) == timedelta(milliseconds=Config.parse_duration(number))


@pytest.mark.parametrize("value", [True, "soon", "-1d", "7 d", "", [7], {}, 1.5])
def test_anything_else_is_no_duration(value: object) -> None:
    """Synapse would not start with it."""
    with pytest.raises(ValueError, match="not a duration"):
        duration(value)


def test_an_endless_duration_is_a_long_one() -> None:
    """Nobody's typing error may end the check."""
    assert duration(f"{10**30}y") == timedelta.max
    assert duration(None) is None


def test_a_key_that_no_check_declares_is_a_mistake() -> None:
    """It would never be read."""
    with pytest.raises(KeyError):
        Settings({}).get("server_name")
    assert "server_name" not in settings.KEYS

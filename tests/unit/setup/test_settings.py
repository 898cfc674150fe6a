"""The configuration that init writes is the example with other values: the two can't drift apart."""

import tomllib
from pathlib import Path

import pytest

from dpobot import config
from dpobot.setup import questions, settings
from tests.test_shape import example


def test_the_example_with_nothing_to_fill_in_is_the_example() -> None:
    """Not a character is lost."""
    assert settings.filled(settings.example(), {}) == settings.example()


def test_every_question_about_the_configuration_has_its_line_in_the_example() -> None:
    """And what stands there afterwards is what was answered."""
    mas = {"url": "https://auth.example.org", "client_id": "x", "client_secret_file": "secrets/mas"}
    values: dict[str, settings.Value | None] = {"homeserver.mas": mas}
    for question in questions.ALL:
        if question.key is not None and not question.key.startswith("homeserver.mas."):
            values[question.key] = ("a", 'b"c') if question.many else "answered"
    found = tomllib.loads(settings.filled(settings.example(), values))
    for path, value in values.items():
        section, key = path.split(".")
        assert (path, found[section][key]) == (path, list(value) if isinstance(value, tuple) else value)


def test_comments_stay_and_other_lines_do_not_change() -> None:
    """Only the line of the key is another one."""
    text = settings.filled(settings.example(), {"operator.name": 'Ünïcode\x7f & \\ " Co'})
    changed = [line for line in text.splitlines() if line not in settings.example().splitlines()]
    assert len(changed) == 1
    assert tomllib.loads(text)["operator"]["name"] == 'Ünïcode\x7f & \\ " Co'


def test_what_is_not_known_becomes_a_comment() -> None:
    """A bot whose password nobody knows has no password file."""
    text = settings.filled(settings.example(), {"matrix.password_file": None})
    assert '# password_file = "secrets/bot-password"' in text.splitlines()
    assert config.parse(tomllib.loads(text)).matrix.password_file is None


def test_a_key_that_the_example_does_not_have_is_a_mistake() -> None:
    """Nothing is dropped in silence."""
    with pytest.raises(KeyError, match=r"operator\.nobody"):
        settings.filled(settings.example(), {"operator.nobody": "x"})


def test_what_is_wrong_with_one_answer_is_said_of_it_alone() -> None:
    """By the same rules as for the whole configuration."""
    assert settings.problem("operator.dpo_email", "dpo@example.org") is None
    assert "pattern" in (settings.problem("operator.dpo_email", "nobody") or "")
    assert "pattern" in (settings.problem("staff.members", ("@a:b", "dora")) or "")
    assert settings.problem("homeserver.mas.url", "https://auth.example.org") is None
    assert "pattern" in (settings.problem("homeserver.mas.url", "auth.example.org") or "")


def test_the_example_is_the_one_that_is_shipped() -> None:
    """The checkout's."""
    assert tomllib.loads(settings.example()) == example()
    assert (Path(config.__file__).parents[1] / "bot.example.toml").read_text("utf-8") == settings.example()

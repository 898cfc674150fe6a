"""What people write, and what is understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.commands.parse import FreeText, Said, Vocabulary, parse, without_fallback, words_of
from dpobot.commands.registry import discover

VOCABULARY = discover().vocabulary


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("help", "help"),
        ("HELP", "help"),
        ("  Help!  ", "help"),
        ("!dpo help", "help"),
        ("!DPO   help", "help"),
        ("!help", "help"),
        ("\uff48\uff45\uff4c\uff50", "help"),  # full-width letters
        ("Hello", "help"),
        ("export", "export"),
        ("Export.", "export"),
        ("give me my data", "export"),
        ("Please give me all my data, thanks!", "export"),
        ("I want a copy of my data", "export"),
        ("Je veux mes données", "export"),
        ("je veux mes donne\u0301es s'il vous plaît", "export"),
        ("Ich möchte meine Daten haben", "export"),
        ("meine Daten", "export"),
        ("delete my account", "erase"),
        ("Could you delete my account please?", "erase"),
        ("Lösche mein Konto!", "erase"),
        ("Supprimer mon compte", "erase"),
        ("DELETE  MY\nACCOUNT", "erase"),
        ("my account was hacked", "security"),
        ("What are my rights?", "rights"),
        ("where is my data?", "status"),
        ("got it", "received"),
        ("ja", "yes"),
        ("nein danke", "no"),
        ("I\u2019d like to complain", "complaint"),
        ("> <@dpo:example.org> Shall I?\n> really\n\nyes", "yes"),
    ],
)
def test_a_command_is_understood(body: str, command: str) -> None:
    """Names, synonyms in three languages, courtesies, prefixes, quotations and look-alike characters."""
    parsed = parse(body, VOCABULARY)
    assert isinstance(parsed, Said)
    assert parsed.command == command


@pytest.mark.parametrize(
    "body",
    [
        "",
        "   ",
        "!dpo",
        "I do not want to delete my account",
        "exports",
        "helpful people here",
        "what happened to my room",
        "@dpo-staff:example.org approve",
        "approve DPO-2026-0001",
        "\u202eplehelp",
    ],
)
def test_anything_else_is_free_text(body: str) -> None:
    """Nothing is done on a guess."""
    assert isinstance(parse(body, VOCABULARY), FreeText)


def test_free_text_is_kept_as_it_was_written() -> None:
    """A human reads the person's own words."""
    assert parse("  My  “room” is\n gone ", VOCABULARY) == FreeText("My  “room” is\n gone")


def test_a_resemblance_is_only_a_hint() -> None:
    """The bot may ask whether that was meant; it doesn't act."""
    parsed = parse("Well, you know, some day I may have to delete my account here", VOCABULARY)
    assert isinstance(parsed, FreeText)
    assert parsed.meant == "erase"


def test_words_and_text_behind_a_command() -> None:
    """Quotation marks of all kinds hold words together; the text stays as it was written."""
    assert parse('complaint about "my room" and „das da“\nsecond line', VOCABULARY) == Said(
        "complaint",
        ("about", "my room", "and", "das da", "second", "line"),
        'about "my room" and „das da“\nsecond line',
    )


def test_text_on_the_next_line_belongs_to_the_command() -> None:
    """People write the subject, then the story."""
    assert parse("complaint\nit is slow", VOCABULARY) == Said("complaint", ("it", "is", "slow"), "it is slow")


def test_long_words_of_a_person_are_kept_whole() -> None:
    """Only the search for arguments is limited, not what reaches a human."""
    story = "complaint " + "because " * 5000
    parsed = parse(story, VOCABULARY)
    assert isinstance(parsed, Said)
    assert parsed.text == story.removeprefix("complaint").strip()
    assert len(parsed.words) == 64


def test_only_a_replys_quotation_is_taken_off() -> None:
    """What a person quotes themselves stays."""
    assert without_fallback("> my own quotation\nhelp") == "> my own quotation\nhelp"
    assert without_fallback("> * <@a:b> waves\n\nhelp") == "\nhelp"
    assert without_fallback("> <@a:b> all\n> quoted") == ""


def test_an_open_quotation_mark_is_just_a_character() -> None:
    """Nothing is lost behind it."""
    assert words_of('a "b c') == ("a", '"b', "c")


@given(st.text(max_size=2000))
def test_any_text_gives_an_answer(body: str) -> None:
    """Nothing that a user sends can break the parser, and what is no command is kept."""
    parsed = parse(body, VOCABULARY)
    assert isinstance(parsed, Said | FreeText)
    if isinstance(parsed, FreeText) and not body.startswith(">"):
        assert parsed.text == body.strip()


@given(st.sampled_from(sorted(VOCABULARY.words)), st.text(max_size=200))
def test_any_arguments_give_an_answer(word: str, rest: str) -> None:
    """Also behind every command."""
    assert isinstance(parse(f"{word} {rest}", VOCABULARY), Said | FreeText)


def test_a_megabyte_is_cut_before_it_is_looked_at() -> None:
    """Longer than any event; never kept."""
    parsed = parse("x" * 1_000_000, Vocabulary())
    assert isinstance(parsed, FreeText)
    assert len(parsed.text) == 65_536

"""The privacy notice: complete, filled in, found again."""

import re
from datetime import date
from pathlib import Path

import pytest

from dpobot.text import notice
from dpobot.text.notice import Notice, NoticeVersion
from dpobot.text.render import templates_folder
from tests.unit.text.samples import OPERATOR

FOLDER = templates_folder() / "notice"
TOPICS = {
    "legal basis", "rights", "erasure", "exceptional erasure", "portability", "what is collected", "device data",
    "federation", "bridging", "bots", "transfers", "enforcement", "passwords", "children", "access",
    "who sees messages", "staff access", "processors", "sale", "separation", "vulnerabilities", "complaints", "history",
}  # fmt: skip


@pytest.fixture(scope="module")
def loaded() -> Notice:
    return notice.load(FOLDER, OPERATOR)


@pytest.fixture(scope="module")
def version(loaded: Notice) -> NoticeVersion:
    return loaded.versions[-1]


def test_every_topic_has_a_section(version: NoticeVersion) -> None:
    """What a homeserver must tell its users is all there."""
    assert {topic for section in version.sections for topic in section.topics} == TOPICS


def test_numbers_and_ids_are_unique(version: NoticeVersion) -> None:
    """A number leads to one section."""
    assert len({section.number for section in version.sections}) == len(version.sections)
    assert len({section.id for section in version.sections}) == len(version.sections)


def test_the_operators_facts_are_filled_in(version: NoticeVersion) -> None:
    """No brace is left, and the facts stand where people look for them."""
    text = "\n".join(section.text for section in version.sections)
    assert not re.search(r"[{}]", text)
    for fact in (OPERATOR.name, OPERATOR.dpo_email, OPERATOR.security_email, OPERATOR.postal_address, "Host A, Host B"):
        assert fact in text
    assert f"at most {OPERATOR.log_days} days" in text


def test_the_file_name_is_the_date(loaded: Notice) -> None:
    """A version is found by the day on which it took effect."""
    assert [each.id for each in loaded.versions] == [path.stem for path in sorted(FOLDER.glob("*.toml"))]
    assert all(each.id == each.effective.isoformat() for each in loaded.versions)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("2.2", "rights"), ("2.2.", "rights"), ("Passwords", "passwords"), ("federation", "federation")],
)
def test_a_section_is_found_by_number_title_or_id(version: NoticeVersion, wanted: str, expected: str) -> None:
    """As people write it."""
    found = notice.section(version, wanted)
    assert found is not None
    assert found.id == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("password", "passwords"),
        ("IP address logs", "device-data"),
        ("irc bridge", "bridging"),
        ("children under 16", "children"),
    ],
)
def test_a_search_finds_the_section_first(version: NoticeVersion, words: str, expected: str) -> None:
    """The best match comes first."""
    assert notice.search(version, words)[0].id == expected


def test_a_search_for_nothing_finds_nothing(version: NoticeVersion) -> None:
    """Unknown words and no words."""
    assert notice.search(version, "xylophone") == []
    assert notice.search(version, "?!") == []


def test_paragraphs_and_points_are_told_apart(version: NoticeVersion) -> None:
    """A section is shown as it is laid out."""
    section = notice.section(version, "legal-basis")
    assert section is not None
    assert [block.points for block in section.blocks] == [False, True]
    assert len(section.blocks[1].lines) == 4


def test_which_version_was_in_force(tmp_path: Path) -> None:
    """From its date on, until the next one; before the first, none."""
    for day in ("2025-01-01", "2026-01-01"):
        (tmp_path / f"{day}.toml").write_text(
            f'id = "{day}"\neffective = {day}\nchanges = "c"\n'
            '[[section]]\nid = "a"\nnumber = "1"\ntitle = "t"\ntext = "x"\n'
        )
    both = notice.load(tmp_path, OPERATOR)
    days = [date(2024, 12, 31), date(2025, 1, 1), date(2025, 12, 31), date(2026, 1, 1)]
    found = [both.in_force(day) for day in days]
    assert [each and each.id for each in found] == [None, "2025-01-01", "2025-01-01", "2026-01-01"]
    assert both.current(date(2020, 1, 1)).id == "2025-01-01"


def test_no_notice_at_all_is_an_error(tmp_path: Path) -> None:
    """A bot without a notice must not start."""
    with pytest.raises(ValueError, match="no privacy notice"):
        notice.load(tmp_path, OPERATOR)

"""The state file survives a cut at any byte, belongs to one import, and to one run at a time."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.moving.journal import Journal, lines_of, notes_of
from dpobot.moving.stopped import ImportStopped

HEAD = {"bundle": "abc", "user": "@me:new.example", "homeserver": "https://new.example"}
_KEYS = st.text(alphabet="abc/!:\n\u2028é", max_size=4)
_LINES = st.lists(
    st.builds(
        lambda key, state, note: {"item": key, "state": state, **({"note": note} if note else {})},
        _KEYS,
        st.sampled_from(["begun", "done"]),
        _KEYS,
    )
)


@given(_LINES, st.integers(min_value=0, max_value=400))
def test_a_cut_anywhere_costs_the_last_line_at_most(lines: list[dict[str, str]], cut: int) -> None:
    """What is read of a file that was cut off is the beginning of what was written, up to a whole line."""
    whole = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    torn = whole[:cut]
    found, end = lines_of(torn)
    assert found == lines[: torn.count(b"\n")]
    assert torn[:end].count(b"\n") == len(found)
    assert len(torn) - end < max(len(json.dumps(line)) + 1 for line in lines) if lines else end == 0


def test_a_later_note_counts_and_done_stays_done() -> None:
    """A note is kept when the item is begun again without one."""
    lines = [
        {"item": "a", "state": "begun"},
        {"item": "a", "state": "begun", "note": "mxc://new/1"},
        {"item": "a", "state": "begun"},
        {"item": "b", "state": "begun"},
        {"item": "b", "state": "done"},
    ]
    assert notes_of(lines) == ({"a": "mxc://new/1", "b": ""}, {"b"})


def test_the_file_is_gone_on_from_after_a_torn_line(tmp_path: Path) -> None:
    """The torn end goes, what was whole counts, and only we may read it."""
    path = tmp_path / "state.jsonl"
    with Journal(path, HEAD) as journal:
        journal.begin("a")
        journal.finish("a")
        journal.begin("b", "note")
    path.write_bytes(path.read_bytes() + b'{"item": "b", "sta')
    with Journal(path, HEAD) as journal:
        assert (journal.begun, journal.done) == ({"a": "", "b": "note"}, {"a"})
        journal.finish("b")
    assert [json.loads(line).get("item") for line in path.read_text().splitlines()] == [None, "a", "a", "b", "b"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_another_import_s_file_and_one_in_use_are_refused(tmp_path: Path) -> None:
    """Each with what to do about it."""
    path = tmp_path / "state.jsonl"
    with Journal(path, HEAD), pytest.raises(ImportStopped, match="running already; wait"):
        Journal(path, HEAD)
    with pytest.raises(ImportStopped, match="state of another import; name another file"):
        Journal(path, HEAD | {"user": "@other:new.example"})


def test_a_dry_run_reads_the_file_and_never_writes_it(tmp_path: Path) -> None:
    """It is not even made."""
    path = tmp_path / "state.jsonl"
    with Journal(path, HEAD, keep=False) as journal:
        journal.begin("a")
    assert not path.exists()
    with Journal(path, HEAD) as journal:
        journal.finish("a")
    before = path.read_bytes()
    with Journal(path, HEAD, keep=False) as journal:
        journal.finish("b")
        assert journal.done == {"a"}
    assert path.read_bytes() == before

"""Node is found or asked for in one line: the ring is never skipped silently."""

from pathlib import Path

import pytest

from tests.interop import node


@pytest.fixture
def without_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "_from_wheel", lambda: None)


@pytest.mark.usefixtures("without_wheel")
def test_a_missing_node_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without Node the error is one line that says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(node.NodeMissing) as missing:
        node.find()
    assert str(missing.value) == node.CURE
    assert len(node.CURE.splitlines()) == 1


@pytest.mark.usefixtures("without_wheel")
def test_an_old_node_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A Node that is too old is refused, with its version and place."""
    for name in ("node", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\necho v18.20.4\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(node.NodeMissing) as old:
        node.find()
    assert str(old.value) == f"{node.CURE} (found Node 18 at {tmp_path / 'node'})"


def test_the_lock_file_names_no_address_but_the_public_registry() -> None:
    """Packages are pinned by hash; no mirror and no path of any machine is written down."""
    lines = node.LOCK.read_text().splitlines()
    resolved = [line for line in lines if '"resolved"' in line and "https://registry.npmjs.org/" not in line]
    assert resolved == []
    assert sum('"integrity"' in line for line in lines) == sum('"node_modules/' in line for line in lines)

"""What is installed elsewhere is whole: templates, translations, migrations and schemas come with the wheel."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.test_shape import ROOT

PROBE = """
import sys
from pathlib import Path
from datetime import date
import dpobot
from dpobot.app import templates_folder
from dpobot.config import load
from dpobot.model.records import Reply
from dpobot.text.notice import load as notices
from dpobot.text.render import Renderer
assert Path(dpobot.__file__).is_relative_to(sys.argv[1]), dpobot.__file__
assert templates_folder().is_relative_to(sys.argv[1]), templates_folder()
config = load(Path(sys.argv[2]))
version = notices(templates_folder() / "notice", config.operator).current(date(2026, 12, 1))
renderer = Renderer(templates_folder(), {"operator": config.operator, "bot": "@dpo:example.org"})
content = renderer.message(Reply("rights"), "en")
german = renderer.message(Reply("rights"), "de")
print(version.id, len(content["body"]) > 100, "Auskunft" in german["body"])
"""


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel would install."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_works_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    """Run from another folder, it finds its own templates and notice."""
    probe = [sys.executable, "-c", PROBE, str(installed), str(ROOT / "bot.example.toml")]
    environment = os.environ | {"PYTHONPATH": str(installed)}
    done = subprocess.run(probe, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("2026-11-22 True True\n", "")


def test_the_wheel_brings_migrations_schemas_and_types(installed: Path) -> None:
    """Files that are not modules are easily forgotten."""
    found = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    wanted = {
        "dpobot/py.typed",
        "dpobot/_bot.example.toml",
        "dpobot-0.1.0.data/data/share/dpobot/dpobot.service",
        "dpobot-0.1.0.data/data/share/dpobot/dpobot.sysusers",
        "dpobot/store/migrations/script.py.mako",
        "dpobot/archive/schemas/manifest.schema.json",
        "dpobot/_templates/user/greeting.html",
        "dpobot/_templates/archive/index.html",
        "dpobot/text/locale/de/LC_MESSAGES/dpobot.mo",
        "dpobot/text/locale/fr/LC_MESSAGES/dpobot.mo",
    }
    assert wanted - found == set()

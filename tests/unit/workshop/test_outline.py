"""A worker's configuration from the process that checked it: nothing is lost on the way."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from dpobot import worker
from dpobot.config import Config, parse
from dpobot.errors import ConfigurationError
from dpobot.jobs.parts import Parts
from dpobot.workshop import outline
from dpobot.workshop.engine import limits
from dpobot.workshop.jobs import functions_of
from tests.test_shape import example
from tests.unit.jobs.conftest import World, changed, config, renderer, world

__all__ = ["changed", "config", "renderer", "world"]  # fixtures that live beside the jobs' tests


def configured(tmp_path: Path, **sections: dict[str, Any]) -> Config:
    """Return the example's configuration with some of its sections changed."""
    data = {"directory": str(tmp_path / "data"), "database_url": "postgresql+psycopg://dpobot@localhost/dpobot"}
    return parse({**example(), "data": data, "cluster": {"enabled": True}, **sections})


def handed_over(whole: Config) -> str:
    """Return the text that arrives."""
    return outline.take_over(outline.hand_over(whole))


def test_all_of_it_arrives(tmp_path: Path) -> None:
    """The same configuration, piece for piece."""
    given = configured(tmp_path)
    assert outline.whole(handed_over(given)) == given


def test_what_a_waiting_worker_reads_has_the_same_names(tmp_path: Path) -> None:
    """Every path is a path, and every value of a simple type the same."""
    given = configured(tmp_path)
    seen = outline.outline(handed_over(given))
    assert (seen.data.directory, seen.database_url) == (given.data.directory, given.database_url)
    assert limits(seen) == limits(given)
    for name in ("cluster", "monitoring", "log"):
        section: BaseModel = getattr(given, name)
        assert vars(getattr(seen, name)) == section.model_dump()


def test_nobody_else_reads_it_on_the_way(tmp_path: Path) -> None:
    """It may hold the database's password: it has no name in any folder."""
    descriptor = outline.hand_over(configured(tmp_path))
    try:
        assert os.fstat(descriptor).st_nlink == 0
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        ({"cluster": {"enabled": False}}, "a worker is one of several machines"),
        ({"data": {"directory": "data"}}, "several machines need one database"),
    ],
    ids=["alone", "sqlite"],
)
def test_a_worker_needs_others_and_postgresql(
    tmp_path: Path, sections: dict[str, dict[str, Any]], sentence: str
) -> None:
    """A sentence with a cure, before anything is opened."""
    with pytest.raises(ConfigurationError, match=sentence):
        worker.become(configured(tmp_path, **sections))


def test_a_worker_says_at_its_start_which_secret_it_lacks(tmp_path: Path) -> None:
    """Not only when the first job comes."""
    with pytest.raises(ConfigurationError, match="admin-token"):
        worker.become(configured(tmp_path))


async def test_every_job_has_a_limit(world: World) -> None:
    """A worker offers what it has a limit for: one that is missing there would never run on one."""
    parts: Parts = world.parts
    assert functions_of(parts).keys() == limits(parts.config).keys()

"""Keys change: everything opens before, meanwhile and after, and nothing is left behind with an old key."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dpobot.model.ids import EventId
from dpobot.store import case_messages, key_file, resealing, seal
from dpobot.store.database import Database, Tx
from dpobot.store.resealing import Resealed
from dpobot.store.seal import Seal
from tests.unit.store import sealed


class Cut(Exception):
    """The power went."""


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A key file."""
    path = tmp_path / "seal.keys"
    seal.load_or_create(path)
    return path


@pytest.fixture
async def full(database_url: str, keys: Path) -> AsyncIterator[Database]:
    """A database with something in every place that is encrypted at rest."""
    made = Database(database_url, seal.load(keys))
    await made.open()
    await sealed.plant(made)
    yield made
    await made.close()


def rotate(keys: Path) -> str:
    """Make a new current key; return the former one's ID."""
    before = key_file.read(keys)
    key_file.put(keys, before.moved_on())
    return before.current


async def test_everything_is_closed_with_the_new_key(full: Database, keys: Path) -> None:
    """Every place of every table opens with the new key alone, and says what it said."""
    before = await sealed.opened(full)
    former = rotate(keys)
    places = sum(len(values) for values in before.values())
    assert await full.read(resealing.old_ones) == {former: places + 1}  # and the proof that the keys fit
    assert await resealing.reseal(full) == Resealed(done=places + 1)
    key_file.put(keys, key_file.read(keys).without_former())
    assert await sealed.opened(full) == before
    assert await full.read(resealing.old_ones) == {}
    assert await resealing.reseal(full) == Resealed()


async def test_interrupted_anywhere_it_goes_on(full: Database, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut at each value in turn: everything opens, and the next run begins where this one ended."""
    before = await sealed.opened(full)
    former = rotate(keys)
    left, close = sum((await full.read(resealing.old_ones)).values()), Seal.close

    def once(self: Seal, plain: bytes, context: str) -> bytes:
        if spent:
            raise Cut
        spent.append(context)
        return close(self, plain, context)

    runs = 0
    while left:
        spent: list[str] = []
        with monkeypatch.context() as cut:
            cut.setattr(Seal, "close", once)
            if left > 1:
                with pytest.raises(Cut):
                    await resealing.reseal(full)
            else:
                await resealing.reseal(full)
        assert await sealed.opened(full) == before
        now = (await full.read(resealing.old_ones)).get(former, 0)
        assert now in (left - 1, left)  # a batch of a table is one transaction: what was cut in it is undone
        runs += 1
        if now == left:
            await resealing.reseal(full)
            now = 0
        left = now
    assert runs > 0
    assert await full.read(resealing.old_ones) == {}


async def test_one_who_runs_takes_the_new_key_from_the_file(database_url: str, full: Database, keys: Path) -> None:
    """Another process, started before: it opens what was closed anew, and closes with the new key."""
    other = Database(database_url, seal.load(keys))
    await other.open()
    before = await sealed.opened(other)
    rotate(keys)
    await resealing.reseal(full)
    assert await sealed.opened(other) == before
    fresh = await other.write(lambda tx: _close(tx.seal))
    await other.close()
    assert Seal.key_of(fresh) == key_file.read(keys).current


async def _close(seal_: Seal) -> bytes:
    return seal_.close(b"x", "t.c")


async def test_a_key_file_that_is_half_copied_changes_nothing(full: Database, keys: Path) -> None:
    """Who copies it by hand writes it in pieces: the keys that are known still count."""
    before = await sealed.opened(full)
    whole = keys.read_text()
    keys.write_text(whole[: len(whole) // 2])
    assert await sealed.opened(full) == before
    keys.unlink()
    assert await sealed.opened(full) == before


async def test_what_does_not_open_is_counted_and_kept(full: Database, keys: Path) -> None:
    """A key was lost before: its values stay for the day it is found."""
    stranger = Seal({"lost": b"l" * 32}, "lost")

    async def add(tx: Tx) -> None:
        await case_messages.add(Tx(tx.conn, stranger), 1, EventId("$lost"), "lost words", **sealed.NOTE)

    await full.write(add)
    rotate(keys)
    done = await resealing.reseal(full)
    assert done.closed == 1
    assert await full.read(resealing.old_ones) == {"lost": 1}


async def test_many_rows_are_done_in_batches(full: Database, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of one row each: none is left out, none is done twice."""
    monkeypatch.setattr(resealing, "_BATCH", 1)
    before = await sealed.opened(full)
    rotate(keys)
    done = await resealing.reseal(full)
    assert done == Resealed(done=sum(len(values) for values in before.values()) + 1)
    assert await sealed.opened(full) == before


async def test_no_place_holds_words_in_clear(sqlite_url: str, keys: Path) -> None:
    """The bytes of the database and of its log hold none of what was planted in every sealed place."""
    made = Database(sqlite_url, seal.load(keys))
    await made.open()
    await sealed.plant(made)
    path = Path(sqlite_url.removeprefix("sqlite+aiosqlite:///"))
    content = b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
    opened = b"".join(value for values in (await sealed.opened(made)).values() for value in values)
    await made.close()
    assert (sealed.WORDS.encode() in opened, sealed.WORDS.encode() in content) == (True, False)

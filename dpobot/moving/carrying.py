"""The import itself: item after item, each noted before and after, so that a cut anywhere can be gone on from."""

from collections.abc import Callable, Iterator, Sequence

from dpobot.errors import Rejected, Unavailable
from dpobot.moving.item import Acting, Item, Standing, Verdict, because
from dpobot.moving.journal import Journal
from dpobot.moving.line import Line as Connection
from dpobot.moving.plan import Line
from dpobot.moving.present import Present

Say = Callable[[str], None]


class Carrying:
    """Carries items over to one account."""

    def __init__(
        self,
        line: Connection,
        present: Present,
        journal: Journal,
        picture: Callable[[str], bytes | None],
        say: Say,
    ) -> None:
        self._line, self._present, self._journal = line, present, journal
        self._picture, self._say = picture, say

    async def all(self, moving: Sequence[Item]) -> list[Line]:
        """Carry all items over, in order; return how each came out. Raises `ImportStopped` where nothing goes on."""
        lines = []
        for number, item in enumerate(moving, 1):
            standing = await self._one(item)
            lines.append(Line(item, standing))
            self._say(f"[{number}/{len(moving)}] {line_of(item, standing)}")
        return lines

    async def _one(self, item: Item) -> Standing:
        if item.key in self._journal.done:
            return Standing(Verdict.DONE, "by an earlier run")
        standing, begun = item.foresee(self._present), self._journal.begun.get(item.key)
        if begun is not None and standing.verdict is Verdict.THERE:
            if not standing.why:
                self._journal.finish(item.key)
            return Standing(Verdict.DONE, standing.why)
        if standing.verdict is not Verdict.WILL and not begun:
            return standing
        self._journal.begin(item.key)
        return await self._carried(item, begun or None)

    async def _carried(self, item: Item, begun: str | None) -> Standing:
        note = _noting(self._journal, item.key)
        try:
            standing = await item.carry(Acting(self._line, self._present, self._picture, begun, note))
        except (Rejected, Unavailable) as error:
            return Standing(Verdict.FAILED, because(error))
        if standing.verdict is Verdict.DONE and not standing.open:
            self._journal.finish(item.key)
        return standing


def _noting(journal: Journal, key: str) -> Callable[[str], None]:
    return lambda note: journal.begin(key, note)


def line_of(item: Item, standing: Standing) -> str:
    """Return a line of progress or of the report."""
    why = f": {standing.why}" if standing.why else ""
    return f"{item.section}: {item.label}: {standing.verdict.value}{why}"


def report(lines: Sequence[Line]) -> Iterator[str]:
    """Yield the report: item by item, what failed last, then how many of each."""
    for verdict in Verdict:
        for line in lines:
            if line.standing.verdict is verdict:
                yield line_of(line.item, line.standing)
    counted = [(verdict, sum(line.standing.verdict is verdict for line in lines)) for verdict in Verdict]
    yield ", ".join(f"{count} {verdict.value}" for verdict, count in counted if count) or "nothing to move"

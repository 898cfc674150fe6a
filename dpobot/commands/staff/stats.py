"""``stats``."""

from collections.abc import Sequence
from dataclasses import asdict

from dpobot.cases import queries
from dpobot.commands import chart
from dpobot.commands.spec import Arguments, Outcome, StaffCommand, StaffContext
from dpobot.model.records import Attachment, Reply, StaffMessage
from dpobot.text.language import translatable

ORDER = 110


async def run(context: StaffContext, message: StaffMessage, arguments: Arguments) -> Sequence[Outcome]:
    """Count the cases: where they stand, how long answers took, by kind; with a picture."""
    kinds = await queries.counts_by_kind(context.tx, context.now)
    medians = {median.kind: median for median in await queries.medians(context.tx)}
    rows = [
        {
            "kind": each.kind.value,
            "open": each.open,
            "overdue": each.overdue,
            "closed": each.closed,
            "days": medians[each.kind].days if each.kind in medians else None,
        }
        for each in kinds
    ]
    values = {"counts": asdict(await queries.counts(context.tx, context.now)), "kinds": rows}
    bars = [chart.Bar(each.kind.value, each.open - each.overdue, each.overdue, each.closed) for each in kinds]
    picture = Attachment("stats.png", "image/png", chart.png(bars)) if bars else None
    return [Reply("staff/stats", values, attachment=picture)]


COMMANDS = (
    StaffCommand(
        name="stats",
        summary=translatable("how many cases there are, and how long answers took"),
        run=run,
        needs_case=False,
    ),
)

"""How findings are shown: lines for people, JSON for machines, and an exit status for a timer."""

import json
from collections.abc import Iterator, Sequence

from dpobot.check.finding import Finding, Standing

_STATUS = {Standing.OK: 0, Standing.UNSEEN: 0, Standing.WARNING: 1, Standing.FAILED: 2}
_WIDTH = max(len(standing) for standing in Standing)


def status(findings: Sequence[Finding]) -> int:
    """Return 0 if nothing is to be done, 1 after a warning, 2 after a failure; what can't be seen changes nothing."""
    return max((_STATUS[finding.answer.standing] for finding in findings), default=0)


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield what people read: a line for each finding, its cure below, and how many there are of each kind."""
    for finding in findings:
        answer = finding.answer
        yield f"{answer.standing:<{_WIDTH}}  {finding.check.name}: {answer.sentence}"
        if answer.cure:
            yield f"{'':<{_WIDTH}}  -> {answer.cure}"
    counts = {standing: sum(f.answer.standing is standing for f in findings) for standing in Standing}
    yield ", ".join(f"{count} {standing}" for standing, count in counts.items() if count)


def as_json(findings: Sequence[Finding]) -> str:
    """Return the findings for machines: an object with ``status`` and ``findings``."""
    document = {"status": status(findings), "findings": [finding.to_json() for finding in findings]}
    return json.dumps(document, indent=1, ensure_ascii=False)

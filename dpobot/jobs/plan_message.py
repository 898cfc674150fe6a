"""The plan of an erasure as its person reads it: what goes, what stays, how long it takes, and what else can be chosen.

Pure; the words are in ``templates/user/erase_plan.html``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dpobot.config import Config
from dpobot.jobs.estimate import estimate
from dpobot.model.erasure import ErasureOptions, Survey
from dpobot.model.records import Case, Reply

_SERVERS_SHOWN = 10
_NAMES = ("redact", "media", "direct", "tell")


def message(
    case: Case, options: ErasureOptions, survey: Survey, code: str, until: datetime, config: Config, *, changed: bool
) -> Reply:
    """Return the plan with its code, good until ``until``; ``changed``: it is not the one that they confirmed."""
    others = alternatives(options, survey, tell=config.notices.send == "staff")
    redactions = survey.state + (survey.messages if options.redact else 0)
    taken = estimate(redactions)
    values: Mapping[str, Any] = {
        "reference": case.reference,
        "changed": changed,
        "options": {name: getattr(options, name) for name in _NAMES},
        "survey": {**survey.to_json(), "servers": list(survey.servers[:_SERVERS_SHOWN])},
        "more_servers": max(0, len(survey.servers) - _SERVERS_SHOWN),
        "media_going": survey.media if options.media else survey.media_private,
        "redactions": redactions,
        "seconds": {"fast": taken.fast, "slow": taken.slow},
        "database_days": taken.days,
        "log_days": config.operator.log_days,
        "others": [{"words": words, "what": what, "on": on} for words, what, on in others],
        "code": code,
        "until": until,
    }
    return Reply("erase_plan", values, choices=tuple(words for words, _, _ in others))


def alternatives(options: ErasureOptions, survey: Survey, *, tell: bool = False) -> Sequence[tuple[str, str, bool]]:
    """Return what else can be chosen: the words to say, the option that differs, and whether it would be on.

    What makes no difference for this account is not offered. ``tell``: whether other servers can be told.
    """
    there = {
        "redact": survey.messages,
        "media": survey.media - survey.media_private,
        "direct": survey.direct_rooms,
        "tell": len(survey.servers) if tell else 0,
    }
    names = [name for name in _NAMES if getattr(options, name) or there[name] > 0]
    return [(_flipped(options, name), name, not getattr(options, name)) for name in names]


def _flipped(options: ErasureOptions, name: str) -> str:
    """Return the command that asks for the same but for one option; what was said of a copy is remembered."""
    return " ".join(["erase", *(each for each in _NAMES if getattr(options, each) is not (each == name))])

"""The statement as values: for the page, and as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dpobot.archive.facts import PackageFacts
from dpobot.archive.statement import sentences
from dpobot.archive.statement.held import Held, State, held
from dpobot.archive.statement.law import Facts
from dpobot.archive.statement.recipients import Named, named
from dpobot.archive.telling import Telling
from dpobot.text import language

# Art. 15(1)(e), and what people say here to use each right
RIGHTS: Sequence[tuple[str, str]] = (
    ("12-14", "privacy"),
    ("15", "access"),
    ("16", "rectify"),
    ("17", "erase"),
    ("18", "restrict"),
    ("20", "export"),
    ("21", "object"),
    ("22", "automated"),
    ("77", "complaint"),
)


@dataclass(frozen=True, slots=True)
class Words:
    """The legal facts of a category in sentences of one language."""

    source: Sequence[str]
    purposes: Sequence[str]
    ground: str
    retention: str
    recipients: Sequence[str]


@dataclass(frozen=True, slots=True)
class Statement:
    """All that is told. ``words`` by category; ``added``: files that staff have put in from other systems."""

    facts: PackageFacts
    held: Sequence[Held]
    words: Mapping[str, Words]
    recipients: Named | None
    added: int

    def of(self, state: State) -> list[Held]:
        """Return the categories of which this can be said."""
        return [each for each in self.held if each.state is state]


def statement(telling: Telling) -> Statement:
    """Return what is to be told."""
    all_held = held(telling)
    words = {each.category: words_of(each.facts, telling.facts) for each in all_held if each.facts}
    added = sum(1 for _ in telling.spool.added())
    return Statement(telling.facts, all_held, words, named(telling.spool), added)


def words_of(facts: Facts, about: PackageFacts) -> Words:
    """Return what the codes of a category mean."""

    def said(known: Mapping[str, str], *codes: str) -> list[str]:
        text = language.translations(about.language).gettext
        return [text(known[code]).format(log_days=about.operator.log_days) for code in codes]

    return Words(
        said(sentences.SOURCES, *facts.source),
        said(sentences.PURPOSES, *facts.purposes),
        said(sentences.GROUNDS, facts.ground)[0],
        said(sentences.RETENTIONS, facts.retention)[0],
        said(sentences.RECIPIENTS, *facts.recipients),
    )


def data(told: Statement) -> dict[str, Any]:
    """Return the statement as JSON (``schemas/statement.schema.json``)."""
    facts, operator = told.facts, told.facts.operator
    return {
        "schema_version": facts.schema_version,
        "reference": facts.reference,
        "person": facts.person,
        "created_at": facts.created_at.isoformat(),
        "language": facts.language,
        "notice_version": facts.notice_version,
        "since": facts.since.isoformat() if facts.since else None,
        "until": facts.until.isoformat() if facts.until else None,
        "controller": {
            "name": operator.name,
            "service": operator.service,
            "postal_address": operator.postal_address,
            "country": operator.country,
        },
        "data_protection_officer": operator.dpo_email,
        "authority": {"name": operator.authority, "url": operator.authority_url},
        "hosting": list(operator.hosting),
        "categories": [_category(each, told.words.get(each.category)) for each in told.held],
        "other_systems": told.added,
        "recipients": told.recipients.listed() if told.recipients else None,
        "automated_decisions": False,
        "profiling": False,
        "rights": [{"article": article, "command": command} for article, command in RIGHTS],
    }


def _category(each: Held, words: Words | None) -> dict[str, Any]:
    return {
        "category": each.category,
        "title": each.title,
        "state": each.state.value,
        "count": each.count,
        "truncated": each.truncated,
        "missing": each.missing,
        "incomplete": dict(each.incomplete),
        "fields": list(each.fields),
        "kinds": dict(each.kinds),
        "size": each.size,
        "law": _law(each.facts, words) if each.facts and words else None,
    }


def _law(facts: Facts, words: Words) -> dict[str, Any]:
    def coded(codes: Sequence[str], texts: Sequence[str]) -> list[dict[str, str]]:
        return [{"code": code, "text": text} for code, text in zip(codes, texts, strict=True)]

    return {
        "source": coded(facts.source, words.source),
        "purposes": coded(facts.purposes, words.purposes),
        "ground": {"article": f"6(1)({facts.ground})", "text": words.ground},
        "retention": {"code": facts.retention, "text": words.retention},
        "recipients": coded(facts.recipients, words.recipients),
        "automated_decisions": False,
        "notice": facts.notice,
    }

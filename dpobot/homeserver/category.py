"""What a category of personal data is: where it is asked for, why it is held, which of its fields leave."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, TypeVar, Union

from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.api import Collected
from dpobot.homeserver.http import JSON_BYTES, Again, Http, always
from dpobot.homeserver.puppet import Lender, SynapseLender
from dpobot.homeserver.reasons import REASONS, reason_of
from dpobot.model.ids import UserId

Record = Mapping[str, Any]
Params = Mapping[str, str | int]
Token = TypeVar("Token", str, int)


class Keep(Enum):
    """How much of a field leaves."""

    PLAIN = "plain"  # text, number, truth value, or a list of them; anything deeper is dropped
    WHOLE = "whole"  # as it is, for what the person wrote themselves


Fields = Mapping[str, Union[Keep, "Fields"]]
PLAIN = Keep.PLAIN
WHOLE = Keep.WHOLE


@dataclass(frozen=True, slots=True)
class Subject:
    """The person whose data is asked for, and the line to the server; ``token`` is set while acting as them.

    ``lender`` gives that token.
    """

    user: UserId
    http: Http
    token: str | None = field(default=None, repr=False)
    lender: Lender = field(default_factory=SynapseLender, repr=False)

    async def ask(
        self,
        endpoint: str,
        *,
        params: Params | None = None,
        body: Mapping[str, Any] | None = None,
        again: Again = always,
        max_bytes: int = JSON_BYTES,
        **path: str,
    ) -> dict[str, Any]:
        """Make a request; ``{user}`` in the endpoint is the person, other names come from ``path``.

        ``again`` says after which failures it may be tried again. Raises `Rejected` ``answer_too_large`` beyond
        ``max_bytes``.
        """
        names = {"user": self.user, **path}
        return await self.http.call(
            endpoint, path=names, params=params, body=body, token=self.token, again=again, max_bytes=max_bytes
        )

    @contextlib.asynccontextmanager
    async def acting(self) -> AsyncIterator["Subject"]:
        """Ask as the person instead of as the admin, for as long as the context lasts."""
        async with self.lender.lend(self.http, self.user) as token:
            yield replace(self, token=token)


@dataclass(frozen=True, slots=True)
class Found:
    """What a category's question brought, before the allow-list."""

    records: tuple[Record, ...] = ()
    truncated: bool = False


Ask = Callable[[Subject], Awaitable[Found]]


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of personal data. Without ``ask`` it can't be had at all, and ``missing`` says why."""

    name: str
    title: str
    purpose: str  # why it is held, by which article of the GDPR, and what of it stays out of a copy (Art. 15(1)(a))
    endpoints: tuple[str, ...] = ()
    fields: Fields = field(default_factory=dict)
    ask: Ask | None = None
    missing: str | None = None
    remote: bool = False  # can also be had of people whose account is on another server

    def __post_init__(self) -> None:
        if (self.ask is None) == (self.missing is None):
            raise ValueError(f"{self.name}: needs a question or a reason why there is none")
        if self.missing is not None and self.missing not in REASONS:
            raise ValueError(f"{self.name}: unknown reason {self.missing}")

    async def collect(self, subject: Subject) -> Collected:
        """Return what the server holds, reduced to the allow-list. Raises `Unavailable`, or `Rejected` for a fault."""
        if self.ask is None:
            return Collected(self.name, (), missing=self.missing)
        try:
            found = await self.ask(subject)
        except Rejected as error:
            reason = reason_of(error)
            if reason is None:
                raise
            return Collected(self.name, (), missing=reason)
        records = tuple(allowed(record, self.fields) for record in found.records)
        return Collected(self.name, records, truncated=found.truncated)


def allowed(record: Record, fields: Fields) -> dict[str, Any]:
    """Return the part of a record that the allow-list names; what has another shape than declared is left out."""
    kept: dict[str, Any] = {}
    for name, rule in fields.items():
        if name in record:
            value = _part(record[name], rule)
            if value is not None or record[name] is None:
                kept[name] = value
    return kept


def _part(value: Any, rule: Keep | Fields) -> Any:
    if rule is WHOLE:
        return value
    if rule is PLAIN:
        return value if _plain(value) else None
    assert not isinstance(rule, Keep)  # noqa: S101 - both members are handled above; this tells the type checker
    if isinstance(value, Mapping):
        return allowed(value, rule)
    if isinstance(value, list):
        return [allowed(each, rule) for each in value if isinstance(each, Mapping)]
    return None


def _plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(each, str | int | float | bool) for each in value)
    return isinstance(value, str | int | float | bool)


def records_of(value: Any) -> tuple[Record, ...]:
    """Return the objects of a list that a server sent. Raises `Unavailable` ``bad_answer`` for anything else.

    Not an empty answer: what can't be understood must not look like nothing held.
    """
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        raise Unavailable("bad_answer")
    return tuple(value)


def entries(value: Any) -> Iterable[tuple[str, Any]]:
    """Return the members of an object that a server sent, by name. Raises `Unavailable` ``bad_answer`` otherwise."""
    return sorted(object_of(value).items())


def object_of(value: Any) -> Record:
    """Return an object that a server sent. Raises `Unavailable` ``bad_answer`` for anything else."""
    if not isinstance(value, Mapping):
        raise Unavailable("bad_answer")
    return value


def following(answer: Record, name: str, kind: type[Token]) -> Token | None:
    """Return where the next page begins, or None at the end. Raises `Unavailable` ``bad_answer`` for anything else."""
    value = answer.get(name)
    if value is not None and not isinstance(value, kind):
        raise Unavailable("bad_answer")
    return value

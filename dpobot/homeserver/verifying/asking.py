"""Questions about one person, and what an answer, or a refusal to answer, means for what is left."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.http import Http
from dpobot.model.erasure import Residual
from dpobot.model.ids import UserId

Answer = Mapping[str, Any]

STILL_THERE = "still_there"
NOT_OFFERED = "not_offered"
NOT_ASKABLE = "not_askable"

OLDER_SERVER = {"M_UNRECOGNIZED": NOT_OFFERED}
NOT_FOR_OTHERS = {
    "M_UNRECOGNIZED": NOT_OFFERED,
    "M_FORBIDDEN": NOT_ASKABLE,
    "M_USER_DEACTIVATED": NOT_ASKABLE,
    "M_USER_LOCKED": NOT_ASKABLE,
}


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom it is about and the line to the server; ``token`` is set while asking as that person."""

    user: UserId
    http: Http
    token: str | None = field(default=None, repr=False)

    async def ask(
        self,
        endpoint: str,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        **path: str,
    ) -> Answer:
        """Make a request; ``{user}`` in the endpoint is the person."""
        return await self.http.call(
            endpoint, path={"user": self.user, **path}, params=params, body=body, token=self.token
        )

    def speaking_as(self, token: str | None) -> "Asking":
        """Return the same with another token."""
        return replace(self, token=token)


Question = Callable[[Asking], Awaitable[Sequence[Residual]]]


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question, and what refusals mean: ``none``: errcodes for "there is none"; ``open``: errcode to reason code.

    Any other refusal is a fault. In particular nothing may look empty because our own token is no admin's any more.
    """

    category: str
    question: Question
    none: tuple[str, ...] = ()
    open: Mapping[str, str] = field(default_factory=dict)

    async def put(self, asking: Asking) -> list[Residual]:
        """Return what is left; not to be told is a residual of its own. Raises `Unavailable` or `Rejected`."""
        try:
            return list(await self.question(asking))
        except Rejected as refusal:
            if refusal.code in self.none:
                return []
            if refusal.code not in self.open:
                raise
            return [Residual(self.category, 0, self.open[refusal.code])]


def left(category: str, count: int, reason: str = STILL_THERE) -> list[Residual]:
    """Return that so many are left, nothing for none."""
    return [Residual(category, count, reason)] if count else []


def listed(answer: Answer, name: str) -> Sequence[Any]:
    """Return a list of an answer. Raises `Unavailable` for another shape: it must not look like nothing left."""
    value = answer.get(name)
    if not isinstance(value, list):
        raise Unavailable("bad_answer")
    return value


def mapped(answer: Answer, name: str) -> Mapping[str, Any]:
    """Return an object of an answer, an empty one if there is none. Raises `Unavailable` for another shape."""
    value = answer.get(name, {})
    if not isinstance(value, Mapping):
        raise Unavailable("bad_answer")
    return value


def counted(answer: Answer, name: str) -> int:
    """Return a number of an answer. Raises `Unavailable` for another shape."""
    value = answer.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unavailable("bad_answer")
    return value

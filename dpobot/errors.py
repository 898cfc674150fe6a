"""The kinds of trouble: what a person is told, what is tried again, what is final."""


class DpobotError(Exception):
    """Base of every error that dpobot raises on purpose."""


class Refusal(DpobotError):
    """Expected: the person hears a sentence with a hint, from ``templates/user/refusal_<code>.html``.

    ``values`` fill the sentence's template. They never reach a log.
    """

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


class StaffRefusal(Refusal):
    """The same for a member of staff: its sentence is ``templates/staff/refusal_<code>.html``."""


class Unavailable(DpobotError):
    """Transient: a time-out, a 429, a 5xx, a lost connection, a full disk. Try again later.

    ``code`` is a stable name without personal data; ``retry_after`` is what the other side asked for, seconds.
    """

    def __init__(self, code: str, retry_after: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after


class Rejected(DpobotError):
    """Final: the other side understood and says no. ``code``: its errcode (``M_FORBIDDEN``), ``status``: of HTTP."""

    def __init__(self, code: str, status: int | None = None) -> None:
        super().__init__(code if status is None else f"{status} {code}")
        self.code = code
        self.status = status


class Gone(Rejected):
    """The other side no longer has it (404 for a medium, an event, a room)."""


class ConfigurationError(DpobotError):
    """The configuration can't be used; ``problems`` holds one line each: dotted path, what is wrong, hint."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Outdated(DpobotError):
    """A newer dpobot has moved the database on while this one ran: it must stop. Revisions: ``found``, ``known``."""

    def __init__(self, found: str, known: str) -> None:
        super().__init__(
            f"the database was brought to revision {found} by another dpobot, and this one knows {known}:"
            " it stops, and the version that is installed now has to be started"
        )
        self.found = found
        self.known = known


class Tripwire(DpobotError):
    """Somebody else's data was about to enter or leave in an archive (product: Export). ``code`` says where."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

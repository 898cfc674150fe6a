"""What a client does after each /sync: keep own keys on the server, learn changed ones, heal broken sessions."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from dpobot import log
from dpobot.errors import DpobotError, Rejected
from dpobot.matrix.directory import Directory
from dpobot.matrix.hardening import Machine
from dpobot.matrix.http import Http, path
from dpobot.matrix.sharing import Sharing

_ALGORITHM = "signed_curve25519"
_log = log.get(__name__)


class Upkeep:
    """Does the chores; none of them can stop the session, a failure is logged and tried again after the next /sync."""

    def __init__(self, http: Http, machine: Machine, directory: Directory, sharing: Sharing) -> None:
        self._http = http
        self._machine = machine
        self._directory = directory
        self._sharing = sharing
        self._on_server: int | None = None
        self._fallback_used = False

    def note(self, sync: Mapping[str, Any]) -> None:
        """Take over the counts of a /sync answer. A count of 0 is a number, and an absent one means 0 (spec: /sync)."""
        counts = sync.get("device_one_time_keys_count")
        count = counts.get(_ALGORITHM, 0) if isinstance(counts, dict) else 0
        self._on_server = count if isinstance(count, int) else 0
        unused = sync.get("device_unused_fallback_key_types")
        self._fallback_used = isinstance(unused, list) and _ALGORITHM not in unused  # absent: not supported

    async def run(self) -> None:
        """Do what is due."""
        await self._try("keys_upload_failed", self.upload_due)
        await self._try("keys_query_failed", lambda: self._directory.ensure(self._directory.stale))
        await self._try("suspects_query_failed", self._learn_suspects)
        await self._try("olm_renewal_failed", self._sharing.heal)

    async def _try(self, action: str, chore: Callable[[], Awaitable[None]]) -> None:
        try:
            await chore()
        except DpobotError as error:
            _log.warning(action, reason_code=str(getattr(error, "code", "")))
        except Exception as error:  # noqa: BLE001 - strangers' keys pass through here; a chore must not stop the session
            _log.error(action, reason_code=type(error).__name__)

    async def upload_due(self) -> None:
        """Upload keys if the server has too few."""
        if self._on_server is not None:
            await self.upload(self._on_server, self._fallback_used)

    async def upload(self, on_server: int, fallback_used: bool) -> None:
        """Bring the server's one-time keys up to the full number, and the fallback key if it was used."""
        body = self._machine.upload_body(on_server, fallback_used)
        if not body:
            return
        try:
            answer = await self._http.call("POST", path("keys", "upload"), body)
        except Rejected as error:
            if "device_keys" not in body and error.status == 400:
                # The server has other keys of the same names (a store was put back): give these up, the next are new.
                self._machine.uploaded()
            raise
        self._machine.uploaded()
        self.note_count(answer)

    def note_count(self, answer: Mapping[str, Any]) -> None:
        """Take over the count that /keys/upload answered."""
        counts = answer.get("one_time_key_counts")
        if isinstance(counts, dict) and isinstance(counts.get(_ALGORITHM), int):
            self._on_server = counts[_ALGORITHM]
        self._fallback_used = False

    async def _learn_suspects(self) -> None:
        for sender in sorted({sender for sender, _ in self._machine.suspects})[:20]:
            await self._directory.fresh(sender)

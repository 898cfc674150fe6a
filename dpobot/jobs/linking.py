"""The other way out: volumes that are too many for a room stay here, encrypted, and a link to them goes into the room.

Each line can be resumed: the link's secret is kept sealed until it is sent, so that a crash makes neither two nor none.
"""

import asyncio
from datetime import timedelta

from dpobot.archive.facts import VolumeFile
from dpobot.delivery import link
from dpobot.download import token
from dpobot.download.shelf import Shelf
from dpobot.engine.api import StepResult, Steps
from dpobot.errors import Rejected, Unavailable
from dpobot.jobs.parts import Parts
from dpobot.jobs.way_out import WayOut, unless_room_changed
from dpobot.model.ids import EventId, RoomId
from dpobot.model.records import Case, Reply
from dpobot.store import downloads, volumes
from dpobot.store.database import Tx


class Linking:
    """One case's archive on its way behind a link. ``generation`` names its spool: steps of a lost one don't count."""

    def __init__(self, parts: Parts, case: Case, steps: Steps, generation: str) -> None:
        self._parts = parts
        self._case = case
        self._steps = steps
        self._generation = generation
        self._shelf = Shelf(parts.downloads)
        self._way = WayOut(parts, case)

    async def all(self, files: list[VolumeFile], language: str) -> None:
        """Encrypt the volumes for a link, and send it; finished steps are not done again."""
        await self._steps.step(self._name("link"), self._promise)
        for file in files:
            await self._steps.step(self._name("shelve", file.number), lambda file=file: self._shelve(file))  # type: ignore[misc] # bound per turn
        await self._steps.step(self._name("send link"), lambda: self._send(files, language))

    def _name(self, *parts: object) -> str:
        return ":".join([self._generation, *(str(part) for part in parts)])

    async def _promise(self) -> StepResult:
        await self._parts.database.write(self._keep)
        return {}

    async def _keep(self, tx: Tx) -> None:
        secret, now = token.new_token(), self._parts.clock.now()
        await downloads.promise(
            tx, self._case.id, secret, token.hash_of(secret), now=now, expires_at=now + self._lifetime
        )

    async def _shelve(self, file: VolumeFile) -> StepResult:
        secret = await self._secret()
        await asyncio.to_thread(self._shelf.put, self._case.id, secret, file.number, file.path, file.size, file.sha256)
        await self._parts.database.write(
            lambda tx: volumes.put(tx, self._case.id, file.number, file.size, file.sha256, file.path.name)
        )
        return {"size": file.size}

    async def _send(self, files: list[VolumeFile], language: str) -> StepResult:
        known = await self._parts.database.read(lambda tx: downloads.of_case(tx, self._case.id))
        if known is None:
            raise Unavailable("link_lost")
        if known.sent_at is not None:  # a crash came between this note and the step's
            return {"event_id": known.event_id}
        room_id = await self._way.safe_room()
        event_id = await self._say(room_id, files, language, known.token_hash)
        now = self._parts.clock.now()
        await self._parts.database.write(lambda tx: downloads.sent(tx, self._case.id, room_id, event_id, now))
        return {"event_id": event_id}

    async def _say(self, room_id: RoomId, files: list[VolumeFile], language: str, token_hash: str) -> EventId:
        """Send the link; it may have waited for long, and is good for its whole time from now on."""
        until = self._parts.clock.now() + self._lifetime
        await self._parts.database.write(lambda tx: downloads.renew(tx, self._case.id, until))
        values = {
            "reference": self._case.reference,
            "url": f"{(self._parts.config.download.url or '').rstrip('/')}/{await self._secret()}",
            "count": len(files),
            "size": sum(file.size for file in files),
            "until": until,
        }
        content = self._parts.renderer.message(Reply("download_link", values), language)
        try:
            return await link.send(self._parts.matrix, self._case, room_id, content, token_hash)
        except Rejected as refusal:
            raise unless_room_changed(refusal) from refusal

    async def _secret(self) -> str:
        secret = await self._parts.database.read(lambda tx: downloads.token_of(tx, self._case.id))
        if secret is None:
            raise Unavailable("link_lost")
        return secret

    @property
    def _lifetime(self) -> timedelta:
        return timedelta(hours=self._parts.config.download.hours)

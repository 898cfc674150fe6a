"""`Session`: the real `Matrix`, one account on one device, on matrix-nio's Olm machine."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from dpobot import log
from dpobot.errors import Rejected
from dpobot.matrix.api import Matrix, Powers, Received, SyncBatch, TrustAnswer
from dpobot.matrix.decryption import Decryption, Withheld
from dpobot.matrix.desk import Desk
from dpobot.matrix.directory import Directory
from dpobot.matrix.folder import Folder
from dpobot.matrix.hardening import Machine, Store, require_nio
from dpobot.matrix.http import Http, path
from dpobot.matrix.identity import Bootstrap
from dpobot.matrix.login import STORE, Device, device
from dpobot.matrix.repeats import Repeats, marked
from dpobot.matrix.sharing import Sharing
from dpobot.matrix.sync import Sync
from dpobot.matrix.trust import establish
from dpobot.matrix.upkeep import Upkeep
from dpobot.model.ids import DeviceId, EventId, RoomId, UserId
from dpobot.model.records import CryptoOrigin

_ROUNDS = 100_000  # of PBKDF2, for a passphrase that people choose (spec, "Key exports": at least that many)
_log = log.get(__name__)


class Session(Desk):
    """An account in use, with its keys: made by `open`, ended by `close`. For its methods see `dpobot.matrix.api`."""

    def __init__(self, http: Http, folder: Folder, own: Device) -> None:
        super().__init__(http, own.user_id)
        self._folder = folder
        self._device = own
        self._machine = _machine(folder, own)
        self._directory = Directory(http, self._machine)
        self._sharing = Sharing(http, self._machine, self._directory)
        self._upkeep = Upkeep(http, self._machine, self._directory, self._sharing)
        withheld = Withheld()
        self._decryption = Decryption(self._machine, withheld)
        self._sync = Sync(http, self._machine, self._directory, self._rooms, self._upkeep, self._decryption, withheld)
        self._repeats: Repeats | None = None
        self.master_key = ""  # public, base64: for the privacy page, so that people can verify the account

    @classmethod
    async def open(
        cls,
        *,
        homeserver_url: str,
        user_id: UserId,
        password: Callable[[], str],
        device_name: str,
        folder: Path,
        recovery_key: Callable[[], str] | None = None,
        founds: bool = True,
    ) -> Self:
        """Log in, or take up the device kept in ``folder``; sees to the account's cross-signing identity.

        ``password`` is called at the first start and when the homeserver asks for it again; ``recovery_key`` when the
        account has an identity that ``folder`` does not hold: it was lost, or this is another machine. ``founds``:
        whether an account without an identity gets one; where another machine is doing that now, two would be made.
        Raises `ConfigurationError` for what an operator must mend, `Unavailable`, `Rejected`.
        """
        require_nio()
        private = Folder(folder).open()
        http = Http(homeserver_url)
        session: Self | None = None
        try:
            own = await device(http, private, user_id, password, device_name)
            session = cls(http, private, own)
            await session._start(password, recovery_key, founds=founds)
        except BaseException:
            await (session.close() if session is not None else _abandon(http, private))
            raise
        return session

    async def _start(
        self, password: Callable[[], str], recovery_key: Callable[[], str] | None, *, founds: bool
    ) -> None:
        if not self._machine.account.shared:
            await self._upkeep.upload(0, True)
        bootstrap = Bootstrap(self._http, self._folder, self._machine, self._directory)
        self.master_key = await bootstrap.run(password, recovery_key, founds=founds)
        _log.info("session_open", sender=self._device.user_id)

    async def close(self) -> None:
        """End the session; the device stays logged in."""
        self._machine.store.database.close()
        await _abandon(self._http, self._folder)

    @property
    def device_id(self) -> DeviceId:
        """The device that this session is."""
        return self._device.device_id

    @property
    def access_token(self) -> str:
        """What lets another machine act for this device, but for what needs its keys. A secret."""
        return self._device.access_token

    async def sync(self, since: str | None, timeout_ms: int) -> SyncBatch:
        """See `Matrix.sync`; the first call of a session does not wait."""
        return await self._sync.batch(since, timeout_ms)

    async def keep_keys(self) -> None:
        """Keep this device ready while another device of the account is the one that serves.

        Room keys that wait for this device are taken in, and its one-time keys on the server are made up. Before
        `sync` goes on with a token that another device has got, this must have been called. Raises `Unavailable`.
        """
        await self._sync.keep_keys()

    def goes_on(self, seconds: float) -> None:
        """Say that this device goes on with another one's work: for so long nothing is sent that was sent already."""
        self._repeats = Repeats(self._http, self.user_id, self._decryption, seconds)
        self._directory.forget()  # who shares a room with us may have changed unheard

    async def decrypt(self, event: Received) -> Received:
        """See `Matrix.decrypt`."""
        if event.type != "m.room.encrypted" or event.undecryptable is None:
            return event
        return self._decryption.open(event)

    async def send(
        self,
        room_id: RoomId,
        content: Mapping[str, Any],
        *,
        txn_id: str,
        type_: str = "m.room.message",
        only: frozenset[UserId] | None = None,
    ) -> EventId:
        """See `Matrix.send`: encrypted, or not at all."""
        if known := await self._known(room_id, txn_id):
            return known
        if not await self._rooms.encrypted(room_id):
            raise Rejected("not_encrypted")
        readers = await self._rooms.recipients(room_id)
        if only is not None and readers != only:
            raise Rejected("other_members")
        sealed = await self._sharing.encrypt(room_id, readers, type_, marked(content, txn_id))
        return await self._put(room_id, "m.room.encrypted", sealed, txn_id)

    async def send_cleartext_warning(self, room_id: RoomId, content: Mapping[str, Any], *, txn_id: str) -> EventId:
        """See `Matrix.send_cleartext_warning`; encrypted if the room has become so."""
        if await self._rooms.encrypted(room_id):
            return await self.send(room_id, content, txn_id=txn_id)
        if known := await self._known(room_id, txn_id):
            return known
        return await self._put(room_id, "m.room.message", marked(content, txn_id), txn_id)

    async def _known(self, room_id: RoomId, txn_id: str) -> EventId | None:
        return await self._repeats.find(room_id, txn_id) if self._repeats is not None else None

    async def _put(self, room_id: RoomId, type_: str, content: Mapping[str, Any], txn_id: str) -> EventId:
        answer = await self._http.call("PUT", path("rooms", room_id, "send", type_, txn_id), dict(content))
        return EventId(str(answer["event_id"]))

    async def join(self, room_id: RoomId) -> None:
        """See `Matrix.join`."""
        await self._rooms.join(room_id)

    async def enable_encryption(self, room_id: RoomId) -> None:
        """See `Matrix.enable_encryption`."""
        await self._rooms.enable_encryption(room_id)

    async def create_private(self, name: str, invite: Mapping[UserId, int]) -> RoomId:
        """See `Matrix.create_private`."""
        return await self._rooms.create_private(name, invite)

    async def invite(self, room_id: RoomId, user_id: UserId, level: int) -> None:
        """See `Matrix.invite`."""
        await self._rooms.invite(room_id, user_id, level)

    async def powers(self, room_id: RoomId) -> Powers:
        """See `Matrix.powers`."""
        return await self._rooms.powers(room_id)

    async def is_private(self, room_id: RoomId) -> bool:
        """See `Matrix.is_private`."""
        return await self._rooms.is_private(room_id)

    async def typing(self, room_id: RoomId, on: bool) -> None:
        """See `Matrix.typing`."""
        await self._rooms.typing(room_id, on)

    async def trust(self, sender: UserId, origin: CryptoOrigin | None, pinned_master_key: str | None) -> TrustAnswer:
        """See `Matrix.trust`; may wait three seconds for a signature that is on its way."""
        return await establish(self._directory, sender, origin, pinned_master_key)

    async def export_keys(self, path: Path, passphrase: str) -> None:
        """Write the keys of all messages that this device can read, as clients do (spec, "Key exports"); mode 0600."""
        sessions = self._machine.store.load_inbound_group_sessions()
        await asyncio.to_thread(self._write_keys, sessions, path, passphrase)

    def _write_keys(self, sessions: object, path: Path, passphrase: str) -> None:
        self._machine.export_keys_static(sessions, str(path), passphrase, _ROUNDS)  # makes it, with mode 0600


def _machine(folder: Folder, own: Device) -> Machine:
    store = Store(
        user_id=own.user_id,
        device_id=own.device_id,
        store_path=str(folder.path),
        pickle_key=folder.pickle_key(),
        database_name=STORE,
    )
    (folder.path / STORE).chmod(0o600)
    return Machine(own.user_id, own.device_id, store)


async def _abandon(http: Http, folder: Folder) -> None:
    await http.close()
    folder.close()


def _keeps_the_contract(session: Session) -> Matrix:
    return session  # mypy checks here that the real session is a `Matrix`

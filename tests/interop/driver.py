"""A person who uses a Matrix client that nobody of this project wrote: matrix-js-sdk with Rust crypto, in Node."""

import asyncio
import contextlib
import itertools
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Self

from tests.interop.node import HERE

Json = Mapping[str, Any]
_LINE = 32 * 1024 * 1024  # one event a line; the largest Matrix event is 64 KiB, a room's list of them is not
_GRACE = 10.0  # seconds that the process may answer later than the time-out it was given


class JsError(Exception):
    """The client refused: ``code`` is an errcode, ``TIMEOUT``, ``HTTP``, ``BAD_HASH`` or an error's name."""

    def __init__(self, code: str, message: str, status: int | None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class Message:
    """An event as the person sees it.

    ``body`` of an edit is the new text; ``edited`` says that an edit was applied (only where `JsPerson.read` and
    `JsPerson.wait_shown` say so); ``failure`` is a decryption failure code of the SDK; ``shield`` is None for an
    event that is not encrypted (or could not be decrypted), else ``none``, ``grey`` or ``red``.
    """

    event_id: str
    room_id: str
    sender: str
    type: str
    state_key: str | None
    body: str | None
    msgtype: str | None
    encrypted: bool
    content: Json
    replaces: str | None
    thread_root: str | None
    edited: bool
    redacts: str | None
    redacted: bool
    failure: str | None
    shield: Literal["none", "grey", "red"] | None
    shield_reason: str | None

    @classmethod
    def of(cls, record: Json) -> Self:
        """Make one from what the process sent."""
        return cls(**{item.name: record[item.name] for item in fields(cls)})


@dataclass(frozen=True, slots=True)
class Session:
    """What `JsPerson.start` gave: the login, whether the device is cross-signed, the recovery key with ``backup``."""

    user_id: str
    device_id: str
    access_token: str
    recovery_key: str | None
    cross_signed: bool
    version: str


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A decrypted attachment on disk: its size in bytes and its SHA-256 in hex."""

    path: Path
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SentFile:
    """An attachment that the person sent: SHA-256 (hex) and size of the plain file."""

    event_id: str
    url: str
    size: int
    sha256: str


@dataclass
class JsPerson:
    """One Node process, one person. Make it with `launch`, end it with `stop`."""

    node: str
    events: list[Message] = field(default_factory=list)  # everything pushed, repeated when it was decrypted later
    session: Session | None = None
    _process: asyncio.subprocess.Process | None = None
    _answers: dict[int, "asyncio.Future[Any]"] = field(default_factory=dict)
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _errors: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    _readers: list["asyncio.Task[None]"] = field(default_factory=list)

    @classmethod
    async def launch(cls, node: str) -> Self:
        """Start the process ``node`` (a path); nobody is logged in yet."""
        person = cls(node)
        person._process = await asyncio.create_subprocess_exec(
            node,
            "person.mjs",
            cwd=HERE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE,
        )
        person._readers = [
            asyncio.create_task(person._read_answers(person._process)),
            asyncio.create_task(person._read_errors(person._process)),
        ]
        return person

    @property
    def user_id(self) -> str:
        """The person's full user ID, once started."""
        assert self.session is not None, "start first"
        return self.session.user_id

    async def _read_answers(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            answer = json.loads(line)
            if "event" in answer:
                self.events.append(Message.of(answer["event"]))
                continue
            waiting = self._answers.pop(answer["id"], None)
            if waiting is None or waiting.done():
                continue
            if "error" in answer:
                error = answer["error"]
                waiting.set_exception(JsError(error["code"], error["message"], error["status"]))
            else:
                waiting.set_result(answer["ok"])
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(JsError("ENDED", "the Node process ended: " + " | ".join(self._errors), None))

    async def _read_errors(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            self._errors.append(line.decode("utf-8", "replace").rstrip())

    async def call(self, name: str, /, timeout: float = 30, **arguments: Any) -> Any:
        """Make one call of person.mjs and return its answer; ``timeout`` in seconds. Raises `JsError`."""
        assert self._process is not None
        assert self._process.stdin is not None
        number = next(self._ids)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        given = {key: value for key, value in arguments.items() if value is not None}
        line = json.dumps({"id": number, "call": name, "timeout": timeout, **given})
        try:
            self._process.stdin.write(line.encode() + b"\n")
            async with asyncio.timeout(timeout + _GRACE):
                await self._process.stdin.drain()
                return await answer
        except ConnectionError as error:
            raise JsError("ENDED", "the Node process ended: " + " | ".join(self._errors), None) from error
        finally:
            self._answers.pop(number, None)

    async def start(
        self,
        homeserver: str,
        user: str,
        password: str,
        *,
        mode: Literal["all", "signed"] = "signed",
        cross_sign: bool = True,
        backup: bool = False,
        recovery_key: str | None = None,
    ) -> Session:
        """Log in, start Rust crypto and the first sync; ``signed`` excludes insecure devices (MSC4153).

        ``cross_sign`` False leaves the device unsigned; ``backup`` makes secret storage and a key backup (its key is in
        the answer's ``recovery_key``); ``recovery_key`` makes a second login a verified one.
        """
        answer = await self.call(
            "start",
            timeout=90,
            homeserver=homeserver,
            user=user,
            password=password,
            mode=mode,
            crossSign=cross_sign,
            backup=backup,
            recoveryKey=recovery_key,
        )
        self.session = Session(**answer)
        return self.session

    async def create_dm(self, person: str, *, encrypted: bool = True, powerful: bool = True) -> str:
        """Create a direct message, encrypted from its first event or not, and invite; returns the room ID.

        ``powerful``: the other one gets power level 100, as Element does it.
        """
        return str(await self.call("createDm", person=person, encrypted=encrypted, powerful=powerful))

    async def create_room(
        self,
        name: str,
        *invite: str,
        powers: Mapping[str, int] | None = None,
        encrypted: bool = True,
        public: bool = False,
    ) -> str:
        """Create a room of several people, by invitation only unless ``public``, with power levels; returns its ID."""
        return str(
            await self.call(
                "createRoom", name=name, invite=list(invite), powers=powers or {}, encrypted=encrypted, open=public
            )
        )

    async def power_levels(self, room: str) -> dict[str, int]:
        """Return the power levels of a room as the client knows them, by user ID."""
        return dict(await self.call("powerLevels", room=room))

    async def set_power(self, room: str, user: str, level: int) -> None:
        """Give somebody a power level."""
        await self.call("setPower", room=room, user=user, level=level)

    async def kick(self, room: str, user: str) -> None:
        """Remove somebody from a room."""
        await self.call("kick", room=room, user=user)

    async def send(self, room: str, text: str) -> str:
        """Send a text; returns the event ID."""
        return str(await self.call("send", room=room, text=text))

    async def edit(self, room: str, event: str, text: str) -> str:
        """Replace the text of an event; returns the edit's event ID."""
        return str(await self.call("edit", room=room, event=event, text=text))

    async def react(self, room: str, event: str, key: str) -> str:
        """React to an event; returns the reaction's event ID."""
        return str(await self.call("react", room=room, event=event, key=key))

    async def reply_in_thread(self, room: str, root: str, text: str) -> str:
        """Send a text into the thread of ``root``; returns the event ID."""
        return str(await self.call("thread", room=room, root=root, text=text))

    async def redact(self, room: str, event: str) -> str:
        """Redact an event; returns the redaction's event ID."""
        return str(await self.call("redact", room=room, event=event))

    async def send_file(
        self,
        room: str,
        path: Path,
        name: str,
        media_type: str = "application/octet-stream",
        *,
        root: str | None = None,
    ) -> SentFile:
        """Encrypt, upload and send a file; with ``root`` into the thread of that event."""
        answer = await self.call("sendFile", 120, room=room, path=str(path), name=name, mimetype=media_type, root=root)
        return SentFile(**answer)

    async def download(self, message: Message, path: Path, timeout: float = 120) -> Downloaded:
        """Download an ``m.file``, check its hash, decrypt into ``path``. Raises `JsError` with ``status``."""
        answer = await self.call("download", timeout, file=message.content["file"], path=str(path))
        return Downloaded(path, answer["size"], answer["sha256"])

    async def messages(self, room: str) -> list[Message]:
        """Return every event of a room that reached the client, in the order of arrival, decrypted where possible."""
        return [Message.of(record) for record in await self.call("messages", room=room)]

    async def read(self, room: str) -> list[Message]:
        """Return a room's messages as a reader sees them: the newest accepted edit applied, edits left out."""
        return [Message.of(record) for record in await self.call("read", room=room)]

    async def thread(self, room: str, root: str) -> list[Message]:
        """Return what a reader sees in the thread of ``root``, in the order of arrival, without the root."""
        return [message for message in await self.read(room) if message.thread_root == root]

    async def wait_shown(self, event: str, pattern: str, timeout: float = 30) -> Message:
        """Wait until a reader sees ``pattern`` in an event's place, edits applied. Raises `JsError` TIMEOUT."""
        return Message.of(await self.call("waitShown", timeout, event=event, pattern=pattern))

    async def wait_for(
        self,
        room: str,
        pattern: str | None = None,
        *,
        sender: str | None = None,
        after: str | None = None,
        timeout: float = 30,
        **equal: Any,
    ) -> Message:
        """Return the first event (of those before, too, unless ``after`` names one) that fits; wait for it if need be.

        ``pattern`` is a JavaScript regular expression found in the text (of an edit: the new text); ``equal`` are
        fields of `Message`, such as ``msgtype="m.file"`` or ``redacts=event_id``. Raises `JsError` TIMEOUT.
        """
        found = await self.call("waitFor", timeout, room=room, pattern=pattern, sender=sender, after=after, **equal)
        return Message.of(found)

    async def wait_membership(self, room: str, user: str, membership: str = "join", timeout: float = 30) -> None:
        """Wait until ``user`` is joined (or as told) in a room."""
        await self.call("waitMembership", timeout, room=room, user=user, membership=membership)

    async def wait_invite(self, sender: str, timeout: float = 30) -> str:
        """Wait for an invitation by ``sender``; returns the room ID."""
        return str(await self.call("waitInvite", timeout, sender=sender))

    async def invite(self, room: str, user: str) -> None:
        """Invite somebody."""
        await self.call("invite", room=room, user=user)

    async def join(self, room: str) -> None:
        """Join a room and wait until the client knows that it did."""
        await self.call("join", room=room)

    async def leave(self, room: str) -> None:
        """Leave a room."""
        await self.call("leave", room=room)

    async def request_verification(self, room: str, user: str, timeout: float = 30) -> tuple[str, str | None]:
        """Ask to be verified in a room; returns the phase (``ready``, ``done``, ``cancelled``) and the cancel code."""
        answer = await self.call("requestVerification", timeout, room=room, user=user)
        return answer["phase"], answer["code"]

    async def stop(self) -> None:
        """End the process; harmless if it has ended."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(ConnectionError):
            process.stdin.close()  # person.mjs ends when nobody talks to it any more
            await process.stdin.wait_closed()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        await asyncio.gather(*self._readers)

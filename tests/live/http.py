"""A plain Matrix client of the tests: one account, one token, the calls that seeding needs. No encryption."""

import itertools
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.errors import Rejected

_CLIENT = "/_matrix/client/v3"
Json = dict[str, Any]


def path(*parts: str) -> str:
    """Return the parts as one URL path, each escaped (also ``/`` within a part)."""
    return "/".join(quote(part, safe="") for part in parts)


class Client:
    """Calls in the name of one account; `Rejected` for every answer that is not 2xx."""

    def __init__(self, http: aiohttp.ClientSession, url: str, credentials: Credentials) -> None:
        self.credentials = credentials
        self.user_id = credentials.user_id
        self._http = http
        self._url = url
        # of this client alone: the server answers a repeated transaction with the old event
        self._run = secrets.token_hex(4)
        self._transactions = itertools.count()

    async def call(self, method: str, address: str, body: Any = None, **params: str) -> Json:
        """Make one JSON request; ``address`` starts with a slash."""
        return await self._request(method, address, params, json=body)

    async def _request(self, method: str, address: str, params: dict[str, str], **more: Any) -> Json:
        query = "&".join(f"{key}={quote(value, safe='')}" for key, value in params.items())
        # encoded already: yarl would otherwise turn an escaped slash of an ID back into a slash
        url = URL(f"{self._url}{address}?{query}", encoded=True)
        headers = {"Authorization": f"Bearer {self.credentials.access_token}", **more.pop("headers", {})}
        async with self._http.request(method, url, headers=headers, **more) as answer:
            given: Json = await answer.json(content_type=None)
            if answer.status >= 300:
                raise Rejected(given.get("errcode", "M_UNKNOWN"), answer.status)
            return given

    async def create(self, **body: Any) -> str:
        """Create a room (``POST /createRoom``) and return its ID."""
        return str((await self.call("POST", f"{_CLIENT}/createRoom", body))["room_id"])

    async def send(self, room: str, content: Json, type_: str = "m.room.message") -> str:
        """Send an event and return its ID."""
        txn = f"{self._run}-{next(self._transactions)}"
        answer = await self.call("PUT", f"{_CLIENT}/{path('rooms', room, 'send', type_, txn)}", content)
        return str(answer["event_id"])

    async def say(self, room: str, text: str, **more: Any) -> str:
        """Send a text message and return its ID."""
        return await self.send(room, {"msgtype": "m.text", "body": text, **more})

    async def state(self, room: str, type_: str, content: Json, key: str = "") -> str:
        """Set a state event and return its ID."""
        address = f"{_CLIENT}/{path('rooms', room, 'state', type_, key)}"
        return str((await self.call("PUT", address, content))["event_id"])

    async def redact(self, room: str, event: str, reason: str) -> str:
        """Redact an event and return the ID of the redaction."""
        txn = f"{self._run}-{next(self._transactions)}"
        address = f"{_CLIENT}/{path('rooms', room, 'redact', event, txn)}"
        return str((await self.call("PUT", address, {"reason": reason}))["event_id"])

    async def member(self, room: str, action: str, **body: Any) -> None:
        """Do one of ``join``, ``leave``, ``forget``, ``invite``, ``kick``, ``ban``, ``unban``."""
        await self.call("POST", f"{_CLIENT}/{path('rooms', room, action)}", body)

    async def upload(self, data: bytes, media_type: str, name: str | None) -> str:
        """Upload bytes and return their ``mxc://`` address."""
        params = {"filename": name} if name is not None else {}
        headers = {"Content-Type": media_type}
        answer = await self._request("POST", "/_matrix/media/v3/upload", params, data=data, headers=headers)
        return str(answer["content_uri"])

    async def download(self, url: str) -> bytes:
        """Fetch a file by its ``mxc://`` address from the own server, wherever it was uploaded."""
        server, media = url.removeprefix("mxc://").split("/", 1)
        address = URL(f"{self._url}/_matrix/client/v1/media/{path('download', server, media)}", encoded=True)
        headers = {"Authorization": f"Bearer {self.credentials.access_token}"}
        async with self._http.get(address, headers=headers) as answer:
            if answer.status >= 300:
                given: Json = await answer.json(content_type=None)
                raise Rejected(given.get("errcode", "M_UNKNOWN"), answer.status)
            return await answer.read()

    async def put(self, *parts: str, body: Any) -> Json:
        """PUT below the client API's ``v3``."""
        return await self.call("PUT", f"{_CLIENT}/{path(*parts)}", body)

    async def post(self, *parts: str, body: Any = None) -> Json:
        """POST below the client API's ``v3``."""
        return await self.call("POST", f"{_CLIENT}/{path(*parts)}", {} if body is None else body)

    async def get(self, *parts: str, **params: str) -> Json:
        """GET below the client API's ``v3``."""
        return await self.call("GET", f"{_CLIENT}/{path(*parts)}", **params)

    async def admin(self, method: str, *parts: str, body: Any = None, **params: str) -> Json:
        """Call Synapse's admin API; ``parts`` start with the version, as ``"v1"``."""
        return await self.call(method, f"/_synapse/admin/{path(*parts)}", body, **params)


@asynccontextmanager
async def clients(synapse: Synapse, *accounts: Credentials) -> AsyncIterator[list[Client]]:
    """Give a client for each account, on one connection pool."""
    async with aiohttp.ClientSession() as http:
        yield [Client(http, synapse.url, account) for account in accounts]

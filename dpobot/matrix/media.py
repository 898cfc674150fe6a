"""Encrypted attachments, as streams (spec: Sending encrypted attachments; MSC3916 for downloads)."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Any

import aiohttp
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.matrix.http import CLIENT, Http, failure, parse, path
from dpobot.matrix.signatures import decode, encode
from dpobot.model.ids import Mxc
from dpobot.model.records import EncryptedFile

_MEDIA = CLIENT.replace("/v3", "/v1") + "/media"
_UPLOAD = "/_matrix/media/v3/upload"
_BLOCK = 1 << 20
_USUAL_LIMIT = 50_000_000
_PATIENCE = aiohttp.ClientTimeout(total=None, connect=30, sock_read=300)


class Sealing:
    """A file, read encrypted with AES-256-CTR and a key of its own (spec: Extensions to m.room.message msgtypes).

    The next block is encrypted in a thread while the last one is on its way. `keys` is whole once all was read.
    """

    def __init__(self, source: Path) -> None:
        self._source = source
        self._key, self._iv = os.urandom(32), os.urandom(8) + bytes(8)  # the counter's half of the IV begins at zero
        self._cipher = Cipher(AES(self._key), CTR(self._iv)).encryptor()
        self._digest = hashlib.sha256()

    async def blocks(self) -> AsyncIterator[bytes]:
        """Yield the ciphertext in blocks."""
        with self._source.open("rb") as file:
            ahead = asyncio.create_task(asyncio.to_thread(self._next, file))
            try:
                while block := await ahead:
                    ahead = asyncio.create_task(asyncio.to_thread(self._next, file))
                    yield block
            finally:
                await asyncio.gather(ahead, return_exceptions=True)  # the file must not close under the thread

    def keys(self) -> dict[str, Any]:
        """Return ``key`` (JWK), ``iv`` and ``hashes`` of what was read."""
        jwk = {"kty": "oct", "key_ops": ["encrypt", "decrypt"], "alg": "A256CTR", "ext": True}
        secret = base64.urlsafe_b64encode(self._key).decode().rstrip("=")
        return {"key": jwk | {"k": secret}, "iv": encode(self._iv), "hashes": {"sha256": encode(self._digest.digest())}}

    def _next(self, file: IO[bytes]) -> bytes:
        block = self._cipher.update(file.read(_BLOCK))
        self._digest.update(block)
        return block


class Media:
    """The server's content repository, which gets ciphertext only."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def upload(self, source: Path) -> EncryptedFile:
        """Encrypt and upload a file; its name and type stay here."""
        size = (await asyncio.to_thread(source.stat)).st_size
        sealing = Sealing(source)
        headers = self._http.headers() | {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        async with (
            self._errors(),
            self._http.session().post(
                self._http.url + _UPLOAD, data=sealing.blocks(), headers=headers, timeout=_PATIENCE
            ) as response,
        ):
            answer = _json(await response.read())
            if response.status != 200:
                raise failure(response.status, answer, response.headers)
        keys = sealing.keys()
        if not isinstance(answer, dict) or not isinstance(answer.get("content_uri"), str):
            raise Unavailable("bad_answer")
        return EncryptedFile(Mxc(answer["content_uri"]), keys["key"], keys["iv"], keys["hashes"], size)

    async def limit(self) -> int:
        """Return ``m.upload.size``, bytes."""
        size = (await self._http.call("GET", path("config", base=_MEDIA))).get("m.upload.size")
        return size if isinstance(size, int) else _USUAL_LIMIT

    async def exists(self, url: Mxc) -> bool:
        """Say whether the server gives the bytes out; reads only the head of the answer."""
        try:
            async with self._download(url):
                return True
        except Gone:
            return False

    async def download(self, file: EncryptedFile, target: Path, most: int | None = None) -> None:
        """Download, check and decrypt; ``target`` appears only if all is well.

        Raises Rejected("bad_hash"), Rejected("bad_key"), and Rejected("too_large") once ``most`` bytes are passed.
        """
        partial = target.with_name(target.name + ".part")
        try:
            cipher = Cipher(AES(decode(_padded(file.key["k"]))), CTR(decode(file.iv))).decryptor()
            expected = decode(file.hashes["sha256"])
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise Rejected("bad_key") from error
        digest = hashlib.sha256()
        size = 0
        try:
            with partial.open("wb") as out:
                async with self._download(file.url) as response:
                    async for block in response.content.iter_chunked(_BLOCK):
                        size += len(block)
                        if most is not None and size > most:
                            raise Rejected("too_large")
                        digest.update(block)
                        await asyncio.to_thread(out.write, cipher.update(block))
                out.write(cipher.finalize())
            if not hmac.compare_digest(digest.digest(), expected):
                raise Rejected("bad_hash")
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    @contextlib.asynccontextmanager
    async def _download(self, url: Mxc) -> AsyncIterator[aiohttp.ClientResponse]:
        server, _, media_id = url.removeprefix("mxc://").partition("/")
        endpoint = self._http.url + path("download", server, media_id, base=_MEDIA)
        async with (
            self._errors(),
            self._http.session().get(endpoint, headers=self._http.headers(), timeout=_PATIENCE) as response,
        ):
            if response.status != 200:
                raise failure(response.status, _json(await response.read()), response.headers)
            yield response

    @contextlib.asynccontextmanager
    async def _errors(self) -> AsyncIterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise Unavailable("timeout") from error
        except aiohttp.ClientError as error:
            raise Unavailable("connection") from error


def _padded(key: object) -> object:
    return key.replace("-", "+").replace("_", "/") if isinstance(key, str) else key  # JWK is base64url


def _json(text: bytes) -> Any:
    try:
        return parse(text)
    except ValueError:
        return None

"""What stands before a homeserver in the tests: TLS on the port of its name, and the support file there."""

import ssl
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from dpobot.homeserver.federation.support import WELL_KNOWN

_HOP = frozenset({"connection", "transfer-encoding", "content-length", "content-encoding", "host", "keep-alive"})


class Front:
    """Serves ``https://localhost:PORT``; ``support`` is what the file says, ``inner`` where everything else goes."""

    def __init__(self, port: int, inner: int, certificate: Path, key: Path) -> None:
        self._port = port
        self._inner = f"http://127.0.0.1:{inner}"
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate, key)
        self.support: dict[str, Any] = {}
        self.asked = 0

    async def start(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get(WELL_KNOWN, self._file)
        app.router.add_route("*", "/{rest:.*}", self._pass_on)
        self._http = aiohttp.ClientSession(auto_decompress=False)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self._context).start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()
        await self._http.close()

    async def _file(self, request: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response(self.support, content_type="text/plain")  # servers call it as they like

    async def _pass_on(self, request: web.Request) -> web.Response:
        address = URL(self._inner + request.raw_path, encoded=True)  # what is signed is the path as it was written
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        try:
            async with self._http.request(
                request.method, address, headers=headers, data=await request.read(), allow_redirects=False
            ) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
                return web.Response(status=answer.status, headers=kept, body=await answer.read())
        except aiohttp.ClientError:
            return web.Response(status=502)

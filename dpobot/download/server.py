"""The way out by HTTPS: a link opens once, for one browser, and that one fetches the volumes behind it.

Behind a reverse proxy that speaks TLS. Looking at a link (GET) changes nothing, so that previews and scanners don't use
it up; the button (POST) does. Nothing of a request is logged but what was done for which case.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from dpobot import log
from dpobot.audit import trail
from dpobot.clock import Clock
from dpobot.config import DownloadConfig
from dpobot.download import address, token
from dpobot.download.alone import alone
from dpobot.download.limits import Busy, Rate, Slots
from dpobot.download.pages import Answers, Pages, language_of, seal
from dpobot.download.sending import Asked, Sender
from dpobot.download.shelf import Shelf
from dpobot.errors import ConfigurationError, Unavailable
from dpobot.store import bot_state, downloads, volumes
from dpobot.store.database import Database, Tx
from dpobot.store.downloads import Open
from dpobot.store.volumes import VolumeRow

COOKIE = "__Secure-dpobot"
_PAUSED_AGAIN = 3600  # seconds after which a client may ask again in breach mode
_TROUBLE_AGAIN = 60
_OF_ONE_LINK, _OF_ALL = 4, 32  # files at the same time
_SHUTDOWN = 2.0  # seconds that files on their way are given when the bot stops: they can be resumed
_LARGEST_BODY = 1024  # bytes; nothing is sent to us but a click
_logger = log.get(__name__)
_silent = logging.getLogger("dpobot.download.silent")  # aiohttp's own lines would hold addresses and paths
_silent.disabled = True

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Downloads:
    """Serves the links of all cases. ``folder`` holds their volumes (`shelf.Shelf`)."""

    def __init__(self, database: Database, clock: Clock, config: DownloadConfig, folder: Path, pages: Pages) -> None:
        self._database = database
        self._clock = clock
        self._config = config
        self._folder = folder
        self._answers = Answers(pages)
        self._rate = Rate(config.requests_per_minute, clock)
        self._sender = Sender(Shelf(folder), Slots(_OF_ONE_LINK, _OF_ALL), self._still)

    async def run(self) -> None:
        """Serve until cancelled; without a public address there is nothing to serve.

        Bot and workers on one machine share its folder: one of them serves, and when it ends another. Raises
        `ConfigurationError` if the port can't be had.
        """
        if self._config.url is None:
            await asyncio.Event().wait()
        async with alone(self._folder):
            await self._serve()

    async def _serve(self) -> None:
        runner = web.AppRunner(self.application(), access_log=None, logger=_silent, shutdown_timeout=_SHUTDOWN)
        await runner.setup()
        try:
            await self._listen(runner)
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> None:
        where = f"{self._config.host}:{self._config.port}"
        try:
            await web.TCPSite(runner, self._config.host, self._config.port).start()
        except OSError as error:
            problem = f"download.host, download.port: can't listen on {where} ({error.strerror})"
            raise ConfigurationError([problem]) from error
        _logger.info("download.listening", port=self._config.port)

    def application(self) -> web.Application:
        """Return what answers requests, at the path of the public address."""
        base = urlsplit(self._config.url or "").path.rstrip("/")
        application = web.Application(middlewares=[self._guard], client_max_size=_LARGEST_BODY)
        application.router.add_get(base + "/{token}", self._look)
        application.router.add_post(base + "/{token}", self._claim)
        application.router.add_get(base + "/{token}/{name}", self._fetch)
        application.on_response_prepare.append(seal)
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let through what may ask now, and make a page of whatever goes wrong."""
        language = language_of(request.headers.getall("Accept-Language", []))
        try:
            self._rate.take(address.of(request.remote, request.headers.getall("X-Forwarded-For", [])))
            if await self._paused():
                return self._later("paused", language, 503, _PAUSED_AGAIN)
            return await handler(request)
        except Busy as busy:
            return self._later("busy", language, 429, busy.retry_after)
        except web.HTTPNotFound:
            return self._answers.page("nothing", language, 404)
        except web.HTTPException:  # another method
            raise
        except Unavailable as trouble:
            _logger.warning("download.unavailable", code=trouble.code)
        except Exception:  # hardening: aiohttp would log the address of whoever asked
            _logger.exception("download.error")
        return self._later("trouble", language, 503, _TROUBLE_AGAIN)

    def _later(self, name: str, language: str, status: int, seconds: int) -> web.Response:
        response = self._answers.page(name, language, status, retry_after=seconds)
        response.headers["Retry-After"] = str(seconds)
        return response

    async def _paused(self) -> bool:
        return await self._database.read(lambda tx: bot_state.get(tx, bot_state.DELIVERIES_PAUSED)) is not None

    async def _look(self, request: web.Request) -> web.StreamResponse:
        """Show the button, or to the browser that has pressed it the files; to anybody else nothing."""
        found = await self._find(request)
        if found.download.claim_hash is None:
            response = self._page("unclaimed", found)
            if not token.is_token(_held(request)):
                self._give_cookie(request, response, found)
            return response
        _refuse_others(request, found)
        listed = await self._volumes(found)
        total = sum(volume.size for volume in listed)
        return self._page("volumes", found, volumes=listed, total=total, folder=request.match_info["token"])

    async def _claim(self, request: web.Request) -> web.StreamResponse:
        """Bind a link to a browser by what it holds already: an answer that gets lost is asked for again."""
        found, held = await self._find(request), _held(request)
        if found.download.claim_hash is None:
            if not token.is_token(held):
                return self._page("no_cookie", found)
            await self._database.write(lambda tx: self._take(tx, found, token.hash_of(held)))
            found = await self._find(request)
        _refuse_others(request, found)
        return web.Response(status=303, headers={"Location": request.match_info["token"]})

    async def _take(self, tx: Tx, found: Open, claim_hash: str) -> None:
        now, download = self._clock.now(), found.download
        if await downloads.claim(tx, download.token_hash, claim_hash, now):
            await trail.record(tx, now, "bot", "download.claimed", download.case_id)
            _logger.info("download.claimed", case_id=download.case_id)

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        """Send a volume, or the part of it that is asked for."""
        found = await self._find(request)
        _refuse_others(request, found)
        name = request.match_info["name"]
        volume = next((each for each in await self._volumes(found) if each.name == name), None)
        if volume is None:
            raise web.HTTPNotFound
        return await self._sender.send(request, Asked(found.download, volume, request.match_info["token"]))

    async def _find(self, request: web.Request) -> Open:
        """Return the link of a request. Raises `HTTPNotFound`, whatever it is that makes it none."""
        token_hash, now = token.hash_of(request.match_info["token"]), self._clock.now()
        found = await self._database.read(lambda tx: downloads.find(tx, token_hash, now))
        if found is None or not token.is_token(request.match_info["token"]):
            raise web.HTTPNotFound
        return found

    async def _still(self, asked: Asked) -> bool:
        """Say whether a file that is on its way may go on."""

        async def look(tx: Tx) -> bool:
            if await bot_state.get(tx, bot_state.DELIVERIES_PAUSED) is not None:
                return False
            return await downloads.find(tx, asked.download.token_hash, self._clock.now()) is not None

        return await self._database.read(look)

    async def _volumes(self, found: Open) -> list[VolumeRow]:
        return await self._database.read(lambda tx: volumes.of_case(tx, found.download.case_id))

    def _page(self, name: str, found: Open, **values: object) -> web.Response:
        until = found.download.expires_at
        return self._answers.page(name, found.language, 200, reference=found.reference, until=until, **values)

    def _give_cookie(self, request: web.Request, response: web.Response, found: Open) -> None:
        """Give a browser what it can be known by. Lax: what is Strict isn't sent when the chat's link is clicked."""
        seconds = int((found.download.expires_at - self._clock.now()).total_seconds())
        response.set_cookie(
            COOKIE,
            token.new_token(),
            path=request.rel_url.raw_path,
            max_age=max(1, seconds),
            secure=True,
            httponly=True,
            samesite="Lax",
        )


def _held(request: web.Request) -> str:
    return request.cookies.get(COOKIE, "")


def _refuse_others(request: web.Request, found: Open) -> None:
    """Raise `HTTPNotFound` unless the browser is the one that has claimed the link."""
    if not token.same(found.download.claim_hash, token.hash_of(_held(request))):
        raise web.HTTPNotFound

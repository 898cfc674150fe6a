"""The port for Prometheus and for whoever restarts or routes: ``/metrics``, ``/healthz``, ``/readyz``.

HTTP without TLS and without a password: for the machine itself, or a network of the operator's own.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import TracebackType
from typing import Self

from aiohttp import web
from prometheus_client import generate_latest

from dpobot import log
from dpobot.cases import transitions
from dpobot.clock import Clock
from dpobot.config import MonitoringConfig
from dpobot.errors import ConfigurationError, Unavailable
from dpobot.model.words import CaseState
from dpobot.monitoring.collector import Scrape, registry
from dpobot.monitoring.health import readiness
from dpobot.pulse import Pulse
from dpobot.store import bot_state, gauges
from dpobot.store.database import Database
from dpobot.store.gauges import Gauges

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_DAYS = (1, 3, 7)
_RUNNING = tuple(sorted(transitions.UNANSWERED - {CaseState.PAUSED}))  # the time of a paused case stands still
_CACHED = timedelta(seconds=10)
_DATABASE_SECONDS = 5.0  # then it counts as away, for those who look
_logger = log.get(__name__)
_silent = logging.getLogger("dpobot.monitoring.silent")  # aiohttp's own lines would hold addresses
_silent.disabled = True

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Monitoring:
    """Answers on a port of the configured host while it is entered; 0: any port that is free."""

    def __init__(self, config: MonitoringConfig, port: int, database: Database, clock: Clock, pulse: Pulse) -> None:
        self._config = config
        self._port = port
        self._database = database
        self._clock = clock
        self._pulse = pulse
        self._runner: web.AppRunner | None = None
        self._known: Gauges | None = None
        self._counting = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Begin to answer. Raises `ConfigurationError` if the port can't be had."""
        self._runner = web.AppRunner(self.application(), access_log=None, logger=_silent, shutdown_timeout=1.0)
        await self._runner.setup()
        await self._listen(self._runner)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Answer no longer."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @property
    def address(self) -> str:
        """Where it answers."""
        host, port = self._runner.addresses[0][:2] if self._runner is not None else (self._config.host, self._port)
        return f"http://{host}:{port}"

    def application(self) -> web.Application:
        """Return what answers requests."""
        application = web.Application(middlewares=[_guard], client_max_size=1024)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/healthz", _alive)
        application.router.add_get("/readyz", self._ready)
        return application

    async def _listen(self, runner: web.AppRunner) -> None:
        try:
            await web.TCPSite(runner, self._config.host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            where = f"{self._config.host}:{self._port}"
            problem = f"monitoring.host, monitoring.port: can't listen on {where} ({error.strerror})"
            raise ConfigurationError([problem]) from error
        _logger.info("monitoring.listening", port=self._port)

    async def _metrics(self, _request: web.Request) -> web.StreamResponse:
        scrape = Scrape(self._pulse, self._clock.now(), await self._gauges())
        body = await asyncio.to_thread(generate_latest, registry(scrape))
        return web.Response(body=body, headers={"Content-Type": _TEXT})

    async def _ready(self, _request: web.Request) -> web.StreamResponse:
        database = await self._answers()
        lag = timedelta(seconds=self._config.lag_seconds)
        found = readiness(self._pulse, self._clock.now(), lag, database=database)
        failed = sorted(name for name, holds in found.checks.items() if not holds)
        body = {"ready": found.ready, "role": str(found.role), "checks": found.checks, "failed": failed}
        return web.json_response(body, status=200 if found.ready else 503)

    async def _answers(self) -> bool:
        """Say whether the database answers now."""
        try:
            async with asyncio.timeout(_DATABASE_SECONDS):
                await self._database.read(bot_state.sync_token)
        except (Unavailable, TimeoutError):
            return False
        return True

    async def _gauges(self) -> Gauges | None:
        """Return the counts, at most some seconds old; None if the database does not answer."""
        async with self._counting:  # many who ask at once are one question to the database
            now = self._clock.now()
            if self._known is not None and now - self._known.at < _CACHED:
                return self._known
            try:
                async with asyncio.timeout(_DATABASE_SECONDS):
                    self._known = await self._database.read(lambda tx: gauges.read(tx, now, _RUNNING, _DAYS))
            except (Unavailable, TimeoutError):
                self._known = None
            return self._known


async def _alive(_request: web.Request) -> web.StreamResponse:
    return web.json_response({"alive": True})


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        response = await handler(request)
    except web.HTTPException:
        raise
    except Exception:  # hardening: aiohttp would log the address of whoever asked
        _logger.exception("monitoring.error")
        response = web.json_response({"ready": False}, status=500)
    response.headers["Cache-Control"] = "no-store"
    return response

"""What the tests of `dpobot import` need: an account that was lived in, its archive, an unreliable way to a server."""

import asyncio
import json
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from aiohttp import web
from yarl import URL

from dpobot.archive.facts import PackageFacts
from dpobot.archive.package import package
from dpobot.archive.spool import Spool
from dpobot.clock import SystemClock
from dpobot.config import OperatorConfig
from dpobot.engine.api import StepResult
from dpobot.homeserver.synapse import SynapseHomeserver
from dpobot.jobs.collecting import Collecting
from dpobot.jobs.progress import Tally
from dpobot.jobs.receivers import Receivers
from dpobot.model.ids import Reference, UserId
from dpobot.model.records import ExportOptions
from dpobot.text.render import Renderer, templates_folder
from tests.live.federation import Federation
from tests.live.http import Client, Json

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360000002000154a24f5d0000000049454e44ae426082"
)
SETTINGS = "im.vector.web.settings"
_DIRECT = "m.direct"
_ENCRYPTION = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}


@dataclass
class Once:
    """Steps that are done at once and remembered."""

    results: dict[str, StepResult] = field(default_factory=dict)

    def done(self, name: str) -> StepResult | None:
        return self.results.get(name)

    async def step(self, name: str, do: Callable[[], Awaitable[StepResult]], progress: object = None) -> StepResult:
        if name not in self.results:
            self.results[name] = await do()
        return self.results[name]


@dataclass(frozen=True)
class Life:
    """Anna's account at home, the rooms by what they are, and the archive of it."""

    both: Federation
    anna: Client
    ben: Client
    rooms: dict[str, str]
    archive: Path


async def lived(both: Federation, folder: Path) -> Life:
    """Let Anna live at home with Ben, and make her archive as the bot would."""
    anna, ben = await both.at_home("anna"), await both.at_home("ben")
    admin = await both.at_home("admin", admin=True)
    rooms = await _rooms(anna, ben)
    await _profile(anna)
    await _account(anna, ben, rooms)
    homeserver = SynapseHomeserver(both.home.url, admin.credentials.access_token)
    try:
        archive = await _archive(homeserver, UserId(anna.user_id), folder)
    finally:
        await homeserver.close()
    return Life(both, anna, ben, rooms, archive)


async def _rooms(anna: Client, ben: Client) -> dict[str, str]:
    """Make rooms of each kind; Anna is in all but the one that she left."""
    public = await ben.create(preset="public_chat", name="Public \x1b[31mred", room_alias_name="public")
    allowed = {"join_rule": "restricted", "allow": [{"type": "m.room_membership", "room_id": public}]}
    rule = "m.room.join_rules"
    made = {
        "public": public,
        "talk": await ben.create(preset="public_chat", name="Direct, and open"),
        "left": await ben.create(preset="public_chat", name="Left"),
        "knock": await ben.create(
            preset="public_chat",
            name="Knock",
            initial_state=[{"type": rule, "content": {"join_rule": "knock"}}],
            invite=[anna.user_id],
        ),
        "restricted": await ben.create(
            preset="public_chat",
            name="Restricted",
            initial_state=[{"type": rule, "content": allowed}],
            invite=[anna.user_id],
        ),
        "private": await ben.create(preset="private_chat", name="Private", invite=[anna.user_id]),
        "direct": await ben.create(
            preset="trusted_private_chat", invite=[anna.user_id], is_direct=True, initial_state=[_ENCRYPTION]
        ),
    }
    for room in made.values():
        await anna.member(room, "join")
    await anna.member(made["left"], "leave")
    return made


async def _profile(anna: Client) -> None:
    picture = await anna.upload(PIXEL, "image/png", "me.png")
    await anna.put("profile", anna.user_id, "displayname", body={"displayname": "Anna Lived"})
    await anna.put("profile", anna.user_id, "avatar_url", body={"avatar_url": picture})
    await anna.put("profile", anna.user_id, "m.tz", body={"m.tz": "Europe/London"})


async def _account(anna: Client, ben: Client, rooms: dict[str, str]) -> None:
    user = ("user", anna.user_id)
    data: dict[str, Json] = {
        _DIRECT: {ben.user_id: [rooms["direct"], rooms["talk"]]},
        "m.ignored_user_list": {"ignored_users": {"@mallory:example.org": {}, "@trent:example.org": {}}},
        SETTINGS: {"theme": "dark", "showReadReceipts": False},
        "m.secret_storage.default_key": {"key": "PLANTED"},
    }
    for type_, content in data.items():
        await anna.put(*user, "account_data", type_, body=content)
    for room in ("public", "private", "knock"):
        await anna.put(*user, "rooms", rooms[room], "tags", "m.favourite", body={"order": 0.25})
    marked = (*user, "rooms", rooms["public"], "account_data", "m.marked_unread")
    await anna.put(*marked, body={"unread": True})
    quiet = {"kind": "event_match", "key": "room_id", "pattern": rooms["private"]}
    rules = ("pushrules", "global")
    await anna.put(*rules, "override", "second", body={"conditions": [quiet], "actions": []})
    await anna.put(*rules, "override", "first", body={"conditions": [quiet], "actions": ["notify"]})
    await anna.put(*rules, "content", "cake", body={"pattern": "cake", "actions": ["notify"]})
    await anna.put(*rules, "content", "cake", "enabled", body={"enabled": False})
    await anna.put(*rules, "room", rooms["public"], body={"actions": []})
    await anna.put(*rules, "override", ".m.rule.suppress_notices", "enabled", body={"enabled": False})
    await anna.put(*rules, "underride", ".m.rule.message", "actions", body={"actions": []})


async def _archive(homeserver: SynapseHomeserver, person: UserId, folder: Path) -> Path:
    """Collect and pack as the export job does; return the only volume."""
    spool, steps = Spool(folder / "spool"), Once()
    tally = Tally(SystemClock().now())
    await Collecting(homeserver, spool, steps, person, ExportOptions(), 500).all(tally)
    await Receivers(homeserver, spool, steps, person).all(tally)
    operator = OperatorConfig(
        name="Example",
        service="example.org",
        dpo_email="dpo@example.org",
        security_email="security@example.org",
        postal_address="1 Example Street",
        authority="ICO",
        authority_url="https://ico.org.uk",
    )
    made_at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    facts = PackageFacts(Reference("DPO-2026-0042"), person, operator, made_at, "2026-01")
    pages = Renderer(templates_folder(), {})
    made = await asyncio.to_thread(package, spool, folder / "out", facts, 50_000_000, pages)
    (volume,) = made.volumes
    return volume.path


async def state_of(client: Client, *, devices: bool = False) -> Json:
    """Return all that an import could change in an account, without what is the server's own (IDs of media)."""
    synced = await client.get("sync", timeout="0", filter=_fresh_filter())
    joined = synced.get("rooms", {}).get("join", {})
    profile = await client.get("profile", client.user_id)
    picture = profile.pop("avatar_url", None)
    found: Json = {
        "profile": profile,
        "picture": await client.download(picture) if picture else None,
        "rooms": {kind: sorted(rooms) for kind, rooms in synced.get("rooms", {}).items() if kind != "leave"},
        "account_data": _by_type(synced),
        "room_data": {room: _by_type(content) for room, content in joined.items()},
        "push_rules": (await client.call("GET", "/_matrix/client/v3/pushrules/"))["global"],
    }
    if devices:
        found["devices"] = sorted(each["device_id"] for each in (await client.get("devices"))["devices"])
    return found


def _fresh_filter() -> str:
    """Return a filter under which rooms are told that were only just joined, and nothing comes from a cache."""
    timeline = {"limit": 1, "not_senders": [f"@{secrets.token_hex(4)}:invalid"]}
    return json.dumps({"room": {"timeline": timeline, "state": {"lazy_load_members": True}}})


def _by_type(content: Json) -> dict[str, Json]:
    events = content.get("account_data", {}).get("events", [])
    return {event["type"]: event["content"] for event in events if event["type"] != "m.push_rules"}


@dataclass
class Rough:
    """A way to a homeserver that refuses every third request for now, and can end the process that sends them."""

    url: str = ""
    refused: int = 0
    changes: int = 0  # requests that could change something and have arrived
    kill_after: int | None = None  # end the process when so many more changes have arrived
    process: asyncio.subprocess.Process | None = None
    _asked: int = 0

    async def handle(self, target: str, http: aiohttp.ClientSession, request: web.Request) -> web.StreamResponse:
        self._asked += 1
        if self._asked % 3 == 0:
            self.refused += 1
            body = {"errcode": "M_LIMIT_EXCEEDED", "error": "slow down", "retry_after_ms": 15}
            return web.json_response(body, status=429)
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        address = URL(target + request.raw_path, encoded=True)
        async with http.request(request.method, address, headers=headers, data=await request.read()) as answer:
            body_bytes = await answer.read()
        self._count(request)
        return web.Response(status=answer.status, body=body_bytes, content_type=answer.content_type)

    def _count(self, request: web.Request) -> None:
        if request.method == "GET" or request.path.endswith(("/login", "/logout")):
            return
        self.changes += 1
        if self.kill_after is not None and self.process is not None:
            self.kill_after -= 1
            if self.kill_after == 0:
                self.process.send_signal(signal.SIGKILL)  # the change has happened; the answer never arrives


@asynccontextmanager
async def rough_way(target: str) -> AsyncIterator[Rough]:
    """Run a `Rough` way to ``target`` on loopback."""
    rough = Rough()
    async with aiohttp.ClientSession() as http:
        app = web.Application(client_max_size=50_000_000)

        async def handle(request: web.Request) -> web.StreamResponse:
            return await rough.handle(target, http, request)

        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        rough.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield rough
        finally:
            await runner.cleanup()


async def in_a_process(rough: Rough, *arguments: str) -> tuple[int, str, str]:
    """Run the command as people do; return exit status (negative: the signal), output and progress."""
    rough.process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "dpobot",
        "import",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    output, progress = await rough.process.communicate()
    return rough.process.returncode or 0, output.decode(), progress.decode()

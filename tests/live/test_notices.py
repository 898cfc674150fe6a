"""An erasure on one homeserver becomes a case on another: two real ones that federate, each with its own dpobot."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from dpobot.demo.client import Client
from dpobot.demo.synapse import Credentials, Synapse, free_port
from dpobot.matrix.api import Received
from dpobot.model.ids import UserId
from dpobot.model.notices import ANSWER, NOTICE
from tests.live import federation, http
from tests.live.bot import RunningBot
from tests.live.front import Front
from tests.live.staffer import Staffer, body

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

_CASE = re.compile(r"DPO-\d{4}-\d{4,}")
_PLAN = re.compile(r"this code: `?([A-Z2-9]{6})\b")
_OPEN = {"private_addresses": True, "timeout_seconds": 10}


@dataclass
class Place:
    """One homeserver with its front, its bot, and a member of the bot's staff."""

    synapse: Synapse
    front: Front
    bot: RunningBot
    staff: Staffer

    def client(self, web: aiohttp.ClientSession, account: Credentials) -> http.Client:
        """Return a plain client of an account there."""
        return http.Client(web, self.synapse.url, account)


@asynccontextmanager
async def _servers(folder: Path) -> AsyncIterator[list[tuple[Synapse, Front]]]:
    """Start both homeservers and what stands before them."""
    async with AsyncExitStack() as stack:
        made = [await asyncio.to_thread(_server, folder / name) for name in ("home", "away")]
        for synapse, front in made:
            await front.start()
            stack.push_async_callback(front.stop)
            stack.push_async_callback(synapse.stop)
        await asyncio.gather(*(synapse.start() for synapse, _ in made))
        yield made


def _server(folder: Path) -> tuple[Synapse, Front]:
    inner = free_port()
    synapse = federation.federated(folder, inner=inner)
    port = int(synapse.server_name.split(":")[1])
    shared = folder.parent / "home"  # one certificate for both: they have the same host
    return synapse, Front(port, inner, shared / "tls.crt", shared / "tls.key")


@asynccontextmanager
async def _place(folder: Path, synapse: Synapse, front: Front, sections: dict[str, Any]) -> AsyncIterator[Place]:
    """Start a bot beside a homeserver, with one member of staff, and have the support file name the bot."""
    admin, account, staff = [await synapse.register(name, admin=name == "admin") for name in ("admin", "dpo", "dora")]
    front.support = {"contacts": [{"role": "m.role.admin", "matrix_id": account.user_id}]}
    member = await Staffer.hire(synapse, staff, folder / "dora")
    staffed = {"staff": {"members": [member.user_id], "reply_delay_seconds": 1}}
    bot = await RunningBot.begin(folder / "bot", synapse, admin, account, **staffed, **sections)
    try:
        await member.enter(bot.user_id)
        yield Place(synapse, front, bot, member)
    finally:
        await bot.kill()
        await member.go()


async def test_from_erase_here_to_done_there(tmp_path: Path) -> None:
    """Anna is erased and wants others told; the other server's staff get a case, and what they decide comes back."""
    async with _servers(tmp_path) as (home, away), AsyncExitStack() as stack:
        notices = _OPEN | {"ca_file": str(tmp_path / "home" / "tls.crt")}
        erasing = {"cooling_off_hours": 0, "new_device_hours": 0}
        sending = {"notices": notices | {"send": "staff"}, "erasure": erasing}
        sections: list[dict[str, Any]] = [sending, {"notices": notices}]
        here, there = await asyncio.gather(
            *(
                stack.enter_async_context(_place(tmp_path / f"place-{number}", *server, chosen))
                for number, (server, chosen) in enumerate(zip((home, away), sections, strict=True))
            )
        )
        web = await stack.enter_async_context(aiohttp.ClientSession())
        anna = await here.synapse.register("anna")
        await _share_a_room(web, here, there, anna)
        client = await Client.open(here.synapse, anna, tmp_path / "anna")
        stack.push_async_callback(client.close)
        await _forge(client, there)
        case = await _erased(client, here)
        await _told(here, case)
        theirs = await _decided(there, case)
        await here.staff.card(case, "says that it is done (1)")
        assert there.front.asked > 0
        assert theirs in "\n".join(body(event) for event in there.staff.main())
        for place in (here, there):
            assert [line for line in place.bot.lines() if line["level"] in ("error", "critical")] == []


async def _share_a_room(web: aiohttp.ClientSession, here: Place, there: Place, anna: Credentials) -> None:
    """Let Anna talk with somebody of the other server, so that it has copies."""
    rita = there.client(web, await there.synapse.register("rita"))
    writer = here.client(web, anna)
    room = await writer.create(preset="private_chat", invite=[rita.user_id])
    await federation.join_across(rita, room, here.synapse)
    await federation.arrived(rita, room, await writer.say(room, "for Rita"))


async def _forge(client: Client, there: Place) -> None:
    """Let somebody say that an account of a third server was erased: that is not theirs to say."""
    bot = UserId(there.bot.user_id)
    room_id = await client.direct_message(bot)
    notice = {
        "version": 1, "reference": "X-1", "user_id": "@victim:third.test", "erased_at": "2026-01-01",
        "requested": ["forget"],
    }  # fmt: skip
    content = {"msgtype": "m.text", "body": "forged", NOTICE: notice}
    await client.session.send(room_id, content, txn_id=secrets.token_hex(8))
    answer = await client.wait(bot, lambda event: ANSWER in event.content)
    assert {**answer.content[ANSWER]} == {
        "version": 1, "reference": "X-1", "state": "refused", "reason": "other_server",
    }  # fmt: skip


async def _erased(client: Client, here: Place) -> str:
    """Let Anna ask for her erasure and confirm it, staff approve it; return its reference."""
    bot = UserId(here.bot.user_id)
    room_id = await client.direct_message(bot)
    await client.say(room_id, "erase redact tell without copy")
    plan = body(await client.wait(bot, lambda event: _PLAN.search(_text(event)) is not None))
    case, code = _CASE.findall(plan)[0], _PLAN.findall(plan)[0]
    assert "ask them to erase their copies" in plan
    await client.say(room_id, code)
    card = await here.staff.card(case, "waits for a decision")
    await here.staff.say(f"approve {await here.staff.code('approve', card.event_id)}", card.event_id)
    await here.staff.card(case, "State: closed", 90)
    return str(case)


async def _told(here: Place, case: str) -> None:
    """Let staff have the other server told; its bot comes into the room by itself."""
    root = (await here.staff.card(case)).event_id
    await here.staff.say(f"notify {await here.staff.code('notify', root)}", root)
    await here.staff.card(case, "has opened a case of its own (1)")


async def _decided(there: Place, theirs: str) -> str:
    """Let the other server's staff see the case and close it; return its reference."""
    staff = there.staff
    await staff.until(
        lambda: any(f"reference {theirs}" in body(event).replace("`", "") for event in staff.main()), "a case"
    )
    (card,) = [event for event in staff.main() if f"reference {theirs}" in body(event).replace("`", "")]
    shown = staff.shown(card)
    assert "names for its people" in shown
    await staff.say("close: We have emptied our caches.", card.event_id)
    return str(_CASE.findall(shown)[0])


def _text(event: Received) -> str:
    return str(event.content.get("body", ""))

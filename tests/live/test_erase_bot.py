"""Restriction and correction on a real homeserver: a person, a member of staff, and the bot between them."""

import io
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from dpobot.demo.synapse import Credentials, Synapse
from dpobot.errors import Rejected
from dpobot.matrix.api import Received
from dpobot.model.ids import EventId
from tests.live.bot import StartBot
from tests.live.conftest import Register
from tests.live.guest import Arrive, Guest
from tests.live.http import Client
from tests.live.staffer import Employ, Staffer, body

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

_REFERENCE = re.compile(r"DPO-\d{4}-\d{4,}")


@dataclass
class Scene:
    """A person with an encrypted and with a plain client, and a member of staff."""

    guest: Guest
    ann: Client
    member: Staffer
    admin: Client

    async def asks(self, words: str, answer: str) -> EventId:
        """Let the person ask, and hear the answer; return the root of the case's thread."""
        await self.guest.say(words)
        noted = body(await self.guest.hear(answer))
        return (await self.member.card(_REFERENCE.findall(noted)[0])).event_id

    async def approved(self, root: EventId) -> None:
        """Let the member of staff approve what they are shown."""
        code = await self.member.code("approve", root)
        await self.member.say(f"approve {code}", root)

    async def sends_picture(self, file: Path) -> None:
        """Let the person send an encrypted picture."""
        session = self.guest.client.session
        sealed = await session.upload_encrypted(file, "image/png")
        content = {
            "msgtype": "m.image",
            "body": file.name,
            "info": {"size": sealed.size, "mimetype": "image/png"},
            "file": sealed.event_file(),
        }
        await session.send(self.guest.room, content, txn_id=secrets.token_hex(8))


@pytest.fixture
async def scene(
    synapse: Synapse, admin: Credentials, register: Register, start_bot: StartBot, arrive: Arrive, employ: Employ
) -> AsyncIterator[Scene]:
    """A bot with Dora in its staff room, and Ann, who has written to it."""
    member, account = await employ("dora"), await register("ann")
    bot = await start_bot(staff={"members": [member.user_id], "reply_delay_seconds": 1})
    await member.enter(bot.user_id)
    guest = await arrive(bot, account)
    async with aiohttp.ClientSession() as http:
        yield Scene(guest, Client(http, synapse.url, account), member, Client(http, synapse.url, admin))
    assert [line for line in bot.lines() if line["level"] in ("error", "critical")] == []


async def test_a_restriction_from_the_request_to_its_end(scene: Scene) -> None:
    """Suspended, the homeserver refuses what Ann sends, to the bot, too; lifted, she can speak again."""
    room = await scene.ann.create(preset="private_chat")
    root = await scene.asks("restrict what you have of me is wrong", "your account may be suspended")
    await scene.ann.say(room, "before")
    await scene.approved(root)
    await scene.guest.hear("from now on your data is kept but not used")
    await scene.member.until(lambda: "in force" in scene.member.shown(_card(scene, root)), "the restriction")
    with pytest.raises(Rejected) as error:
        await scene.ann.say(room, "meanwhile")
    assert error.value.code == "M_USER_SUSPENDED"
    with pytest.raises(Rejected):
        await scene.guest.say("help")
    await scene.member.say("lift What was wrong is right now.", root)
    await scene.guest.hear("What was wrong is right now.")
    await scene.guest.hear("you can send messages, join rooms and change your profile again")
    await scene.ann.say(room, "after")
    await scene.guest.say("help")
    await scene.member.until(lambda: "State: closed" in scene.member.shown(_card(scene, root)), "the end")


async def test_a_name_a_picture_and_an_address_are_put_right(scene: Scene, tmp_path: Path) -> None:
    """Each as Ann asked for it, once Dora has approved it: the homeserver shows the new one."""
    user, picture = scene.ann.user_id, tmp_path / "ann.png"
    await scene.approved(await scene.asks("rectify display name Ann the Second", "You want your display name"))
    await scene.guest.hear("your display name has been changed")
    assert (await scene.ann.get("profile", user, "displayname"))["displayname"] == "Ann the Second"

    _drawn(picture)
    root = await scene.asks("rectify avatar", "You want another picture")
    await scene.sends_picture(picture)
    await scene.member.until(
        lambda: any(event.content.get("msgtype") == "m.image" for event in scene.member.thread(root)), "the picture"
    )
    await scene.approved(root)
    await scene.guest.hear("your account has the new picture")
    url = (await scene.ann.get("profile", user, "avatar_url"))["avatar_url"]
    assert await scene.ann.download(url) == picture.read_bytes()

    old, new = (f"{name}-{secrets.token_hex(4)}@example.org" for name in ("old", "new"))
    threepids = [{"medium": "email", "address": old}]
    await scene.admin.admin("PUT", "v2", "users", user, body={"threepids": threepids})
    await scene.approved(await scene.asks(f"rectify email {old} {new}", new))
    await scene.guest.hear("the e-mail address of your account has been changed")
    held = (await scene.admin.admin("GET", "v2", "users", user))["threepids"]
    assert [(one["medium"], one["address"]) for one in held] == [("email", new)]


def _card(scene: Scene, root: EventId) -> Received:
    return next(event for event in scene.member.main() if event.event_id == root)


def _drawn(file: Path) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (64, 64), "orange").save(drawn, "PNG")
    file.write_bytes(drawn.getvalue())

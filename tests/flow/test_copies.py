"""Who holds copies of what a person sent: asked in the chat, answered there with names and a file."""

import csv
import io
from pathlib import Path

import pytest

from dpobot.errors import Rejected
from dpobot.model.ids import RoomId, UserId
from dpobot.model.words import Trust
from dpobot.store.database import Database
from dpobot.store.seal import Seal
from tests.fakes.homeserver import FakeHomeserver
from tests.fakes.matrix import FakeServer
from tests.flow.conftest import ANNA, world
from tests.flow.planted import BODY
from tests.flow.power import Power
from tests.flow.stage import BOT, Stage, play, reference
from tests.flow.team import DORA, Team
from tests.flow.test_exactly_once import _life

RITA = UserId("@rita:elsewhere.example")
BRIDGE = UserId("@irc:bridge.example")
_GATEWAY = "https://push.example.org/_matrix/push/v1/notify"


def _company(homeserver: FakeHomeserver) -> RoomId:
    """Let Anna speak before Rita comes, while she is there, and after she has gone; a bridge is there all the time."""
    homeserver._categories = (*homeserver.categories, "account_data", "pushers")
    pusher = {"kind": "http", "app_display_name": "Element", "data": {"url": _GATEWAY}}
    homeserver.hold("pushers", ANNA, pusher, pusher)
    identity = {"type": "m.identity_server", "content": {"base_url": "https://identity.example"}}
    homeserver.hold("account_data", ANNA, identity)
    room = homeserver.add_room(RoomId("!books:dpobot.test"))
    homeserver.set_membership(room, ANNA, "join")
    homeserver.send(room, BRIDGE, {"membership": "join"}, "m.room.member", state_key=BRIDGE)
    homeserver.send(
        room, BRIDGE, {"bridgebot": BRIDGE, "protocol": {"id": "IRC"}}, "m.bridge", state_key="irc", origin_server_ts=1
    )
    for hour, (who, what) in enumerate(
        ((ANNA, "one"), (RITA, "join"), (ANNA, "two"), (ANNA, "three"), (RITA, "leave"), (ANNA, "four"))
    ):
        at = 1_790_000_000_000 + hour * 3_600_000
        if who == RITA:
            content = {"membership": what}
            homeserver.send(room, RITA, content, "m.room.member", state_key=RITA, origin_server_ts=at)
        else:
            content = {"msgtype": "m.text", "body": f"{BODY} {what}"}
            homeserver.send(room, ANNA, content, origin_server_ts=at)
    return room


def _table(stage: Stage, room_id: RoomId) -> list[dict[str, str]]:
    """Return the rows of the newest file in a room."""
    newest = [event for event in stage.server.heard(room_id, BOT) if event.content.get("msgtype") == "m.file"][-1]
    data = stage.server.media[newest.content["file"]["url"]]
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


async def test_who_got_what(stage: Stage) -> None:
    """Servers by what was sent while they were there, the bridge, the gateway; no event is left on the machine."""
    _company(stage.homeserver)
    room_id = await stage.meet(ANNA)
    said = await stage.ask(room_id, ANNA, "who has my messages")
    assert "I am finding out which servers" in said[0]
    assert "There are 4 messages and events of yours on example.org, in 1 rooms." in said[1]
    assert "`bridge.example`: messages and events: 4, rooms: 1" in said[1]
    assert "`elsewhere.example`: messages and events: 2, rooms: 1" in said[1]
    assert f"`{BRIDGE}` (bridge, IRC)" in said[1]
    assert "`push.example.org` (Element)" in said[1]
    assert "identity.example" in said[1]
    assert RITA not in "\n".join(said)
    assert [(row["kind"], row["name"], row["events"], row["devices"]) for row in _table(stage, room_id)] == [
        ("server", "bridge.example", "4", ""),
        ("server", "dpobot.test", "4", ""),
        ("server", "elsewhere.example", "2", ""),
        ("bridge", f"'{BRIDGE}", "", ""),
        ("push", "push.example.org", "", "2"),
        ("identity", "identity.example", "", ""),
    ]
    assert await stage.states() == ["closed"]
    assert stage.spooled() == []
    assert BODY not in str(await stage.rows("job_step"))


async def test_a_room_that_the_server_refuses(stage: Stage) -> None:
    """The others are told, and that there may be more."""
    _company(stage.homeserver)
    stage.room("films", ANNA, "one")
    stage.homeserver.fault("company", Rejected("M_UNKNOWN", 500))
    room_id = await stage.meet(ANNA)
    said = await stage.ask(room_id, ANNA, "copies")
    assert "Not everything could be found out in some rooms (1)" in said[1]
    assert await stage.states() == ["closed"]


async def test_staff_decide_where_policy_does_not(team: Team) -> None:
    """From a device that nobody has verified it waits for staff; asking again meanwhile is the same question."""
    stage = team.stage
    _company(stage.homeserver)
    room_id = await stage.meet(ANNA)
    stage.server.devices[ANNA] = Trust.UNSIGNED
    said = await stage.ask(room_id, ANNA, "copies")
    case = reference(said)
    assert "It goes faster if you verify this device and then write “copies” again." in said[0]
    assert case in (await stage.ask(room_id, ANNA, "copies"))[0]
    await team.says(DORA, "verify called the number on the account", case)
    await team.decides(DORA, "approve", case)
    assert "bridge.example" in "\n".join(stage.said(room_id))
    assert await stage.states() == ["closed"]


async def test_the_power_may_go_before_any_effect(
    tmp_path: Path, sqlite_template: Path, seal: Seal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever the bot dies, the next life answers, and once: tried at every other effect of the work itself."""
    monkeypatch.setattr("dpobot.engine.turns._LOOK_AGAIN", 0.0)
    spent = 0
    for cut in (*range(11, 25, 2), 40):
        folder = tmp_path / str(cut)
        folder.mkdir(mode=0o700)
        (folder / "dpobot.sqlite").write_bytes(sqlite_template.read_bytes())
        database = Database(f"sqlite+aiosqlite:///{folder / 'dpobot.sqlite'}", seal)
        await database.open()
        try:
            spent = await _die_and_live_again(database, folder, cut)
        finally:
            await database.close()
    assert 22 < spent < 28  # the last life had power enough; the cuts before it end where it did


async def _die_and_live_again(database: Database, folder: Path, cut: int) -> int:
    """Return how many effects the first life had."""
    server = FakeServer()
    homeserver = world(server)
    _company(homeserver)
    room_id = server.room(ANNA, BOT)
    server.text(room_id, ANNA, "copies")
    power = Power(cut)
    async with play(database, folder, server, homeserver, power) as stage:
        await _life(stage)
    async with play(database, folder, server, homeserver) as stage:
        await stage.settle()
        await stage.pass_time(minutes=1)
        await stage.pass_time(minutes=1)
        answers = [said for said in stage.said(room_id) if "Here is who holds copies" in said]
        assert (cut, await stage.states(), len(answers), len(stage.files(room_id))) == (cut, ["closed"], 1, 1)
        assert (cut, stage.spooled()) == (cut, [])
    return power.spent

"""What rooms say of their company, put together; and who is told outside of rooms."""

from typing import Any

from dpobot.homeserver.api import RoomCompany, Service, Stay
from dpobot.jobs.gateways import identity_servers, push_gateways
from dpobot.jobs.hearers import Hearers
from dpobot.jobs.received import refused_note, room_note, together
from dpobot.model.ids import UserId

_T = 1_790_000_000_000
_DAY = 86_400_000


def _note(company: RoomCompany, *times: int) -> Any:
    hearers = Hearers(company)
    for at in times:
        hearers.sent(at)
    return room_note(hearers, company)


def test_rooms_together() -> None:
    """Events add up, first and last span all rooms, a server that is early anywhere is not late."""
    bot = Service(UserId("@bot:a.example"), "bridge", "IRC", None, None)
    one = _note(RoomCompany((Stay("a.example", 0, None), Stay("b.example", _T + _DAY, None)), (bot,), True), _T)
    two = _note(RoomCompany((Stay("a.example", 0, None),), (), False, False), _T + 1, _T + 2)
    late = _note(RoomCompany((Stay("c.example", _T + _DAY, None), Stay("b.example", 0, None)), (), True), _T + 3)
    found = together([one, two, late, refused_note("gone")], "a.example", [], [])
    named = ("server", "own", "rooms", "events", "first", "last", "later")
    assert [tuple(row[name] for name in named) for row in found["servers"]] == [
        ("a.example", True, 2, 3, _T, _T + 2, False),
        ("b.example", False, 1, 1, _T + 3, _T + 3, False),
        ("c.example", False, 1, 0, None, None, True),
    ]
    service = {"user_id": bot.user_id, "kind": "bridge", "network": "IRC", "rooms": 1, "first": _T, "last": _T}
    assert found["services"] == [service]
    assert found["incomplete"] == {"gone": 1, "history_partial": 1, "services_partial": 1}
    assert (found["rooms"], found["events"]) == (3, 4)


def test_a_room_without_events_tells_of_nobody() -> None:
    """Whoever is there got nothing of the person's."""
    found = together([_note(RoomCompany((Stay("a.example", 0, None),), (), whole=True))], "a.example", [], [])
    assert (found["servers"], found["rooms"]) == ([], 0)


def test_push_gateways_and_what_is_behind_them() -> None:
    """Hosts only, for as many devices as there are; an e-mail address is no gateway."""
    app = {"kind": "http", "app_display_name": "Element\u202e", "pushkey": "https://ntfy.example/secret"}
    url = {"url": "https://Push.Example:443/_matrix/push/v1/notify?key=secret"}
    web = {"kind": "http", "app_id": "web", "data": {**url, "endpoint": "https://updates.example/secret"}}
    odd = [
        {"kind": "http", "data": {"url": address}} for address in ("https://[", "ftp://a.example", "https://a b/", 7)
    ]
    pushers: list[dict[str, Any]] = [
        {**app, "data": url},
        {**app, "data": url},
        web,
        {"kind": "email", "pushkey": "me@mail.example"},
        *odd,
    ]
    assert push_gateways(pushers) == [
        {"host": "ntfy.example", "app": "Element", "devices": 2},
        {"host": "push.example", "app": "Element", "devices": 2},
        {"host": "push.example", "app": "web", "devices": 1},
        {"host": "updates.example", "app": "web", "devices": 1},
    ]


def test_identity_servers() -> None:
    """The one that the account data names; none where the person has said that they want none."""
    named = {"type": "m.identity_server", "content": {"base_url": "https://vector.im"}}
    none = {"type": "m.identity_server", "content": {"base_url": None}}
    assert identity_servers([{"type": "m.direct", "content": {}}, named]) == [{"host": "vector.im"}]
    assert identity_servers([none]) == []

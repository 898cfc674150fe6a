"""What changes a homeserver in memory: a `Changes` on the rooms, events and media of a `FakeHomeserver`."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from dpobot.errors import Gone, Rejected
from dpobot.homeserver.changes import Depth, OwnEvents, Redacted, RoomPeople
from dpobot.homeserver.erasing.directory import NOTHING, shown
from dpobot.homeserver.erasing.redactable import Fate, fate, goes
from dpobot.homeserver.erasing.uploads import mentioned
from dpobot.model.ids import Mxc, RoomId, UserId, server_of
from tests.fakes.homeserver import FakeHomeserver, FakeRoom

_BATCH = 100
_PAGE = 1000
_BULK = {"m.room.message", "m.room.encrypted"}
_LINKS = ("sso_links", "room_aliases", "tags", "presence")
_GONE = (
    "account_data",
    "dehydrated_device",
    "delayed_events",
    "devices",
    "filters",
    "key_backup",
    "profile",
    "push_rules",
    "pushers",
    "room_account_data",
    "third_party_ids",
    "thread_subscriptions",
)

Event = dict[str, Any]


class FakeChanges:
    """Changes the homeserver it is given. Faults are ordered there: ``fake.fault("redact", Unavailable("http_503"))``.

    ``page``: events in one window. ``slow``: how often a deletion or the parting of rooms is still under way when it is
    asked about. ``unlimited``: accounts whose rate limit is lifted.
    """

    def __init__(self, fake: FakeHomeserver, *, page: int = _PAGE, slow: int = 0) -> None:
        self.fake = fake
        self.page = page
        self.slow = slow
        self.unlimited: set[str] = set()
        self._waits: dict[str, int] = {}

    # what is looked at first

    async def people(self, room_id: RoomId, user: UserId) -> RoomPeople:
        """Return who else is, or was, in a room."""
        self.fake.called("people")
        room = self._room(room_id)
        joined = sum(membership == "join" for other, membership in room.members.items() if other != user)
        ever = room.ever - {user}
        servers = frozenset(server_of(UserId(other)) for other in ever) - {server_of(user)}
        return RoomPeople(joined, len(ever), servers)

    async def own_counts(self, room_id: RoomId, user: UserId) -> OwnEvents:
        """Return how many of the person's events in a room still hold content."""
        self.fake.called("own_counts")
        room = self._room(room_id)
        fates = [fate(event, room.version) for event in self._own(room_id, user)]
        return OwnEvents(fates.count(Fate.MESSAGE), fates.count(Fate.STATE), fates.count(Fate.KEPT))

    async def direct_rooms(self, user: UserId) -> frozenset[RoomId]:
        """Return the rooms that ``m.direct`` names, arranged with ``fake.hold("account_data", ...)``."""
        self.fake.called("direct_rooms")
        contents = [one["content"] for one in self.fake.held("account_data", user) if one["type"] == "m.direct"]
        return frozenset(RoomId(room) for content in contents for rooms in content.values() for room in rooms)

    async def media_in(self, room_id: RoomId, user: UserId) -> frozenset[Mxc] | None:
        """Return the media that the person's events in a room name; None if encrypted events may name more."""
        self.fake.called("media_in")
        version = self._room(room_id).version
        events = [event for event in self._own(room_id, user) if fate(event, version) is not Fate.EMPTY]
        if any(event["type"] == "m.room.encrypted" for event in events):
            return None
        return mentioned(json.dumps([event["content"] for event in events]), self.fake.server_name)

    # erasure

    async def prepare_erasure(self, user: UserId) -> None:
        """Unlock and unsuspend the account and lift its rate limit."""
        self.fake.called("prepare_erasure")
        self._account(user, locked=False, suspended=False)
        self.unlimited.add(user)

    async def redact(self, room_id: RoomId, user: UserId, depth: Depth, start: str | None, at_once: int) -> Redacted:
        """Redact one page of the person's events, oldest first."""
        self.fake.called("redact")
        room = self._room(room_id)
        if room.members.get(user) != "join":
            raise Rejected("not_joined")
        if user in room.silenced and self._going(room_id, self._own(room_id, user), depth):
            raise Rejected("not_joined")
        first, own = int(start or 0), self._own(room_id, user)
        window = own[first : first + self.page]
        wanted = self._going(room_id, window, depth)
        for event in wanted:
            self._prune(room_id, event)
        self._take_down(room_id, user, window)
        later = first + self.page
        return Redacted(len(wanted), {}, str(later) if later < len(own) else None)

    async def redact_left(self, room_id: RoomId, user: UserId, depth: Depth) -> Redacted:
        """Redact messages, encrypted events and joins; the others are ``not_in_room``."""
        self.fake.called("redact_left")
        wanted = self._going(room_id, self._own(room_id, user), depth)
        reached = [event for event in wanted if _in_reach(event)]
        for event in reached:
            self._prune(room_id, event)
        beyond = len(wanted) - len(reached)
        return Redacted(len(reached), {"not_in_room": beyond} if beyond else {})

    async def delete_all_media(self, user: UserId) -> int:
        """Delete up to a hundred of the person's uploads."""
        self.fake.called("delete_all_media")
        batch = [url for url, (owner, _, _) in self.fake._media.items() if owner == user][:_BATCH]
        for url in batch:
            del self.fake._media[url]
        return len(batch)

    async def delete_links(self, user: UserId) -> int:
        """Remove what ``sso_links``, ``tags``, ``presence`` and ``room_aliases`` were told to hold."""
        self.fake.called("delete_links")
        return self._forget(user, _LINKS)

    async def clear_profile(self, user: UserId) -> None:
        """Remove custom fields; name and picture go with `deactivate`."""
        self.fake.called("clear_profile")
        kept = [one for one in self.fake.held("profile", user) if one["field"] in {"displayname", "avatar_url"}]
        self.fake.hold("profile", user, *kept)

    async def delete_room(self, room_id: RoomId) -> bool:
        """Delete a room, after as many times as ``slow`` says."""
        self.fake.called("delete_room")
        if room_id in self.fake.rooms_held:
            if self._wait(room_id):
                return False
            del self.fake.rooms_held[room_id]
        return True

    async def deactivate(self, user: UserId) -> None:
        """Deactivate and erase the account: it leaves its rooms, and what belongs to the account alone goes."""
        self.fake.called("deactivate")
        self._account(user, deactivated=True, erased=True)
        self._forget(user, _GONE)
        for room_id, room in self.fake.rooms_held.items():
            if room.members.get(user) == "join":
                for event in room.events:
                    if event["type"] == "m.room.member" and event.get("state_key") == user:
                        event["content"] = {"membership": event["content"].get("membership")}
                self.fake.send(RoomId(room_id), user, {"membership": "leave"}, "m.room.member", state_key=user)
                room.members[user] = "forgotten"

    async def finish_erasure(self, user: UserId) -> bool:
        """Give the rate limit back; True once the account is erased, after as many times as ``slow`` says."""
        self.fake.called("finish_erasure")
        self.unlimited.discard(user)
        account = self._known(user)
        return account.erased and not self._wait(user)

    # restriction and rectification

    async def suspend(self, user: UserId, on: bool) -> None:
        """Suspend an account, or end that."""
        self.fake.called("suspend")
        self._account(user, suspended=on)

    async def set_display_name(self, user: UserId, name: str | None) -> None:
        """Set or remove the display name, which ``profile`` then holds."""
        self.fake.called("set_display_name")
        self._field(user, "displayname", name)

    async def set_avatar(self, user: UserId, picture: bytes | None, media_type: str | None) -> None:
        """Upload a picture and show it in the profile."""
        self.fake.called("set_avatar")
        self._known(user)
        url = self.fake.upload(user, picture, None, media_type or "image/png") if picture is not None else None
        self._field(user, "avatar_url", url)

    async def set_email(self, user: UserId, old: str | None, new: str | None) -> None:
        """Replace, add or remove an e-mail address among ``third_party_ids``."""
        self.fake.called("set_email")
        self._known(user)
        held = self.fake.held("third_party_ids", user)
        there = {one["address"] for one in held if one["medium"] == "email"}
        if old is not None and old not in there and new not in there:
            raise Gone("no_such_email")
        kept = [one for one in held if one["medium"] != "email" or one["address"] not in {old, new}]
        added = [{"medium": "email", "address": new}] if new is not None else []
        self.fake.hold("third_party_ids", user, *kept, *added)

    # how it is done

    def _room(self, room_id: RoomId) -> FakeRoom:
        return self.fake.rooms_held.get(room_id, FakeRoom(None, encrypted=False))

    def _own(self, room_id: RoomId, user: UserId) -> list[Event]:
        return [event for event in self._room(room_id).events if event["sender"] == user]

    def _going(self, room_id: RoomId, events: Iterable[Event], depth: Depth) -> list[Event]:
        version = self._room(room_id).version
        return [event for event in events if goes(fate(event, version), depth)]

    def _take_down(self, room_id: RoomId, user: UserId, window: Iterable[Event]) -> None:
        """Set to nothing what the directory of rooms shows, if it is in force."""
        in_force = {event["type"]: event["event_id"] for event in self._room(room_id).events if "state_key" in event}
        for kind, event in shown(window).items():
            if in_force[kind] == event and user not in self._room(room_id).silenced:
                self.fake.send(room_id, user, NOTHING[kind], kind, state_key="")

    def _prune(self, room_id: RoomId, event: Event) -> None:
        sender = UserId(event["sender"])
        redaction = self.fake.send(room_id, sender, {"redacts": event["event_id"]}, "m.room.redaction")
        kept = {"membership"} if event["type"] == "m.room.member" else {"redacts"}
        event["content"] = {key: value for key, value in event["content"].items() if key in kept}
        because = {"event_id": redaction, "type": "m.room.redaction", "sender": sender, "content": {}}
        event["unsigned"] = {"redacted_because": because}

    def _known(self, user: UserId) -> Any:
        if user not in self.fake.accounts:
            raise Gone("M_NOT_FOUND", 404)
        return self.fake.accounts[user]

    def _account(self, user: UserId, **states: bool) -> None:
        self.fake.accounts[user] = replace(self._known(user), **states)

    def _forget(self, user: UserId, categories: Iterable[str]) -> int:
        gone = 0
        for category in categories:
            gone += len(self.fake.held(category, user))
            if self.fake.held(category, user):
                self.fake.hold(category, user)
        return gone

    def _field(self, user: UserId, name: str, value: str | None) -> None:
        self._known(user)
        others = [one for one in self.fake.held("profile", user) if one["field"] != name]
        own: list[Mapping[str, Any]] = [{"field": name, "value": value}] if value is not None else []
        self.fake.hold("profile", user, *others, *own)

    def _wait(self, what: str) -> bool:
        self._waits[what] = self._waits.get(what, 0) + 1
        return self._waits[what] <= self.slow


def _in_reach(event: Event) -> bool:
    """Tell whether the bulk call knows the type."""
    if event["type"] == "m.room.member":
        return bool(event["content"].get("membership") == "join")
    return event["type"] in _BULK

"""A person whose erasure is watched: a life in every kind of room, on two servers, with a mark in everything they sent.

A mark is a word that stands nowhere else: whoever finds it has seen what the person sent.
"""

import secrets
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.live.federation import Federation, join_across
from tests.live.http import Client
from tests.live.story import edit, relates

WORLD_READABLE = {
    "type": "m.room.history_visibility",
    "state_key": "",
    "content": {"history_visibility": "world_readable"},
}
ENCRYPTED = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}

SHARED = ("public", "private", "tombstoned", "left", "kicked", "banned")  # with Bob and Rita


@dataclass(frozen=True)
class Mark:
    """Something of the person's that somebody may see. ``room`` is a name of `Life.rooms`.

    ``event`` is what carries it, ``url`` the address of a file. ``when``: looked for only then ("before", "after").
    """

    what: str
    room: str
    word: str
    event: str | None = None
    url: str | None = None
    when: str | None = None


@dataclass
class Life:
    """The cast (Rita is on the other server), the rooms, and what to look for."""

    alice: Client
    bob: Client
    rita: Client
    federation: Federation
    rooms: dict[str, str] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)

    def new_word(self) -> str:
        """Return a word that stands nowhere else."""
        return f"mark{secrets.token_hex(8)}"

    async def send(self, what: str, room: str, content: dict[str, Any], type_: str = "m.room.message") -> str:
        """The person sends an event; ``WORD`` in it becomes a mark."""
        word = self.new_word()
        event = await self.alice.send(self.rooms[room], _filled(content, word), type_)
        self.marks.append(Mark(what, room, word, event))
        return event

    async def state(self, room: str, type_: str, content: dict[str, Any], key: str = "") -> None:
        """The person sets state; ``WORD`` in it becomes a mark."""
        word = self.new_word()
        event = await self.alice.state(self.rooms[room], type_, _filled(content, word), key)
        self.marks.append(Mark("state", room, word, event))

    async def share(self, what: str, room: str, when: str | None = None) -> str:
        """The person uploads a file, names it in a room, and the address is a mark."""
        word = self.new_word()
        url = await self.alice.upload(word.encode(), "text/plain", "notes.txt")
        event = await self.alice.send(self.rooms[room], {"msgtype": "m.file", "body": "notes.txt", "url": url})
        self.marks.append(Mark(what, room, word, event, url, when))
        return url

    async def gone_from(self, room: str) -> None:
        """Return as soon as the other server knows that the person has left a room; fails after half a minute."""
        since: dict[str, str] = {}
        for _ in range(30):
            if self.alice.user_id not in (await self.rita.get("rooms", self.rooms[room], "joined_members"))["joined"]:
                return
            synced = await self.rita.get("sync", timeout="1000", **since)
            since = {"since": str(synced["next_batch"])}
        pytest.fail("the other server never heard of it")


def _filled(content: Any, word: str) -> Any:
    if isinstance(content, dict):
        return {key: _filled(value, word) for key, value in content.items()}
    if isinstance(content, list):
        return [_filled(value, word) for value in content]
    return word if content == "WORD" else content


async def live(federation: Federation, prefix: str) -> Life:
    """Let a person live through everything; ``prefix`` keeps the names of two lives apart."""
    alice, bob = await federation.at_home(f"{prefix}-alice"), await federation.at_home(f"{prefix}-bob")
    life = Life(alice, bob, await federation.far_away(f"{prefix}-rita"), federation)
    name = life.new_word()
    await alice.put("profile", alice.user_id, "displayname", body={"displayname": name})
    await _rooms(life)
    for room in (*SHARED, "home before", "home after"):
        await _words(life, room)
        life.marks += [Mark("display name", room, name), Mark("user name", room, alice.user_id)]
    for room in ("public", "home before", "home after"):
        await _reactions(life, room)
    for room in ("direct", "direct encrypted", "across", "across encrypted"):
        await _private_words(life, room, encrypted="encrypted" in room)
    await life.send("messages", "sole", {"msgtype": "m.text", "body": "WORD"})
    await life.share("private file", "address")
    await _files(life)
    await _partings(life)
    return life


async def _rooms(life: Life) -> None:
    alice, bob = life.alice, life.bob
    await _shared(life, "public", alice, preset="public_chat", visibility="public", initial_state=[WORLD_READABLE])
    for name in ("private", "left", "kicked", "banned"):
        await _shared(life, name, bob, preset="private_chat", room_version="10")
    await _shared(life, "tombstoned", alice, preset="private_chat", room_version="9")
    for when in ("before", "after"):
        life.rooms[f"home {when}"] = room = await alice.create(preset="public_chat")
        await bob.member(room, "join")
    for name, other in (("direct", bob), ("across", life.rita)):
        await _direct(life, name, other)
        await _direct(life, f"{name} encrypted", other, initial_state=[ENCRYPTED])
    # whoever has been told the address can ask for the file, but for nothing else of the room
    life.rooms["sole"] = life.rooms["address"] = await alice.create(preset="private_chat")


async def _shared(life: Life, name: str, creator: Client, **body: Any) -> None:
    """Make a room of Alice, Bob and Rita, in which both of the first may set state."""
    other = life.bob if creator is life.alice else life.alice
    users = {other.user_id: 50 if other is life.alice else 100, **({creator.user_id: 100} if _old(body) else {})}
    guests = [other.user_id, life.rita.user_id]
    power = {"users": users, "invite": 0}
    room = await creator.create(invite=guests, power_level_content_override=power, **body)
    life.rooms[name] = room
    await other.member(room, "join")
    await join_across(life.rita, room, life.federation.home)


def _old(body: dict[str, Any]) -> bool:
    # from room version 12 on creators stand above all power levels and may not be listed
    return "room_version" in body


async def _direct(life: Life, name: str, other: Client, **body: Any) -> None:
    guests = {"invite": [other.user_id], "is_direct": True}
    room = await life.alice.create(preset="trusted_private_chat", **guests, **body)
    life.rooms[name] = room
    if other is life.rita:
        await join_across(other, room, life.federation.home)
    else:
        await other.member(room, "join")


async def _words(life: Life, room: str) -> None:
    """Messages with an edit, a reply and a thread, and state of their own, some of it in the directory of rooms."""
    text = {"msgtype": "m.text", "body": "WORD"}
    first = await life.send("messages", room, text)
    await life.send("messages", room, edit(first, "WORD") | {"body": "WORD"})
    await life.send("messages", room, text | {"m.relates_to": {"m.in_reply_to": {"event_id": first}}})
    await life.send("thread", room, text | relates("m.thread", first))
    for type_, name in (("m.room.topic", "topic"), ("m.room.name", "name"), ("m.room.avatar", "url")):
        await life.state(room, type_, {name: "WORD"})
        if room == "public":
            life.marks.append(Mark("directory", room, life.marks[-1].word))
    await life.state(room, "org.example.setting", {"colour": "WORD"}, "a key")


async def _reactions(life: Life, room: str) -> None:
    """A reaction, a sticker, a poll and a type of event that nobody knows."""
    said = await life.bob.say(life.rooms[room], "What do you think?")
    await life.send("reactions", room, relates("m.annotation", said, key="WORD"), "m.reaction")
    await life.send("reactions", room, {"body": "WORD", "url": "mxc://dpobot.test/sticker", "info": {}}, "m.sticker")
    question = {"m.poll": {"question": {"m.text": [{"body": "WORD"}]}, "kind": "m.disclosed", "answers": []}}
    poll = await life.send("reactions", room, question, "m.poll.start")
    answer = {"m.selections": ["WORD"], **relates("m.reference", poll)}
    await life.send("reactions", room, answer, "m.poll.response")
    await life.send("reactions", room, {"anything": ["WORD"]}, "org.example.custom")


async def _private_words(life: Life, room: str, *, encrypted: bool) -> None:
    if not encrypted:
        await life.send("messages", room, {"msgtype": "m.text", "body": "WORD"})
        return
    ciphertext = {
        "algorithm": "m.megolm.v1.aes-sha2",
        "ciphertext": "WORD",
        "session_id": "session",
        "sender_key": "none",
        "device_id": "NONE",
    }
    await life.send("messages", room, ciphertext, "m.room.encrypted")


async def _files(life: Life) -> None:
    """Files in clear: one that the other server has fetched already, and one for each look that it has not."""
    fetched = await life.share("file, fetched", "public")
    for when in ("before", "after"):
        await life.share("file", "public", when)
    await life.rita.download(fetched)


async def _partings(life: Life) -> None:
    """The person leaves a room, is removed from two, and one is replaced by another."""
    alice, bob, rooms = life.alice, life.bob, life.rooms
    await alice.post("rooms", rooms["tombstoned"], "upgrade", body={"new_version": "12"})
    await alice.member(rooms["left"], "leave")
    await bob.member(rooms["kicked"], "kick", user_id=alice.user_id)
    await bob.member(rooms["banned"], "ban", user_id=alice.user_id)

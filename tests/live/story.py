"""What a seeded person lived through in rooms: one function for each kind of room, others write in all of them.

Everything that others write holds a planted secret, also where the server tucks it into the person's own events:
the reason of a moderator's redaction (``unsigned.redacted_because``), the newest reply of the person's thread
(``unsigned.m.relations``), the state before theirs (``unsigned.prev_content``).
"""

import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.live.http import Client

_MOD = 50


@dataclass(frozen=True, slots=True)
class SentMedia:
    """One upload of the person. ``state``: ``held``, ``deleted`` (by an admin, afterwards) or ``quarantined``."""

    url: str
    name: str | None
    media_type: str
    data: bytes
    state: str = "held"


@dataclass
class Story:
    """The cast, and what was done so far."""

    alice: Client
    bob: Client
    carol: Client
    admin: Client
    rooms: dict[str, str] = field(default_factory=dict)
    sent: dict[str, str] = field(default_factory=dict)
    media: list[SentMedia] = field(default_factory=list)
    planted_secrets: list[str] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        """The localpart of the person: keeps aliases apart."""
        return self.alice.user_id[1:].split(":", 1)[0]

    def secret(self) -> str:
        """Return a new string that no archive of the person may hold."""
        self.planted_secrets.append(f"planted-{secrets.token_hex(8)}")
        return self.planted_secrets[-1]

    async def own(self, room: str, content: dict[str, Any], type_: str = "m.room.message") -> str:
        """The person sends an event, which is recorded."""
        event = await self.alice.send(room, content, type_)
        self.sent[event] = room
        return event

    async def say(self, room: str, text: str, **more: Any) -> str:
        """The person says something, which is recorded."""
        return await self.own(room, {"msgtype": "m.text", "body": text, **more})

    async def state(self, room: str, type_: str, content: dict[str, Any], key: str = "") -> str:
        """The person sets state, which is recorded."""
        event = await self.alice.state(room, type_, content, key)
        self.sent[event] = room
        return event

    async def redact(self, room: str, event: str, reason: str) -> str:
        """The person redacts, which is recorded."""
        redaction = await self.alice.redact(room, event, reason)
        self.sent[redaction] = room
        return redaction

    async def chat(self, name: str, room: str) -> None:
        """The person, then Bob with a secret, then the person again."""
        self.rooms[name] = room
        await self.say(room, f"{name}: first words")
        await self.bob.say(room, f"{name}: {self.secret()}")
        await self.say(room, f"{name}: second words, with Umlauts äöü and 🦊")

    async def made_by_alice(self, name: str, **body: Any) -> str:
        """A private room of the person's, Bob joined as a moderator."""
        room = await self.alice.create(
            preset="private_chat",
            name=name,
            invite=[self.bob.user_id],
            power_level_content_override={"users": self._powers(self.alice, body, {self.bob.user_id: _MOD})},
            **body,
        )
        await self.bob.member(room, "join")
        await self.chat(name, room)
        return room

    async def made_by_bob(self, name: str, **body: Any) -> str:
        """A private room of Bob's that the person was invited to and joined."""
        room = await self.bob.create(preset="private_chat", name=name, invite=[self.alice.user_id], **body)
        await self.alice.member(room, "join")
        await self.chat(name, room)
        return room

    @staticmethod
    def _powers(creator: Client, body: dict[str, Any], users: dict[str, int]) -> dict[str, int]:
        # from room version 12 on creators stand above all power levels and may not be listed
        old = body.get("room_version", "12") != "12"
        return {creator.user_id: 100, **users} if old else users


def relates(kind: str, event: str, **more: Any) -> dict[str, Any]:
    """Return an ``m.relates_to`` member."""
    return {"m.relates_to": {"rel_type": kind, "event_id": event, **more}}


def edit(event: str, text: str) -> dict[str, Any]:
    """Return the content of an edit (spec 11.36, "Event replacements")."""
    return {
        "msgtype": "m.text",
        "body": f"* {text}",
        "m.new_content": {"msgtype": "m.text", "body": text},
        **relates("m.replace", event),
    }


async def conversation(story: Story) -> None:
    """A public room: edits, reactions, a thread, replies, a sticker, a poll, all kinds of state."""
    alias = f"{story.prefix}-square"
    room = await story.alice.create(
        preset="public_chat",
        name="The square",
        topic="All about foxes",
        room_alias_name=alias,
        power_level_content_override={"users": {story.bob.user_id: _MOD}},
    )
    for other in (story.bob, story.carol):
        await other.member(room, "join")
    await story.chat("public", room)
    await _relations(story, room)
    await _state(story, room)
    await _redactions(story, room)
    await story.alice.put(
        "directory", "room", f"#{alias}-too:{story.alice.user_id.split(':', 1)[1]}", body={"room_id": room}
    )


async def _relations(story: Story, room: str) -> None:
    first = await story.say(room, "A message with an edit")
    await story.own(room, edit(first, "A message, edited once"))
    await story.own(room, edit(first, "A message, edited twice"))
    theirs = await story.bob.say(room, f"What do you think? {story.secret()}")
    await story.bob.send(room, edit(theirs, f"What do you really think? {story.secret()}"))
    await story.own(room, relates("m.annotation", theirs, key="🦊"), "m.reaction")
    await story.bob.send(room, relates("m.annotation", first, key=story.secret()), "m.reaction")
    await story.say(room, "A reply", **{"m.relates_to": {"m.in_reply_to": {"event_id": theirs}}})
    root = await story.say(room, "The root of a thread")
    await story.say(room, "In the thread", **relates("m.thread", root))
    await story.carol.say(room, f"Also in the thread {story.secret()}", **relates("m.thread", root))
    sticker = {"body": "fox", "url": "mxc://dpobot.test/sticker", "info": {"mimetype": "image/png"}}
    await story.own(room, sticker, "m.sticker")
    answers = [{"id": "1", "m.text": [{"body": "yes"}]}, {"id": "2", "m.text": [{"body": "no"}]}]
    question = {"m.poll": {"question": {"m.text": [{"body": "Foxes?"}]}, "kind": "m.disclosed", "answers": answers}}
    poll = await story.own(room, question, "m.poll.start")
    await story.own(room, {"m.selections": ["1"], **relates("m.reference", poll)}, "m.poll.response")
    await story.bob.send(room, {"m.selections": ["2"], **relates("m.reference", poll)}, "m.poll.response")
    await story.own(room, relates("m.reference", poll), "m.poll.end")
    await story.own(room, {"anything": {"nested": [1, 2, {"three": None}]}}, "org.example.custom")


async def _state(story: Story, room: str) -> None:
    await story.bob.state(room, "m.room.topic", {"topic": f"Bob's topic {story.secret()}"})
    await story.state(room, "m.room.topic", {"topic": "Alice's topic"})
    await story.state(room, "m.room.name", {"name": "The old square"})
    await story.state(room, "org.example.setting", {"colour": "orange"}, "key with spaces/and a slash")
    member = {"membership": "join", "displayname": "Alice of the square"}
    await story.state(room, "m.room.member", member, story.alice.user_id)
    await story.state(room, "m.room.pinned_events", {"pinned": [next(iter(story.sent))]})


async def _redactions(story: Story, room: str) -> None:
    regretted = await story.say(room, "I will take this back")
    await story.redact(room, regretted, "typing error")
    moderated = await story.say(room, "A moderator will take this away")
    await story.bob.redact(room, moderated, f"against the rules {story.secret()}")
    reaction = await story.own(room, relates("m.annotation", moderated, key="👍"), "m.reaction")
    await story.redact(room, reaction, "")


async def private_rooms(story: Story) -> None:
    """Old and new room versions, direct message, encrypted, a space, an upgraded room, one without a word."""
    await story.made_by_alice("private v6", room_version="6")
    await story.made_by_alice("private v9", room_version="9")
    direct = await story.made_by_alice("direct", is_direct=True)
    await story.alice.put("user", story.alice.user_id, "account_data", "m.direct", body={story.bob.user_id: [direct]})
    await _encrypted(story)
    old = await story.made_by_alice("upgraded", room_version="9")
    new = (await story.alice.post("rooms", old, "upgrade", body={"new_version": "12"}))["replacement_room"]
    await story.alice.member(str(new), "invite", user_id=story.bob.user_id)
    await story.bob.member(str(new), "join")
    await story.chat("upgraded to", str(new))
    space = await story.alice.create(name="A space", creation_content={"type": "m.space"})
    story.rooms["space"] = space
    await story.state(space, "m.space.child", {"via": ["dpobot.test"]}, story.rooms["public"])
    silent = await story.bob.create(preset="public_chat")
    story.rooms["silent"] = silent
    await story.alice.member(silent, "join")
    await story.bob.say(silent, story.secret())


async def _encrypted(story: Story) -> None:
    state = [{"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}]
    room = await story.alice.create(preset="private_chat", invite=[story.bob.user_id], initial_state=state)
    await story.bob.member(room, "join")
    story.rooms["encrypted"] = room
    for number in range(3):
        await story.own(room, _ciphertext(f"own{number}"), "m.room.encrypted")
        await story.bob.send(room, _ciphertext(story.secret()), "m.room.encrypted")


def _ciphertext(text: str) -> dict[str, Any]:
    return {
        "algorithm": "m.megolm.v1.aes-sha2",
        "ciphertext": text,
        "session_id": f"session-{text}",
        "sender_key": "none",
        "device_id": "NONE",
    }


async def rooms_of_the_past(story: Story) -> None:
    """Left, kicked from, banned from, forgotten, alone or not, declined, knocked at and taken back, come back to."""
    left = await story.made_by_bob("left")
    await story.alice.member(left, "leave", reason="moving on")
    kicked = await story.made_by_bob("kicked", room_version="9")
    await story.bob.member(kicked, "kick", user_id=story.alice.user_id, reason=story.secret())
    banned = await story.made_by_bob("banned")
    await story.bob.member(banned, "ban", user_id=story.alice.user_id, reason=story.secret())
    forgotten = await story.made_by_bob("forgotten", room_version="6")
    await story.alice.member(forgotten, "leave")
    await story.alice.member(forgotten, "forget")
    for room in (left, kicked, banned, forgotten):
        await story.bob.say(room, f"Now that she is gone: {story.secret()}")
    for name in ("left alone", "forgotten alone"):
        room = await story.alice.create(preset="private_chat", name=name)
        story.rooms[name] = room
        await story.say(room, f"{name}: talking to myself")
        await story.alice.member(room, "leave")
    await story.alice.member(story.rooms["forgotten alone"], "forget")
    deserted = await story.made_by_bob("forgotten by both")
    for person in (story.alice, story.bob):
        await person.member(deserted, "leave")
        await person.member(deserted, "forget")
    back = await story.made_by_bob("come back")
    await story.bob.member(back, "kick", user_id=story.alice.user_id)
    await story.alice.member(back, "forget")
    await story.bob.member(back, "invite", user_id=story.alice.user_id)
    await story.alice.member(back, "join")
    await story.say(back, "Here I am again")
    await _never_in(story)


async def _never_in(story: Story) -> None:
    declined = await story.bob.create(preset="private_chat", name="declined", invite=[story.alice.user_id])
    story.rooms["declined"] = declined
    await story.alice.member(declined, "leave", reason="no, thank you")
    rule = [{"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": "knock"}}]
    knocked = await story.bob.create(name="knocked", initial_state=rule)
    story.rooms["knocked and taken back"] = knocked
    await story.alice.post("knock", knocked, body={"reason": "let me in"})
    await story.alice.member(knocked, "leave")


HOSTILE_NAMES = (
    "../../../../etc/passwd",
    "..\\..\\windows\\system32",
    "line\nbreak\ttab\r\x07bell\x1b[31mred",
    "🦊" * 40,
    "x" * 300,
    "CON",
    "<script>alert(1)</script>.html",
    "\u202egnp.exe",
    " ",
)


async def hostile(story: Story) -> None:
    """Room names, bodies and contents that are made to break whoever shows or stores them."""
    for number, name in enumerate(HOSTILE_NAMES):
        room = await story.alice.create(preset="private_chat", name=name)
        story.rooms[f"hostile {number}"] = room
        await story.say(room, f"<script>alert({number})</script> & <img src=x onerror=alert(1)> {name}")
    for content in (
        {"msgtype": "m.text", "body": "</script><!--", "formatted_body": 5, "format": "org.matrix.custom.html"},
        {"msgtype": "m.image", "body": "no address"},
        {"msgtype": "m.file", "body": "wrong types", "url": 5, "info": "text", "filename": ["list"]},
        {"msgtype": "m.file", "body": "not media", "url": "mxc://dpobot.test/../../secret", "info": {"size": "big"}},
        {"msgtype": "m.file", "body": "encrypted, wrongly", "file": {"url": {}, "key": [], "iv": None}},
        {"msgtype": "m.video", "body": "x" * 20000, "info": {"thumbnail_url": -1, "thumbnail_info": []}},
    ):
        await story.own(room, content)
    for type_, odd in (
        ("m.room.encrypted", {"algorithm": 5, "ciphertext": {"a": []}}),
        ("m.sticker", {"url": [], "body": None}),
        ("m.room.message.\u0000../..", {"body": 5}),
        ("org.example/slash<b>", {"deep": [[[[[[[[[[]]]]]]]]]]}),
        ("m.reaction", {}),
    ):
        await story.own(room, odd, type_)
    await story.state(room, "m.room.avatar", {"url": 5, "info": []})
    await story.state(room, "m.room.name", {"name": "", "wrong": None})

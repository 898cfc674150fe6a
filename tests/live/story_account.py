"""What a seeded person left outside the rooms: media, account data, devices, key backup, receipts, reports."""

import base64
import io
from typing import Any

from PIL import Image

from tests.live.http import path
from tests.live.story import HOSTILE_NAMES, SentMedia, Story


async def profile(story: Story) -> None:
    """A name, an avatar, a custom profile field, a status message.

    Before there are rooms: the server announces a changed profile in each of them later, at a time of its own.
    """
    alice = story.alice
    avatar = _picture("brown")
    url = await alice.upload(avatar, "image/png", "avatar.png")
    story.media.append(SentMedia(url, "avatar.png", "image/png", avatar))
    for name, value in (("displayname", "Alice <b>Fox</b> 🦊"), ("avatar_url", url), ("m.tz", "Europe/London")):
        await alice.put("profile", alice.user_id, name, body={name: value})
    status = {"presence": "online", "status_msg": "chasing rabbits"}
    await alice.put("presence", alice.user_id, "status", body=status)


def _picture(colour: str) -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(picture, "PNG")
    return picture.getvalue()


async def media(story: Story) -> None:
    """Text, picture, hostile names, no name, empty; one deleted and one quarantined afterwards; others' too."""
    room = story.rooms["public"]
    uploads: list[tuple[bytes, str, str | None]] = [
        (b"Plain text, by the person\n", "text/plain", "notes.txt"),
        (_picture("orange"), "image/png", "fox.png"),
        (b"<script>alert(1)</script>", "text/html", "page.html"),
        (b"\x00" * 4096, "application/octet-stream", None),
    ]
    uploads += [(name.encode(), "text/plain", name) for name in HOSTILE_NAMES]
    for data, media_type, name in uploads:
        await _share(story, room, data, media_type, name)
    await _share(story, room, b"will be deleted", "text/plain", "deleted.txt", "deleted")
    await _share(story, room, b"will be quarantined", "text/plain", "quarantined.txt", "quarantined")
    secret = story.secret()
    url = await story.bob.upload(secret.encode(), "text/plain", f"{secret}.txt")
    await story.bob.send(room, {"msgtype": "m.file", "body": story.secret(), "url": url})
    await _take_away(story)


async def _share(story: Story, room: str, data: bytes, media_type: str, name: str | None, state: str = "held") -> None:
    url = await story.alice.upload(data, media_type, name)
    story.media.append(SentMedia(url, name, media_type, data, state))
    kind = "m.image" if media_type.startswith("image/") else "m.file"
    await story.own(room, {"msgtype": kind, "body": name or "nameless", "filename": name, "url": url})


async def _take_away(story: Story) -> None:
    for item in story.media:
        parts = item.url.removeprefix("mxc://").split("/")
        if item.state == "deleted":
            await story.admin.admin("DELETE", "v1", "media", *parts)
        elif item.state == "quarantined":
            await story.admin.admin("POST", "v1", "media", "quarantine", *parts, body={})


async def account_data(story: Story) -> None:
    """Global and per-room account data, tags, push rules, a pusher, filters, ignored users, secret storage."""
    alice, room = story.alice, story.rooms["public"]
    user = ("user", alice.user_id)
    secret_storage = {"encrypted": {"KEY": {"iv": "aXY", "ciphertext": "c2VlZA", "mac": "bWFj"}}}
    for type_, content in (
        ("org.example.settings", {"theme": "dark", "list": [1, "two", None]}),
        ("m.ignored_user_list", {"ignored_users": {story.carol.user_id: {}}}),
        ("m.secret_storage.default_key", {"key": "KEY"}),
        ("m.secret_storage.key.KEY", {"algorithm": "m.secret_storage.v1.aes-hmac-sha2", "iv": "aXY", "mac": "bWFj"}),
        ("m.cross_signing.master", secret_storage),
        ("m.megolm_backup.v1", secret_storage),
    ):
        await alice.put(*user, "account_data", type_, body=content)
    await alice.put(*user, "rooms", room, "account_data", "org.example.room", body={"colour": "orange"})
    await alice.put(*user, "rooms", room, "tags", "m.favourite", body={"order": 0.5})
    await alice.put(*user, "rooms", story.rooms["left"], "tags", "u.memories", body={})
    rule: dict[str, Any] = {"pattern": "fox", "actions": ["notify", {"set_tweak": "highlight"}]}
    await alice.put("pushrules", "global", "content", "foxes", body=rule)
    await alice.post(*user, "filter", body={"room": {"timeline": {"limit": 7}}})
    await alice.post(
        "pushers",
        "set",
        body={
            "kind": "http",
            "app_id": "org.example.app",
            "pushkey": "pushkey-of-the-person",
            "app_display_name": "Example",
            "device_display_name": "Phone",
            "lang": "en",
            "data": {"url": "http://push.invalid/_matrix/push/v1/notify"},
        },
    )


async def devices(story: Story) -> None:
    """Three more devices and an encrypted key backup."""
    alice = story.alice
    for name in ("Phone of Alice", "../tablet\n<script>", "🦊"):
        identifier = {"type": "m.id.user", "user": alice.user_id}
        login = {"type": "m.login.password", "identifier": identifier, "initial_device_display_name": name}
        await alice.post("login", body=login | {"password": alice.credentials.password})
    algorithm = "m.megolm_backup.v1.curve25519-aes-sha2"
    auth = {"public_key": base64.b64encode(b"k" * 32).decode().rstrip("="), "signatures": {}}
    backup = await alice.post("room_keys", "version", body={"algorithm": algorithm, "auth_data": auth})
    session = {
        "first_message_index": 0,
        "forwarded_count": 0,
        "is_verified": True,
        "session_data": {"ciphertext": "encrypted-session", "ephemeral": "e", "mac": "m"},
    }
    keys = {"rooms": {story.rooms["encrypted"]: {"sessions": {"session-own0": session}}}}
    await alice.call("PUT", "/_matrix/client/v3/room_keys/keys", keys, version=str(backup["version"]))


async def receipts_and_reports(story: Story) -> None:
    """Public and private receipts, a read marker; reports by the person and about the person."""
    alice = story.alice
    for room, kind in ((story.rooms["public"], "m.read"), (story.rooms["private v6"], "m.read.private")):
        event = await story.bob.say(room, f"Read this {story.secret()}")
        await alice.post("rooms", room, "receipt", kind, event)
        await alice.post("rooms", room, "read_markers", body={"m.fully_read": event})
    await alice.post("rooms", story.rooms["public"], "report", event_of(story, "public"), body={"reason": "a test"})
    await alice.post("users", story.carol.user_id, "report", body={"reason": "noise"})
    await alice.post("rooms", story.rooms["left"], "report", body={"reason": "the whole room"})
    about = path("rooms", story.rooms["public"], "report", event_of(story, "public"))
    await story.bob.call("POST", f"/_matrix/client/v3/{about}", {"reason": "reported by another member"})


def event_of(story: Story, name: str) -> str:
    """Return the first event that the person sent in a room."""
    return next(event for event, room in story.sent.items() if room == story.rooms[name])

"""An archive of somebody who writes only what might run, hide or break something, packed by the real code."""

import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from dpobot.archive.inspect import inspect
from dpobot.archive.package import package
from dpobot.archive.spool import Added, Medium, Room, Spool
from dpobot.model.words import Scope
from dpobot.text.render import Renderer
from tests.author import Author, key_file, seal_file
from tests.unit.archive.conftest import ALICE, PIXEL, RECIPIENTS, facts, message

SECRET, OPEN = "!secret:example.org", "!open:example.org"
PASSPHRASE = "of the file"
DEED = "window.hit=1;alert(1);fetch('https://evil.example/')"
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{DEED}"><script>{DEED}</script></svg>'.encode()
HTML = f"<!doctype html><script>{DEED}</script><img src=https://evil.example/i.png>".encode()
ATTACKS = (
    f"tea <script data-evil>{DEED}</script>",
    f"tea </script><script data-evil>{DEED}</script>",
    "tea <!--<script data-evil>",
    "tea --> ]]> </style></title></textarea></template></bdi>",
    f'tea "><img data-evil src=https://evil.example/i.png onerror="{DEED}">',
    f"tea ' autofocus onfocus={DEED} data-evil='",
    f'tea <svg data-evil onload="{DEED}"><a href="javascript:{DEED}">x</a></svg>',
    f"javascript:{DEED} tea",
    "tea <meta data-evil http-equiv=refresh content='0;url=https://evil.example/'><base data-evil href=//evil.example>",
    "tea <style data-evil>*{display:none;background:url(https://evil.example/c)}</style>",
    'tea {{ "".__class__ }} {% raw %} ${alert(1)} {what} {n} \\u003cscript\\u003e',
    "tea \u202egnp.exe\u2066 \u200f\u061c\ufeff\u200b over",
    "tea \ud800 alone \udc00 \x00\x07\x1b[31m\x9b",
    "tea \u2028*/alert(1)//\u2029 ');dpobot({});//",
    "__proto__",
    "constructor",
    f"../../tea/{chr(92)}..{chr(92)}evil.html",
)
LONG = f"<b data-evil>{'tea </script>' * 80_000}"  # 1 MB
DEEP = 400


def deep() -> Any:
    """Return objects and lists inside each other."""
    value: Any = ATTACKS[0]
    for level in range(DEEP):
        value = [value] if level % 2 else {"__proto__": value}
    return value


def contents(attack: str) -> Iterator[tuple[str, Any]]:
    """Yield types and contents of events that carry an attack wherever text may stand."""
    html = {"format": "org.matrix.custom.html", "formatted_body": attack}
    yield "m.room.message", {"msgtype": "m.text", "body": attack, **html}
    yield "m.room.message", {"msgtype": attack, "body": attack, "__proto__": {"hit": attack}, "constructor": attack}
    for kind in ("m.emote", "m.location"):
        yield "m.room.message", {"msgtype": kind, "body": attack, "geo_uri": f"javascript:{DEED}"}
    relation = {"event_id": attack, "rel_type": "m.thread", "m.in_reply_to": {"event_id": attack}}
    yield "m.room.message", {"msgtype": "m.text", "body": f"> {attack}\n\n{attack}", "m.relates_to": relation}
    new = {"msgtype": "m.text", "body": attack, **html}
    edit = {"rel_type": "m.replace", "event_id": "$0"}
    yield "m.room.message", {"msgtype": "m.text", "body": attack, "m.new_content": new, "m.relates_to": edit}
    for target in ("$0", attack):
        reaction = {"rel_type": "m.annotation", "event_id": target, "key": attack}
        yield "m.reaction", {"m.relates_to": reaction}
    info = {"mimetype": attack, "size": -1, "w": attack}
    yield "m.room.message", {"msgtype": "m.image", "body": attack, "url": f"javascript:{DEED}", "info": info}
    yield "m.room.message", {"msgtype": "m.file", "filename": attack, "body": attack, "url": f"mxc://{attack}"}
    yield "m.sticker", {"body": attack, "url": attack}
    yield "m.poll.start", {"m.poll.start": {"question": {"body": attack}, "answers": [{"id": attack}]}}
    yield "m.call.invite", {"call_id": attack}
    yield "m.room.redaction", {"redacts": attack, "reason": attack}
    yield attack, {attack: {attack: attack}, "__proto__": attack}


def readable() -> Iterator[dict[str, Any]]:
    """Yield events that the server could read; state among them."""
    events: list[dict[str, Any]] = [message(0, OPEN, content={"msgtype": "m.text", "body": LONG})]
    for attack in ATTACKS:
        for kind, content in contents(attack):
            events.append(message(len(events), OPEN, type=kind, content=content))
        for kind, content in (
            ("m.room.name", {"name": attack}),
            ("m.room.topic", {"topic": attack}),
            ("m.room.power_levels", {attack: {attack: 1}}),
            ("m.room.member", {"membership": "leave", "reason": attack, "displayname": attack}),
        ):
            events.append(message(len(events), OPEN, type=kind, content=content, state_key=ALICE))
    odds: list[Any] = [
        None,
        [],
        "text",
        7,
        {"body": {"__proto__": []}, "msgtype": ["m.text"]},
        {"x": deep()},
        {"body": deep()},
    ]
    for odd in odds:
        events.append(message(len(events), OPEN, content=odd))
    events.append(message(len(events), OPEN, origin_server_ts=ATTACKS[0], type=7))
    yield from events


class Hostile:
    """An unpacked archive with its keys; in scope ``visible`` others write there as well, with names of that sort."""

    def __init__(self, folder: Path, scope: Scope) -> None:
        self.scope, self.folder, self.author = scope, folder / "unpacked", Author()
        self.files = [seal_file(data, f"mxc://example.org/{n}") for n, data in enumerate((PIXEL, SVG, HTML, SVG, HTML))]
        self.keys = folder / "keys.txt"
        self._spool = Spool(folder / "spool")

    async def pack(self, renderer: Renderer) -> None:
        """Put everything into a spool, pack it, look at it as before delivery, unpack it."""
        spool, sealed = self._spool, list(self.sealed())
        rooms = [Room(1, SECRET, ATTACKS[1], "join", True), Room(2, OPEN, ATTACKS[0], ATTACKS[0], False)]
        more = [
            Room(3 + n, f"!{attack}", attack, "join", None, None, attack, attack) for n, attack in enumerate(ATTACKS)
        ]
        spool.rooms(rooms + more)
        spool.append(1, 0, self.written(sealed))
        spool.append(2, 0, self.written(list(readable())))
        self.account()
        await self.media()
        made = package(spool, self.folder.parent / "out", facts(scope=self.scope), 90_000_000, renderer)
        if self.scope is Scope.MINE:
            inspect([volume.path for volume in made.volumes], ALICE, self.scope, None)
        with zipfile.ZipFile(made.volumes[0].path) as packed:
            packed.extractall(self.folder)
        odd = [None, "x", {"__proto__": 1}, {"room_id": "__proto__", "session_id": "constructor", "session_key": "AA"}]
        self.keys.write_bytes(key_file([*odd, *self.author.exported()], PASSPHRASE))

    def written(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return events with their senders."""
        if self.scope is Scope.MINE:
            return events
        names = [ALICE, *(f"@{attack}:evil.example" for attack in ATTACKS)]
        return [event | {"sender": names[n % len(names)]} for n, event in enumerate(events)]

    def sealed(self) -> Iterator[dict[str, Any]]:
        """Yield encrypted events that hold the same, and files that are not what they say."""
        author = self.author
        yield author.write(SECRET, LONG) | {"event_id": "$0"}
        for attack in ATTACKS:
            for kind, content in contents(attack):
                yield author.seal(SECRET, content, {"type": kind})
        odds: list[Any] = [None, [], "text", {"body": deep()}, {"msgtype": "m.image", "file": [1], "info": "x"}]
        for odd in odds:
            yield author.seal(SECRET, {}, {"content": odd})
        yield author.seal(SECRET, {}, {"type": "__proto__", "content": {"__proto__": {"body": 1}}, "constructor": 1})
        types = ("image/png", "image/svg+xml", "text/html", "image/png", "image/png")
        for n, (file, kind) in enumerate(zip(self.files, types, strict=True)):
            info = {"mimetype": kind, "size": len(file.ciphertext)}
            content = {"msgtype": "m.image", "body": ATTACKS[n], "file": file.file, "info": info}
            yield author.seal(SECRET, content)

    def account(self) -> None:
        """Put account data with hostile keys and values, and receivers with hostile names, into the spool."""
        spool, author = self._spool, self.author
        records = [{"type": attack, "content": {attack: attack, "__proto__": attack}} for attack in ATTACKS]
        deepest = {"type": "deep", "content": {"x": deep()}}
        spool.account("account_data", [*author.account_data(), *records, deepest])
        spool.account("key_backup", author.key_backup())
        names = ("device_id", "display_name", "last_seen_ip", "user_agent")
        spool.account("devices", [dict.fromkeys(names, attack) | {attack: attack} for attack in ATTACKS])
        spool.account(
            "account", [{"user_id": ALICE, "displayname": ATTACKS[0], "threepids": [{"address": ATTACKS[4]}]}]
        )
        server, service = RECIPIENTS["servers"][1], RECIPIENTS["services"][0]
        spool.keep(
            "recipients",
            RECIPIENTS
            | {
                "servers": [server | {"server": attack} for attack in ATTACKS],
                "services": [service | {"user_id": attack, "network": attack} for attack in ATTACKS],
                "push": [{"host": attack, "app": attack, "devices": 1} for attack in ATTACKS],
                "identity": [{"host": attack} for attack in ATTACKS],
            },
        )

    async def media(self) -> None:
        """Put the encrypted files, pages and drawings that say so or not, and a file of staff into the spool."""
        sealed: list[tuple[bytes, str, str, str | None]] = [
            (file.ciphertext, "application/octet-stream", f"mxc://example.org/{n}", None)
            for n, file in enumerate(self.files)
        ]
        plain = [
            (data, kind, f"mxc://example.org/{attack}{ending}", attack + ending)
            for attack in ATTACKS
            for data, kind, ending in (
                (SVG, "image/svg+xml", ".svg"),
                (HTML, "text/html", ".html"),
                (HTML, attack, ""),
                (SVG, "image/png", ".png"),
            )
        ]
        offset = 0
        for number, (data, kind, url, name) in enumerate([*sealed, *plain], 1):
            medium = Medium(number, url, kind, 0, name, None, None, None)
            offset = (await self._spool.medium(medium, offset, _parts(data)))[0].offset
        self._spool.added_path(1).write_bytes(HTML)
        self._spool.add(Added(1, f"{ATTACKS[0]}.html", "text/html", 0, None, None), 0)


async def _parts(data: bytes) -> AsyncIterator[bytes]:
    yield data

"""Accounts with everything that the export must find, and exact knowledge of what they hold."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass

from dpobot.demo.synapse import Credentials, Synapse
from tests.live import story as rooms
from tests.live import story_account as account
from tests.live.http import clients
from tests.live.story import SentMedia, Story


@dataclass(frozen=True)
class Seeded:
    """A seeded account.

    ``own_events`` (event ID -> room ID) is everything the person ever sent, as the homeserver's database tells it,
    so also member and create events; ``sent`` those of them whose ID a client was told. ``foreign_events`` are all
    others' in these rooms. No string of ``planted_secrets`` may be in an archive of scope ``mine``.
    """

    person: Credentials
    others: dict[str, Credentials]
    rooms: dict[str, str]
    own_events: dict[str, str]
    sent: dict[str, str]
    foreign_events: frozenset[str]
    media: list[SentMedia]
    planted_secrets: list[str]

    @property
    def held_media(self) -> list[SentMedia]:
        """The media whose bytes the server still has and gives out."""
        return [item for item in self.media if item.state == "held"]


async def seed_account(synapse: Synapse, localpart: str) -> Seeded:
    """Register ``localpart`` and others, and let them live: a hundred and more events in some thirty rooms."""
    person = await synapse.register(localpart)
    others = {name: await synapse.register(f"{localpart}-{name}") for name in ("bob", "carol")}
    others["admin"] = await synapse.register(f"{localpart}-admin", admin=True)
    async with clients(synapse, person, *others.values()) as (alice, bob, carol, admin):
        story = Story(alice, bob, carol, admin)
        await account.profile(story)
        await rooms.conversation(story)
        await rooms.private_rooms(story)
        await rooms.rooms_of_the_past(story)
        await rooms.hostile(story)
        await account.devices(story)
        await account.media(story)
        await account.account_data(story)
        await account.receipts_and_reports(story)
    own, foreign = await asyncio.to_thread(events_of, synapse, person.user_id)
    return Seeded(person, others, story.rooms, own, story.sent, foreign, story.media, story.planted_secrets)


async def seed_invited(synapse: Synapse, localpart: str) -> Seeded:
    """Register ``localpart`` with one room, a pending invitation and a pending knock: export-data crashes on both."""
    person = await synapse.register(localpart)
    others = {name: await synapse.register(f"{localpart}-{name}") for name in ("bob", "carol")}
    others["admin"] = await synapse.register(f"{localpart}-admin", admin=True)
    async with clients(synapse, person, *others.values()) as (alice, bob, carol, admin):
        story = Story(alice, bob, carol, admin)
        await story.made_by_alice("private")
        story.rooms["invited"] = await bob.create(
            preset="private_chat", name=story.secret(), topic=story.secret(), invite=[person.user_id]
        )
        rule = [{"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": "knock"}}]
        story.rooms["knocked"] = await bob.create(name="knock first", initial_state=rule)
        await alice.post("knock", story.rooms["knocked"], body={"reason": "please"})
        for name in ("invited", "knocked"):
            await bob.say(story.rooms[name], story.secret())
    own, foreign = await asyncio.to_thread(events_of, synapse, person.user_id)
    return Seeded(person, others, story.rooms, own, story.sent, foreign, story.media, story.planted_secrets)


def events_of(synapse: Synapse, user_id: str) -> tuple[dict[str, str], frozenset[str]]:
    """Read the database: the user's events (ID -> room ID), and all others' in rooms that know the user."""
    with closing(sqlite3.connect(f"file:{synapse.folder / 'homeserver.db'}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "SELECT event_id, room_id, sender FROM events WHERE NOT outlier AND rejection_reason IS NULL"
            " AND room_id IN (SELECT room_id FROM room_memberships WHERE user_id = ?)",
            (user_id,),
        ).fetchall()
    own = {event: room for event, room, sender in rows if sender == user_id}
    return own, frozenset(event for event, _, sender in rows if sender != user_id)

"""Labels that the person put on rooms (spec, "Room Tagging")."""

from dpobot.homeserver.category import PLAIN, WHOLE, Category, Found, Record, Subject, entries
from dpobot.homeserver.puppet import ENDPOINTS as PUPPET
from dpobot.homeserver.rooms import ENDPOINTS, find_rooms, gathered
from dpobot.text.language import translatable

_TAGS = "GET /_matrix/client/v3/user/{user}/rooms/{room}/tags"


async def _ask(subject: Subject) -> Found:
    # room by room: a sync would leave out the tags of forgotten rooms
    rooms = [room.room_id for room in (await find_rooms(subject)).rooms]
    async with subject.acting() as person:

        async def of_room(room: str) -> tuple[Record, ...]:
            tags = (await person.ask(_TAGS, room=room)).get("tags")
            return tuple({"room_id": room, "tag": tag, "content": content} for tag, content in entries(tags))

        found = await gathered(of_room, rooms)
    return Found(tuple(record for records in found for record in records))


CATEGORY = Category(
    name="tags",
    title=translatable("Room tags"),
    purpose="Kept for the person's clients to sort rooms (Art. 6(1)(b)).",
    endpoints=(_TAGS, *ENDPOINTS, *PUPPET),
    fields={"room_id": PLAIN, "tag": PLAIN, "content": WHOLE},
    ask=_ask,
)

"""The staff room: can staff work there, and are they who they should be?"""

from dpobot.check.finding import Answer, Check, Place, failed, ok, unseen, warning
from dpobot.errors import Rejected
from dpobot.matrix import standing
from dpobot.matrix.api import RoomFacts
from dpobot.matrix.rooms import Rooms
from dpobot.model.ids import RoomId, UserId
from dpobot.store import staff_rooms

_NONE = warning(
    "there is no staff room: nobody decides, and nobody answers", "[staff] names people, or a room of yours"
)


async def _room_id(place: Place) -> RoomId | Answer:
    staff = place.config.staff
    if not staff.wanted:
        return _NONE
    if staff.room_id is not None:
        return RoomId(staff.room_id)
    made = await place.database.read(staff_rooms.made)
    return made or warning("the staff room has not been made yet", "start dpobot: it makes the room and invites staff")


async def _room(place: Place) -> tuple[RoomId, RoomFacts, Rooms] | Answer:
    """Return the staff room, how it stands, and what looks into it; or why that can't be said."""
    room_id = await _room_id(place)
    if isinstance(room_id, Answer):
        return room_id
    rooms = Rooms(place.account.http, place.account.user_id)
    try:
        return room_id, await rooms.facts(room_id), rooms
    except Rejected as error:
        return failed(f"the bot can't look into the staff room {room_id} ({error})", "invite it there, and restart it")


async def _safe(place: Place) -> Answer:
    found = await _room(place)
    if isinstance(found, Answer):
        return found
    room_id, facts, rooms = found
    if not facts.encrypted:
        return failed(f"the staff room {room_id} is not encrypted", "switch encryption on there: it can't be undone")
    if not await rooms.is_private(room_id):
        cure = "set access to invited people alone, and let nobody outside read its history"
        return failed(f"others than invited people can come into the staff room {room_id}, or read it", cure)
    return ok(f"the staff room {room_id} is encrypted and by invitation only")


async def _inside(place: Place) -> tuple[RoomFacts, frozenset[UserId]] | Answer:
    """Return who is in the room, and who of them is staff there; or why that can't be said."""
    found = await _room(place)
    if isinstance(found, Answer):
        return found
    room_id, facts, rooms = found
    powers = await rooms.powers(room_id)
    level = place.config.staff.power_level
    return facts, frozenset(user for user in facts.joined if powers.reach(user, level)) - {place.account.user_id}


async def _people(place: Place) -> Answer:
    found, settings = await _inside(place), place.config.staff
    if isinstance(found, Answer):
        return found
    facts, people = found
    if not people:
        return failed("nobody in the staff room is staff", f"join it, with power level {settings.power_level} or more")
    named = {UserId(member) for member in settings.members}
    if away := sorted(named - facts.joined):
        return warning(f"named as staff, but not in the room: {', '.join(away)}", "they accept the invitation there")
    if powerless := sorted(named - people):
        level = settings.power_level
        return warning(f"named as staff, but without the power: {', '.join(powerless)}", f"give them level {level}")
    return ok(f"staff in the room: {len(people)}")


async def _devices(place: Place) -> Answer:
    found = await _inside(place)
    if isinstance(found, Answer):
        return found
    _, people = found
    if not people:
        return unseen("nobody in the staff room is staff", "see staff")
    known = await standing.of(place.account.http, people)
    if without := sorted(user for user, each in known.items() if not each.signed):
        cure = "they verify a session of theirs in their client: only from such a one are they obeyed"
        return failed(f"staff without a verified device: {', '.join(without)}", cure)
    return ok("every member of staff has a verified device")


CHECKS = (
    Check("staff room", "Is the staff room encrypted and closed to strangers?", _safe),
    Check("staff", "Is everybody there who should be?", _people),
    Check("staff devices", "Can every member of staff give orders?", _devices),
)

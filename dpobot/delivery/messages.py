"""What is to be said: rendered at once, and written to the outbox in the transaction that decided it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from dpobot.delivery import attachments
from dpobot.delivery.attachments import Enclosure
from dpobot.model.ids import RoomId, UserId
from dpobot.model.records import FileRef, Reply
from dpobot.store import outbox, people
from dpobot.store.database import Tx
from dpobot.store.outbox import OutboxItem, Relation
from dpobot.text.render import Renderer


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes. Without a room: the person's safe direct message, found or made when it is sent.

    ``cleartext``: the message holds no personal data; it may go to a room that is not encrypted, or where others are.
    """

    person: UserId
    room_id: RoomId | None = None
    cleartext: bool = False


@dataclass(frozen=True, slots=True)
class StaffPlace:
    """Where in the staff room a message goes: the main time line, or with ``relation`` a case's card or thread."""

    room_id: RoomId
    language: str
    case_id: int | None = None
    relation: Relation | None = None


def key(*parts: object) -> str:
    """Return the idempotency key of a message: the same parts give the same Matrix transaction, and so one event."""
    return sha256("|".join(str(part) for part in parts).encode()).hexdigest()


async def post(
    tx: Tx,
    renderer: Renderer,
    now: datetime,
    address: Address,
    reply: Reply,
    message_key: str,
    *,
    not_before: datetime | None = None,
    files: Sequence[FileRef] = (),
    case_id: int | None = None,
) -> None:
    """Put a reply in the outbox, in the person's language; posting the same key again changes nothing.

    The reply's attachment and ``files`` follow the words, each as a message of its own. ``case_id``: whose thread is
    told if a file can't be sent.
    """
    person = await people.get(tx, address.person)
    language = person.language if person else "en"

    def item(content: attachments.Content, item_key: str, attachment: attachments.Stored | None = None) -> OutboxItem:
        return OutboxItem(
            key=item_key,
            user_id=address.person,
            room_id=address.room_id,
            content=content,
            cleartext=address.cleartext,
            not_before=not_before,
            created_at=now,
            attachment=attachment,
            case_id=case_id,
        )

    await outbox.put(tx, item(renderer.message(reply, language), message_key))
    for number, enclosure in enumerate(_enclosures(reply, files), 1):
        await outbox.put(tx, item(enclosure.content, outbox.part(message_key, number), enclosure.stored))


async def post_staff(
    tx: Tx, renderer: Renderer, now: datetime, place: StaffPlace, reply: Reply, message_key: str
) -> None:
    """Put a reply in the outbox for the staff room, in the room's language; its attachment follows in the same place.

    Posting the same key again changes nothing.
    """
    await outbox.put(tx, _staff_item(now, place, renderer.message(reply, place.language), message_key))
    for number, enclosure in enumerate(_enclosures(reply), 1):
        item = _staff_item(now, place, enclosure.content, outbox.part(message_key, number), enclosure.stored)
        await outbox.put(tx, item)


async def forward(tx: Tx, now: datetime, place: StaffPlace, file: FileRef, message_key: str) -> None:
    """Put a person's file in the outbox for the staff room; it is copied, so that the bot owns its bytes.

    It waits in a line of its own: whoever runs the server that it comes from can't hold up what staff are told.
    """
    enclosure = attachments.copied(file)
    item = _staff_item(now, place, enclosure.content, message_key, enclosure.stored)
    await outbox.put(tx, replace(item, user_id=outbox.FILES))


def _enclosures(reply: Reply, files: Sequence[FileRef] = ()) -> list[Enclosure]:
    own = [attachments.made(reply.attachment)] if reply.attachment else []
    return own + [attachments.copied(file) for file in files]


def _staff_item(
    now: datetime,
    place: StaffPlace,
    content: attachments.Content,
    message_key: str,
    attachment: attachments.Stored | None = None,
) -> OutboxItem:
    """Messages of the staff room are in order among each other: the room stands where else a person does.

    A file never is the card, nor its edit: it stands in the card's thread.
    """
    relation = Relation.THREAD if attachment is not None and place.relation is not None else place.relation
    return OutboxItem(
        key=message_key,
        user_id=UserId(place.room_id),
        room_id=place.room_id,
        content=content,
        created_at=now,
        attachment=attachment,
        relation=relation,
        case_id=place.case_id,
    )

"""One volume on its way: uploaded encrypted, then sent as a file into a room that was looked at the moment before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dpobot.delivery.messages import key
from dpobot.matrix.api import Courier
from dpobot.model.ids import EventId, RoomId
from dpobot.model.records import Case, EncryptedFile

MEDIA_TYPE = "application/zip"


@dataclass(frozen=True, slots=True)
class Parcel:
    """An uploaded volume: its number from 1, its name for the person, bytes of the ZIP, and its ``file`` member."""

    number: int
    name: str
    size: int
    file: Mapping[str, Any] = field(repr=False)

    @property
    def url(self) -> str:
        """Where the bytes are: the same upload is the same message."""
        return str(self.file["url"])


async def upload(matrix: Courier, path: Path) -> EncryptedFile:
    """Encrypt and upload a volume as a stream; the server learns neither its name nor its type."""
    return await matrix.upload_encrypted(path, MEDIA_TYPE)


async def send(matrix: Courier, case: Case, room_id: RoomId, parcel: Parcel) -> EventId:
    """Send a volume's message (spec "m.file"); sending it again gives the same event.

    The caller has checked the room at this moment (`delivery.rooms`); who comes in between that look and the encryption
    gets no key either: Rejected("other_members").
    """
    content = {
        "msgtype": "m.file",
        "body": parcel.name,
        "filename": parcel.name,
        "file": dict(parcel.file),
        "info": {"mimetype": MEDIA_TYPE, "size": parcel.size},
        "m.mentions": {},
    }
    both = frozenset({case.person, matrix.user_id})
    return await matrix.send(room_id, content, txn_id=key("volume", case.id, parcel.number, parcel.url), only=both)

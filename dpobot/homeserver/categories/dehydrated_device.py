"""A device that receives keys while the person is logged out everywhere (MSC3814), encrypted by their clients."""

from dpobot.errors import Gone
from dpobot.homeserver.category import PLAIN, WHOLE, Category, Found, Subject
from dpobot.homeserver.puppet import ENDPOINTS as PUPPET
from dpobot.text.language import translatable

_DEVICE = "GET /_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device"


async def _ask(subject: Subject) -> Found:
    async with subject.acting() as person:
        try:
            answer = await person.ask(_DEVICE)
        except Gone as error:
            if error.code == "M_NOT_FOUND":
                return Found()
            raise
    return Found((answer,))


CATEGORY = Category(
    name="dehydrated_device",
    title=translatable("Dehydrated device"),
    purpose="Kept for the person; only their recovery key opens it (Art. 6(1)(b)).",
    endpoints=(_DEVICE, *PUPPET),
    fields={"device_id": PLAIN, "device_data": WHOLE},
    ask=_ask,
)

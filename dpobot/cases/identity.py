"""The identity by which we know a person: pinned at first sight, let go when somebody has made sure of a new one."""

from datetime import datetime

from dpobot.audit import trail
from dpobot.model.ids import UserId
from dpobot.store import known_devices, people
from dpobot.store.database import Tx


async def accept_new(tx: Tx, now: datetime, user_id: UserId, actor: str, case_id: int | None = None) -> bool:
    """Forget a person's pinned master key: their next message from a signed device pins the one it has then.

    ``actor``, an admin or a member of staff, has made sure in another way that the account is still the person's.
    Devices that the old identity signed are known no more. False if nothing is pinned: then nothing changes. The trail
    names whose identity it is as the actor of a row of its own (``person.identity_accepted_of``): an actor can be
    forgotten. Raises `LookupError` for whom we have never met.
    """
    person = await people.get(tx, user_id, lock=True)
    if person is None:
        raise LookupError("we have never met this person")
    if not await people.unpin_master_key(tx, user_id):
        return False
    await known_devices.forget(tx, user_id)
    await trail.record(tx, now, actor, "person.identity_accepted", case_id)
    await trail.record(tx, now, user_id, "person.identity_accepted_of", case_id)
    return True

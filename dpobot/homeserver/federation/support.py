"""Whom a homeserver names for its people's questions (spec, Client-Server API, "Server Support Discovery"; MSC4265)."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from yarl import URL

from dpobot.config import NoticesConfig
from dpobot.errors import Gone, Rejected, Unavailable
from dpobot.homeserver.federation.addresses import anywhere, is_public
from dpobot.homeserver.federation.fetching import Fetcher
from dpobot.model.ids import server_of
from dpobot.model.notices import Contact, SupportContacts, host_of, is_server_name, user_id_of

WELL_KNOWN = "/.well-known/matrix/support"
Contacts = Callable[[str], Awaitable[SupportContacts]]  # `Support.contacts`, or what tests know
ROLES = ("m.role.dpo", "org.matrix.msc4265.role.dpo", "m.role.admin")  # who is asked first
_MOST_CONTACTS = 50  # that are looked at
_EMAIL = re.compile(r"[0-9A-Za-z][0-9A-Za-z.!#$%&'*+/=?^_`{|}~-]{0,63}@[0-9A-Za-z][0-9A-Za-z.-]{0,188}")


def of(config: NoticesConfig) -> "Support":
    """Return what asks as the configuration says."""
    permitted = anywhere if config.private_addresses else is_public
    return Support(Fetcher(config.timeout_seconds, config.ca_file, permitted))


class Support:
    """Asks homeservers for their contacts."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def contacts(self, server: str) -> SupportContacts:
        """Return whom a server names; nobody, perhaps.

        The file belongs to the host name; where the server name has a port, that port is asked first. Raises as
        `Fetcher.json`, and `Rejected` ``bad_name``, ``bad_support_file``.
        """
        if not is_server_name(server):
            raise Rejected("bad_name")
        troubles: list[Rejected | Unavailable] = []
        for place in dict.fromkeys((server, host_of(server))):
            try:
                return contacts_in(await self._fetcher.json(_address(place)), server)
            except (Rejected, Unavailable) as trouble:
                troubles.append(trouble)
        raise troubles[0] if not isinstance(troubles[0], Gone) else _least_sure(troubles)


def _least_sure(troubles: Sequence[Rejected | Unavailable]) -> Rejected | Unavailable:
    """Return the trouble that may pass, if one may: then it is not sure that there is no file."""
    return next((each for each in troubles if isinstance(each, Unavailable)), troubles[0])


def contacts_in(said: Any, server: str) -> SupportContacts:
    """Return the contacts that a support file names, as far as they are what they should be.

    Accounts of other servers are passed over: nobody there can answer for this one. Raises `Rejected`
    ``bad_support_file`` for what is no such file.
    """
    if not isinstance(said, Mapping) or not isinstance(said.get("contacts", []), list):
        raise Rejected("bad_support_file")
    found = [_contact(each, server) for each in said.get("contacts", [])[:_MOST_CONTACTS]]
    known = [contact for contact in found if contact is not None]
    return SupportContacts(tuple(sorted(known, key=lambda contact: ROLES.index(contact.role))))


def _contact(said: Any, server: str) -> Contact | None:
    if not isinstance(said, Mapping) or said.get("role") not in ROLES:
        return None
    user_id, email = user_id_of(said.get("matrix_id")), said.get("email_address")
    if user_id is not None and server_of(user_id) != server:
        user_id = None
    if not isinstance(email, str) or _EMAIL.fullmatch(email) is None:
        email = None
    return None if user_id is None and email is None else Contact(str(said["role"]), user_id, email)


def _address(place: str) -> URL:
    try:
        return URL(f"https://{place}{WELL_KNOWN}")
    except ValueError as error:  # such as [::::]
        raise Rejected("bad_name") from error

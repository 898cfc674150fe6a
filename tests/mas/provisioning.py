"""What MAS asks of Synapse: accounts, devices and deletions, signed with the secret that both share."""

from typing import Any

import aiohttp

from dpobot.errors import Unavailable


class Provisioning:
    """Synapse as MAS sees it (``/_synapse/mas``)."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._secret = secret

    async def user(self, localpart: str, emails: list[str], *, locked: bool, name: str | None = None) -> None:
        """Make an account, or bring it up to date."""
        body = {"localpart": localpart, "set_emails": emails, "locked": locked}
        await self._post("provision_user", body | ({"set_displayname": name} if name else {}))

    async def device(self, localpart: str, device: str) -> None:
        """Make a device."""
        await self._post("upsert_device", {"localpart": localpart, "device_id": device})

    async def no_device(self, localpart: str, device: str) -> None:
        """Delete a device."""
        await self._post("delete_device", {"localpart": localpart, "device_id": device})

    async def delete(self, localpart: str, *, erase: bool) -> None:
        """Deactivate an account."""
        await self._post("delete_user", {"localpart": localpart, "erase": erase})

    async def reactivate(self, localpart: str) -> None:
        """Take a deactivation back."""
        await self._post("reactivate_user", {"localpart": localpart})

    async def _post(self, what: str, body: dict[str, Any]) -> None:
        headers = {"Authorization": f"Bearer {self._secret}"}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.post(f"{self._url}/_synapse/mas/{what}", json=body) as answer,
        ):
            if answer.status >= 300:
                raise Unavailable(f"http_{answer.status}")

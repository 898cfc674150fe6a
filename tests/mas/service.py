"""A stand-in for MAS, in process: its state, its sign-ins, and its jobs towards a real Synapse."""

import secrets
import time
from collections.abc import Iterator

from dpobot.demo.synapse import Credentials
from tests.mas.jobs import Queue
from tests.mas.provisioning import Provisioning
from tests.mas.things import COLLECTIONS, SESSIONS, Thing, Token, now

API = "urn:matrix:client:api:*"
SYNAPSE_ADMIN = "urn:synapse:admin:*"
MAS_ADMIN = "urn:mas:admin"
_DEVICE = "urn:matrix:client:device:"
_HOUR = 3600.0
_APP = "01JDPB0T00000000000000APP0"


class SignInRefused(Exception):
    """MAS lets somebody not in."""


class Mas:
    """What MAS keeps and does. ``homeserver`` is where it provisions accounts; None for tests without a Synapse."""

    def __init__(self, server_name: str = "dpobot.test") -> None:
        self.server_name = server_name
        self.client_id = "01JDPB0T0000000000000000B0"
        self.client_secret = secrets.token_urlsafe(12)
        self.shared_secret = secrets.token_hex(16)
        self.homeserver: Provisioning | None = None
        self.things: dict[str, dict[str, Thing]] = {name: {} for name in COLLECTIONS}
        self.tokens: dict[str, Token] = {}
        self.queue = Queue()
        self.token_seconds = 300
        self.url = ""

    # what anybody can do

    async def register(self, localpart: str, name: str | None = None) -> Credentials:
        """Register somebody in a browser, and sign a program in (OAuth 2)."""
        self.add(
            "users",
            username=localpart,
            created_at=now(),
            locked_at=None,
            deactivated_at=None,
            admin=False,
            legacy_guest=False,
        )
        if self.homeserver is not None:
            await self.homeserver.user(localpart, [], locked=False, name=name)
        return await self.sign_in(localpart, name)

    async def sign_in(self, localpart: str, name: str | None = None) -> Credentials:
        """Sign in; ``name`` is what a sign-on provider says somebody is called, which MAS hands on each time."""
        user = self.named(localpart)
        if user is None or user.ended or user.attributes["locked_at"]:
            raise SignInRefused
        device = secrets.token_hex(5).upper()
        if self.homeserver is not None:
            await self.homeserver.user(localpart, self.emails(user), locked=False, name=name)
            await self.homeserver.device(localpart, device)
        browser = self.add("user-sessions", user_id=user.id, **_used("Browser/1.0"))
        scope = f"{API} {_DEVICE}{device}"
        session = self.add(
            "oauth2-sessions",
            user_id=user.id,
            user_session_id=browser.id,
            client_id=_APP,
            scope=scope,
            human_name=None,
            **_used("Program/2.0"),
        )
        token = self.token("mat", session, scope, device=device)
        return Credentials(f"@{localpart}:{self.server_name}", "", token, device)

    async def sign_in_the_old_way(self, localpart: str) -> Credentials:
        """Sign in as clients did before OAuth 2."""
        user = self.user(localpart)
        device = secrets.token_hex(5).upper()
        if self.homeserver is not None:
            await self.homeserver.device(localpart, device)
        session = self.add(
            "compat-sessions",
            user_id=user.id,
            device_id=device,
            user_session_id=None,
            redirect_uri="https://client.example/?loginToken=never-allowed",
            human_name="Old phone",
            **_used("Old/0.1"),
        )
        token = self.token("mct", session, f"{API} {_DEVICE}{device}", device=device)
        return Credentials(f"@{localpart}:{self.server_name}", "", token, device)

    # what administrators set up

    async def administrator(self, localpart: str) -> Credentials:
        """Make an administrator of the homeserver and give them a token without a device."""
        await self.register(localpart)
        user = self.user(localpart)
        session = self.granted(user, user, f"{API} {SYNAPSE_ADMIN}")
        token = self.token("mpt", session, session.attributes["scope"], seconds=24 * _HOUR)
        return Credentials(f"@{localpart}:{self.server_name}", "", token, "")

    def granted(self, owner: Thing | None, actor: Thing, scope: str, name: str = "An administrator's") -> Thing:
        """Make a personal session; without ``owner`` it is the client's."""
        return self.add(
            "personal-sessions",
            created_at=now(),
            revoked_at=None,
            owner_user_id=owner.id if owner else None,
            owner_client_id=None if owner else self.client_id,
            actor_user_id=actor.id,
            human_name=name,
            scope=scope,
            last_active_at=now(),
            last_active_ip="192.0.2.7",
            expires_at=None,
        )

    def add(self, collection: str, **attributes: object) -> Thing:
        """Keep a new object."""
        made = Thing(collection, dict(attributes))
        self.things[collection][made.id] = made
        return made

    def token(
        self, kind: str, session: Thing | None, scope: str, *, device: str | None = None, seconds: float = _HOUR
    ) -> str:
        """Give out a token of a session, or of the client."""
        made = f"{kind}_{secrets.token_urlsafe(16)}"
        self.tokens[made] = Token(session.id if session else None, time.time() + seconds, scope, device)
        return made

    # what is looked up

    def named(self, localpart: str) -> Thing | None:
        """Return who has a name; upper and lower case are the same if there is only one."""
        users = [each for each in self.things["users"].values() if _same(each, localpart)]
        exact = [each for each in users if each.attributes["username"] == localpart]
        found = exact or (users if len(users) == 1 else [])
        return found[0] if found else None

    def user(self, localpart: str) -> Thing:
        """Return who has a name and must be there."""
        found = self.named(localpart)
        assert found is not None, localpart
        return found

    def emails(self, user: Thing) -> list[str]:
        """Return somebody's addresses."""
        return [str(each.attributes["email"]) for each in self.of("user-emails", user)]

    def of(self, collection: str, user: Thing) -> list[Thing]:
        """Return what of a collection is about somebody."""
        return [each for each in self.things[collection].values() if each.is_of(user.id)]

    def session(self, token: Token) -> Thing | None:
        """Return the session of a token."""
        return next((self.things[name][token.session] for name in SESSIONS if token.session in self.things[name]), None)

    # jobs

    def provision_later(self, user: Thing) -> None:
        """Bring the account at Synapse up to date, without its name."""
        self.queue.put(lambda: self._provision(user))

    def deactivate_later(self, user: Thing, *, erase: bool) -> None:
        """End every session, delete the addresses, and let Synapse delete the account."""
        self.queue.put(lambda: self._deactivate(user, erase=erase))

    async def _provision(self, user: Thing) -> None:
        if self.homeserver is not None:
            locked = user.attributes["locked_at"] is not None
            await self.homeserver.user(user.attributes["username"], self.emails(user), locked=locked)

    async def _deactivate(self, user: Thing, *, erase: bool) -> None:
        for session in list(self._sessions(user)):
            end(session)
        for email in self.of("user-emails", user):
            del self.things["user-emails"][email.id]
        if self.homeserver is not None:
            await self.homeserver.delete(user.attributes["username"], erase=erase)

    def _sessions(self, user: Thing) -> Iterator[Thing]:
        for collection in SESSIONS:
            yield from self.of(collection, user)


def end(session: Thing) -> None:
    """Finish or revoke a session."""
    name = "revoked_at" if session.collection == "personal-sessions" else "finished_at"
    session.attributes[name] = session.attributes[name] or now()
    if name == "revoked_at":
        session.attributes["expires_at"] = None


def _used(agent: str) -> dict[str, str | None]:
    moment = now()
    return {
        "created_at": moment,
        "finished_at": None,
        "user_agent": agent,
        "last_active_at": moment,
        "last_active_ip": "192.0.2.5",
    }


def _same(user: Thing, localpart: str) -> bool:
    return str(user.attributes["username"]).lower() == localpart.lower()

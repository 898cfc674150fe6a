"""The stand-in's side for clients and Synapse: tokens of clients, what a token is worth, where everything is."""

import base64
import time
from typing import Any

from aiohttp import web

from tests.mas.service import MAS_ADMIN, Mas
from tests.mas.things import Thing, Token


class OAuth:
    """Token endpoint (RFC 6749), introspection (RFC 7662) and discovery."""

    def __init__(self, mas: Mas) -> None:
        self._mas = mas
        self.asked = 0

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.post("/oauth2/token", self.token),
            web.post("/oauth2/introspect", self.introspect),
            web.get("/.well-known/openid-configuration", self.discover),
        ]

    async def token(self, request: web.Request) -> web.Response:
        """Give the client a token; wrong credentials or another scope get the errors of RFC 6749, section 5.2."""
        self.asked += 1
        form = await request.post()
        if form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        pair = f"{self._mas.client_id}:{self._mas.client_secret}"
        if request.headers.get("Authorization") != f"Basic {base64.b64encode(pair.encode()).decode()}":
            return web.json_response({"error": "invalid_client"}, status=401)
        if form.get("scope") != MAS_ADMIN:
            return web.json_response({"error": "invalid_scope"}, status=403)
        seconds = self._mas.token_seconds
        token = self._mas.token("mat", None, MAS_ADMIN, seconds=seconds)
        given = {"access_token": token, "token_type": "Bearer", "expires_in": seconds, "scope": MAS_ADMIN}
        return web.json_response(given)

    async def introspect(self, request: web.Request) -> web.Response:
        """Tell Synapse what a token is worth."""
        if request.headers.get("Authorization") != f"Bearer {self._mas.shared_secret}":
            return web.json_response({"error": "invalid_client"}, status=401)
        form = await request.post()
        token = self._mas.tokens.get(str(form.get("token")))
        return web.json_response(self._worth(token) if token is not None else {"active": False})

    async def discover(self, _: web.Request) -> web.Response:
        """Tell where everything is."""
        url = f"{self._mas.url}/"
        return web.json_response({"issuer": url, "account_management_uri": f"{url}account/"})

    def _worth(self, token: Token) -> dict[str, Any]:
        session = self._mas.session(token)
        people = self._people(session) if session is not None else []
        if not token.valid or session is None or session.ended or not all(map(_usable, people)):
            return {"active": False}
        worth = {
            "active": True,
            "scope": token.scope,
            "username": people[0].attributes["username"],
            "sub": people[0].id,
            "expires_in": int(token.until - time.time()),
        }
        return worth if token.device is None else {**worth, "device_id": token.device}

    def _people(self, session: Thing) -> list[Thing]:
        """Return who a session acts as, and who holds it."""
        names = ("user_id", "actor_user_id", "owner_user_id")
        return [self._mas.things["users"][who] for name in names if (who := session.attributes.get(name))]


def _usable(user: Thing) -> bool:
    return not user.ended and not user.attributes["locked_at"]

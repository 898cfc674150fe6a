"""The stand-in's admin API: the part of MAS's that dpobot uses, and a little more."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from aiohttp import web

from tests.mas.service import MAS_ADMIN, Mas, end
from tests.mas.things import COLLECTIONS, SESSIONS, Json, Thing, now

BASE = "/api/admin/v1"
_ROLES = {"filter[user]": "user_id", "filter[actor_user]": "actor_user_id", "filter[owner_user]": "owner_user_id"}
_LIVING = {"active": False, "finished": True, "revoked": True, "deactivated": True}

Handler = Callable[[web.Request], Awaitable[web.Response]]


class AdminApi:
    """Handlers for each address; every request needs a token with the scope ``urn:mas:admin``."""

    def __init__(self, mas: Mas) -> None:
        self._mas = mas

    def routes(self) -> list[web.RouteDef]:
        """Return the routes; the more special ones first."""
        return [
            self._route("GET", "site-config", self.site),
            self._route("GET", "version", self.version),
            self._route("GET", "users/by-username/{username}", self.by_username),
            self._route("POST", "users/{id}/{action}", self.act),
            self._route("POST", "user-emails", self.add_email),
            self._route("POST", "upstream-oauth-links", self.add_link),
            self._route("POST", "personal-sessions", self.lend),
            self._route("POST", "personal-sessions/{id}/revoke", self.revoke),
            *(self._route("POST", f"{name}/{{id}}/finish", self.finish) for name in SESSIONS[:3]),
            *(self._route("DELETE", f"{name}/{{id}}", self.delete) for name in ("user-emails", "upstream-oauth-links")),
            *(self._route("GET", name, self.list) for name in COLLECTIONS),
            *(self._route("GET", f"{name}/{{id}}", self.get) for name in COLLECTIONS),
        ]

    def _route(self, method: str, path: str, handler: Handler) -> web.RouteDef:
        async def guarded(request: web.Request) -> web.Response:
            token = self._mas.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
            if token is None or not token.valid or MAS_ADMIN not in token.scope.split():
                return _error("Unknown access token", 401)
            return await handler(request)

        return web.route(method, f"{BASE}/{path}", guarded)

    async def site(self, _: web.Request) -> web.Response:
        """Tell how MAS is set up."""
        flags = (
            "password_login_enabled",
            "password_registration_enabled",
            "password_registration_email_required",
            "password_registration_token_required",
            "registration_token_required",
            "email_change_allowed",
            "displayname_change_allowed",
            "password_change_allowed",
            "account_recovery_allowed",
            "account_deactivation_allowed",
            "captcha_enabled",
        )
        config = {"server_name": self._mas.server_name, "minimum_password_complexity": 3, **dict.fromkeys(flags, False)}
        return web.json_response(config)

    async def version(self, _: web.Request) -> web.Response:
        """Tell the version."""
        return web.json_response({"version": "1.22.0"})

    async def by_username(self, request: web.Request) -> web.Response:
        """Return the user of a name."""
        user = self._mas.named(request.match_info["username"])
        return _error("User not found", 404) if user is None else _one(user)

    async def list(self, request: web.Request) -> web.Response:
        """Return a page of a collection."""
        found = list(self._mas.things[_collection(request)].values())
        for name, attribute in _ROLES.items():
            wanted = request.query.get(name)
            if wanted is not None:
                if wanted not in self._mas.things["users"]:
                    return _error(f"User ID {wanted} not found", 404)
                found = [each for each in found if each.attributes.get(attribute) == wanted]
        if status := request.query.get("filter[status]"):
            found = [each for each in found if each.ended == _LIVING[status]]
        return _page(request, sorted(found, key=lambda each: each.id))

    async def get(self, request: web.Request) -> web.Response:
        """Return an object."""
        found = self._found(request)
        return _error("Not found", 404) if found is None else _one(found)

    async def act(self, request: web.Request) -> web.Response:
        """Lock, unlock, deactivate or reactivate a user."""
        user = self._mas.things["users"].get(request.match_info["id"])
        if user is None:
            return _error("User not found", 404)
        action = request.match_info["action"]
        if action == "deactivate":
            body = await request.json() if request.can_read_body else {}
            user.attributes["deactivated_at"] = user.attributes["deactivated_at"] or now()
            self._mas.deactivate_later(user, erase=not body.get("skip_erase", False))
        elif action == "reactivate":
            if self._mas.homeserver is not None:
                await self._mas.homeserver.reactivate(user.attributes["username"])
            user.attributes["deactivated_at"] = None
        else:
            user.attributes["locked_at"] = now() if action == "lock" else None
            self._mas.provision_later(user)
        return _one(user, f"/{action}")

    async def add_email(self, request: web.Request) -> web.Response:
        """Add an address; nobody else may have it."""
        body = await request.json()
        user = self._mas.things["users"].get(body["user_id"])
        if user is None:
            return _error("User not found", 404)
        if "@" not in body["email"]:
            return _error("Email is not valid", 400)
        taken = {str(each.attributes["email"]).lower() for each in self._mas.things["user-emails"].values()}
        if body["email"].lower() in taken:
            return _error("Email already in use", 409)
        made = self._mas.add("user-emails", created_at=now(), user_id=user.id, email=body["email"])
        self._mas.provision_later(user)
        return _one(made, status=201)

    async def add_link(self, request: web.Request) -> web.Response:
        """Link a user to an account elsewhere."""
        body = await request.json()
        return _one(self._mas.add("upstream-oauth-links", created_at=now(), **body), status=201)

    async def delete(self, request: web.Request) -> web.Response:
        """Delete an address or a link."""
        found = self._found(request)
        if found is None:
            return _error("Not found", 404)
        del self._mas.things[found.collection][found.id]
        if found.collection == "user-emails":
            self._mas.provision_later(self._mas.things["users"][found.attributes["user_id"]])
        return web.Response(status=204)

    async def lend(self, request: web.Request) -> web.Response:
        """Make a personal session; also for a locked user, not for a deactivated one."""
        body = await request.json()
        user = self._mas.things["users"].get(body["actor_user_id"])
        if user is None:
            return _error("User not found", 404)
        if user.ended:
            return _error("User is not active", 410)
        made = self._mas.granted(None, user, body["scope"], body["human_name"])
        token = self._mas.token("mpt", made, body["scope"], seconds=body.get("expires_in") or 1e9)
        data = made.shown()
        data["attributes"]["access_token"] = token
        return web.json_response({"data": data, "links": data["links"]}, status=201)

    async def revoke(self, request: web.Request) -> web.Response:
        """Revoke a personal session, once."""
        found = self._found(request)
        if found is None:
            return _error("Personal session not found", 404)
        if found.ended:
            return _error("Personal session already revoked", 409)
        end(found)
        return _one(found)

    async def finish(self, request: web.Request) -> web.Response:
        """Finish a session, once."""
        found = self._found(request)
        if found is None:
            return _error("Session not found", 404)
        if found.ended:
            return _error("Session already finished", 400)
        end(found)
        return _one(found, "/finish")

    def _found(self, request: web.Request) -> Thing | None:
        return self._mas.things[_collection(request)].get(request.match_info["id"])


def _collection(request: web.Request) -> str:
    return request.path.removeprefix(f"{BASE}/").partition("/")[0]


def _one(thing: Thing, beyond: str = "", status: int = 200) -> web.Response:
    data = thing.shown()
    return web.json_response({"data": data, "links": {"self": data["links"]["self"] + beyond}}, status=status)


def _page(request: web.Request, found: list[Thing]) -> web.Response:
    size, after = int(request.query.get("page[first]", "10")), request.query.get("page[after]", "")
    later = [each for each in found if each.id > after]
    page, base = later[:size], f"{request.path}?page[first]={size}"
    links: Json = {"self": base, "first": base, "last": f"{request.path}?page[last]={size}"}
    if len(later) > size:
        links["next"] = f"{base}&page[after]={quote(page[-1].id)}"
    data = [each.shown(cursor=True) for each in page]
    return web.json_response({"meta": {"count": len(found)}, "data": data, "links": links})


def _error(title: str, status: int) -> web.Response:
    return web.json_response({"errors": [{"title": title}]}, status=status)

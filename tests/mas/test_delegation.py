"""A real Synapse whose accounts the stand-in keeps: what is true of the pair, and what the adapters make of it."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from dpobot.demo.synapse import Credentials
from dpobot.errors import Gone, Rejected
from dpobot.homeserver.changes import Depth
from dpobot.homeserver.http import AGENT
from dpobot.homeserver.mas.admin import MasAdmin
from dpobot.homeserver.mas.changes import MasChanges
from dpobot.homeserver.mas.homeserver import MasHomeserver
from dpobot.homeserver.mas.leftovers import MasLeftovers
from dpobot.model.erasure import Residual
from dpobot.model.ids import Mxc, RoomId, UserId
from dpobot.receipt.reasons import CATEGORIES, unexpected
from tests.live.http import Client
from tests.mas.service import API, Mas, SignInRefused
from tests.mas.stand_in import Delegated
from tests.mas.things import now, ulid

pytestmark = pytest.mark.live


@dataclass
class Life:
    """Somebody with an account, and the adapters."""

    delegation: Delegated
    http: aiohttp.ClientSession
    client: MasAdmin
    homeserver: MasHomeserver
    changes: MasChanges
    leftovers: MasLeftovers
    credentials: Credentials

    @property
    def mas(self) -> Mas:
        """The stand-in's state."""
        return self.delegation.mas

    @property
    def user(self) -> UserId:
        """Who it is."""
        return UserId(self.credentials.user_id)

    @property
    def localpart(self) -> str:
        """What MAS calls them."""
        return self.user.removeprefix("@").partition(":")[0]

    def client_of(self, credentials: Credentials) -> Client:
        """Return a Matrix client."""
        return Client(self.http, self.delegation.synapse.url, credentials)

    async def seen(self) -> dict[str, object]:
        """Return what Synapse says of the account."""
        admin = self.client_of(self.delegation.admin)
        answer = await admin.admin("GET", "v2", "users", self.user)
        addresses = [each["address"] for each in answer["threepids"]]
        return {name: answer[name] for name in ("displayname", "deactivated", "erased")} | {"addresses": addresses}

    async def erase(self) -> None:
        """Deactivate as an erasure does, until everything is done."""
        await self.changes.prepare_erasure(self.user)
        await self.changes.delete_links(self.user)
        await self.changes.deactivate(self.user)
        await self.mas.queue.done()
        while not await self.changes.finish_erasure(self.user):
            pass


@pytest.fixture
async def life(delegation: Delegated) -> AsyncIterator[Life]:
    """Anna, who has a name, an address and a link."""
    url, token, client = delegation.synapse.url, delegation.admin.access_token, delegation.served.client()
    anna = await delegation.mas.register(f"anna{secrets.token_hex(4)}", "Anna Garden")
    async with aiohttp.ClientSession() as http:
        made = Life(
            delegation,
            http,
            client,
            MasHomeserver(url, token, client, 0),
            MasChanges(url, token, client, 0),
            MasLeftovers(url, token, client, 0),
            anna,
        )
        user = delegation.mas.user(made.localpart)
        delegation.mas.add("upstream-oauth-links", created_at=now(), user_id=user.id, provider_id=ulid(), subject="1")
        await made.changes.set_email(made.user, None, f"{made.localpart}@example.org")
        await delegation.mas.queue.done()
        yield made
        for adapter in (made.homeserver, made.changes, made.leftovers):
            await adapter.close()


async def whoami(life: Life, credentials: Credentials) -> str:
    """Return who a token is taken for."""
    return str((await life.client_of(credentials).get("account", "whoami"))["user_id"])


async def test_synapse_alone_can_not_erase_an_account_that_mas_keeps(life: Life) -> None:
    """Why it is never done: MAS lets the person in again, and writes name and address back to the erased account."""
    admin = life.client_of(life.delegation.admin)
    await admin.admin("POST", "v1", "deactivate", life.user, body={"erase": True})
    assert await life.seen() == {"displayname": None, "deactivated": True, "erased": True, "addresses": []}
    again = await life.mas.sign_in(life.localpart, "Anna Garden")
    assert await whoami(life, again) == life.user
    assert await life.seen() == {
        "displayname": "Anna Garden",
        "deactivated": True,
        "erased": True,
        "addresses": [f"{life.localpart}@example.org"],
    }


async def test_after_an_erasure_nothing_comes_back(life: Life) -> None:
    """No session works, MAS lets nobody in, and what MAS tells Synapse of the account later holds nothing."""
    old = await life.mas.sign_in_the_old_way(life.localpart)
    assert await whoami(life, old) == life.user
    await life.erase()
    erased: dict[str, object] = {"displayname": None, "deactivated": True, "erased": True, "addresses": []}
    assert await life.seen() == erased
    for credentials in (life.credentials, old):
        with pytest.raises(Rejected) as error:
            await whoami(life, credentials)
        assert error.value.code == "M_UNKNOWN_TOKEN"
    with pytest.raises(SignInRefused):
        await life.mas.sign_in(life.localpart, "Anna Garden")
    user = life.mas.user(life.localpart)
    for action in ("lock", "unlock"):  # an administrator who presses a button makes MAS tell Synapse anew
        await life.client.http.call(f"POST /api/admin/v1/users/{user.id}/{action}", body={})
        await life.mas.queue.done()
    assert await life.seen() == erased


async def test_an_erasure_waits_until_synapse_has_done_it(life: Life) -> None:
    """MAS answers at once and asks Synapse later, as often as it takes: until then the account is not erased."""
    await life.changes.prepare_erasure(life.user)
    life.mas.queue.hold()
    await life.changes.deactivate(life.user)
    await life.changes.deactivate(life.user)
    assert await life.changes.finish_erasure(life.user) is False
    account = await life.homeserver.account(life.user)
    assert account is not None
    assert (account.deactivated, account.erased) == (True, False)
    life.mas.queue.go()
    await life.mas.queue.done()
    while not await life.changes.finish_erasure(life.user):
        pass
    account = await life.homeserver.account(life.user)
    assert account is not None
    assert (account.deactivated, account.erased) == (True, True)


async def test_a_locked_account_is_unlocked_before_it_is_acted_for(life: Life) -> None:
    """MAS's lock is the one that counts; a token that is lent while it is on would be worth nothing."""
    room = await life.client_of(life.credentials).create(preset="public_chat")
    await life.client_of(life.credentials).say(room, "soon gone")
    user = life.mas.user(life.localpart)
    await life.client.http.call(f"POST /api/admin/v1/users/{user.id}/lock", body={})
    await life.mas.queue.done()
    account = await life.homeserver.account(life.user)
    assert account is not None
    assert account.locked
    assert (await life.homeserver.collect("push_rules", life.user)).missing == "account_locked"
    await life.changes.prepare_erasure(life.user)
    await life.mas.queue.done()
    assert (await life.changes.own_counts(RoomId(room), life.user)).messages == 1
    assert (await life.changes.redact(RoomId(room), life.user, Depth.ALL, None, 4)).refused == {}
    assert (await life.changes.own_counts(RoomId(room), life.user)).messages == 0


async def test_all_of_an_erasure_works_as_somebody_whom_mas_lends(life: Life) -> None:
    """Everything that acts as the person, step by step; then what looks afterwards finds nothing that should not be."""
    anna = life.client_of(life.credentials)
    bob = life.client_of(await life.mas.register(f"bob{secrets.token_hex(4)}"))
    shared = RoomId(await bob.create(preset="public_chat"))
    await anna.member(shared, "join")
    said = await anna.say(shared, "hello")
    await anna.send(shared, {"m.relates_to": {"rel_type": "m.annotation", "event_id": said, "key": "x"}}, "m.reaction")
    sole = RoomId(await anna.create(name="Diary"))
    await anna.put("user", life.user, "rooms", sole, "tags", "u.mine", body={"order": 0.1})
    url = Mxc(await anna.upload(b"a picture", "image/png", "me.png"))
    await life.changes.set_avatar(life.user, b"another", "image/png")
    await life.changes.suspend(life.user, on=True)

    await life.changes.prepare_erasure(life.user)
    start: str | None = None
    for _ in range(10):
        window = await life.changes.redact(shared, life.user, Depth.ALL, start, 4)
        start = window.next
        if start is None:
            break
    while await life.changes.delete_all_media(life.user):
        pass
    assert await life.changes.delete_links(life.user) == 2  # of the provider, and the tag
    while not await life.changes.delete_room(sole):
        pass
    await life.changes.clear_profile(life.user)
    await life.changes.deactivate(life.user)
    await life.mas.queue.done()
    while not await life.changes.finish_erasure(life.user):
        pass

    left = [
        *await life.leftovers.of_account(life.user),
        *await life.leftovers.of_room(shared, life.user, everything=True),
        *await life.leftovers.of_deleted_room(sole),
        *await life.leftovers.of_media(life.user, everything=True),
        *await life.leftovers.of_file(url),
    ]
    assert unexpected(left) == ()
    assert [each for each in life.mas.of("personal-sessions", life.mas.user(life.localpart)) if not each.ended] == []


async def test_links_go_and_are_counted_once(life: Life) -> None:
    """A deactivation leaves them; a second attempt finds none."""
    assert await life.changes.delete_links(life.user) == 1
    assert life.mas.of("upstream-oauth-links", life.mas.user(life.localpart)) == []
    assert await life.changes.delete_links(life.user) == 0


async def test_an_address_is_replaced_at_mas_and_reaches_synapse(life: Life) -> None:
    """Another attempt changes nothing; upper and lower case are the same."""
    old, new = f"{life.localpart}@example.org", f"{life.localpart}@new.example"
    for _ in range(2):
        await life.changes.set_email(life.user, old.upper(), new)
        await life.mas.queue.done()
        assert (await life.seen())["addresses"] == [new]
    await life.changes.set_email(life.user, new, None)
    await life.mas.queue.done()
    assert (await life.seen())["addresses"] == []
    with pytest.raises(Gone, match="no_such_email"):
        await life.changes.set_email(life.user, old, None)


async def test_an_address_of_somebody_else_or_none_at_all_is_refused(life: Life) -> None:
    """With codes that staff get a sentence for; the old one is still there."""
    other = f"other{secrets.token_hex(4)}"
    await life.mas.register(other)
    taken = f"{other}@example.org"
    await life.changes.set_email(UserId(f"@{other}:{life.mas.server_name}"), None, taken)
    old = f"{life.localpart}@example.org"
    codes = []
    for new in (taken, "no address"):
        with pytest.raises(Rejected) as error:
            await life.changes.set_email(life.user, old, new)
        codes.append(error.value.code)
    assert codes == ["M_THREEPID_IN_USE", "M_INVALID_PARAM"]
    assert life.mas.emails(life.mas.user(life.localpart)) == [old]


async def test_what_mas_and_synapse_hold_of_addresses_and_links_is_shown_once(life: Life) -> None:
    """Synapse has a copy of the address, and links from before: the copy is left out, the links are not."""
    admin = life.client_of(life.delegation.admin)
    before = [{"auth_provider": "oidc", "external_id": secrets.token_hex(4)}]
    await admin.admin("PUT", "v2", "users", life.user, body={"external_ids": before})
    addresses = await life.homeserver.collect("third_party_ids", life.user)
    links = await life.homeserver.collect("sso_links", life.user)
    assert [each["address"] for each in addresses.records] == [f"{life.localpart}@example.org"]
    assert [each.get("subject", each.get("external_id")) for each in links.records] == ["1", before[0]["external_id"]]
    assert (addresses.title, addresses.missing) == ("E-mail addresses and telephone numbers", None)
    assert await life.changes.delete_links(life.user) == 2


async def test_who_acted_as_the_person_is_told_in_their_connections(life: Life) -> None:
    """Synapse takes it for a connection of theirs: so the program's name says whose it was."""
    await life.homeserver.collect("push_rules", life.user)
    connections = (await life.homeserver.collect("connections", life.user)).records
    granted = (await life.homeserver.collect("sign_in_granted", life.user)).records
    assert AGENT in {each["user_agent"] for each in connections}
    assert {each["human_name"] for each in granted} == {"Data protection (dpobot)"}


async def test_an_account_that_mas_does_not_know_is_never_deactivated_at_synapse(life: Life) -> None:
    """As of an application service: somebody has to look."""
    user = life.mas.user(life.localpart)
    del life.mas.things["users"][user.id]
    with pytest.raises(Gone, match="not_at_mas"):
        await life.changes.deactivate(life.user)
    assert (await life.seen())["deactivated"] is False
    account = await life.homeserver.account(life.user)
    assert account is not None
    assert (account.deactivated, account.locked) == (False, False)
    assert (await life.homeserver.collect("sign_in_account", life.user)).missing == "account_unknown"


async def test_an_account_that_synapse_does_not_know_yet_is_there(life: Life) -> None:
    """MAS has it, and will make it at Synapse."""
    provisioning, life.mas.homeserver = life.mas.homeserver, None
    name = f"new{secrets.token_hex(4)}"
    await life.mas.register(name)
    life.mas.homeserver = provisioning
    account = await life.homeserver.account(UserId(f"@{name}:{life.mas.server_name}"))
    assert account is not None
    assert (account.deactivated, account.erased) == (False, False)
    assert account.created_at is not None


async def test_what_is_left_at_mas_is_found(life: Life) -> None:
    """Before: an account, an address, a link and sessions that work. After: a record of what was, and no more."""
    found = await life.leftovers.of_account(life.user)
    before = {(each.category, each.reason): each.count for each in found}
    assert [each for each in found if each == Residual("account", 1, "not_deactivated")] != []
    assert before["sessions", "still_there"] == 2
    assert before["addresses", "still_there"] == 1
    assert before["sso_links", "still_there"] == 1
    await life.erase()
    after = await life.leftovers.of_account(life.user)
    assert Residual("sign_in_records", 1, "kept_by_sign_in_service") in after
    assert Residual("sign_in_records", 0, "database_only") in after
    assert unexpected(after) == ()
    assert {each.category for each in after} <= CATEGORIES


async def test_a_link_that_a_deactivation_left_is_found(life: Life) -> None:
    """The independent look does not believe that the links are gone because the account is."""
    await life.changes.deactivate(life.user)
    await life.mas.queue.done()
    after = await life.leftovers.of_account(life.user)
    assert Residual("sso_links", 1, "still_there") in after
    await life.changes.delete_links(life.user)
    assert Residual("sso_links", 1, "still_there") not in await life.leftovers.of_account(life.user)


async def test_a_session_that_acts_as_the_person_is_found(life: Life) -> None:
    """Whoever holds it."""
    await life.erase()
    user = life.mas.user(life.localpart)
    life.mas.granted(None, user, API)
    assert Residual("sessions", 1, "still_there") in await life.leftovers.of_account(life.user)

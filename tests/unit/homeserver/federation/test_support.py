"""Whom a server names: read as a stranger's words are read."""

from typing import Any

import pytest
from yarl import URL

from dpobot.errors import DpobotError, Gone, Rejected, Unavailable
from dpobot.homeserver.federation.support import Support, contacts_in
from dpobot.model.notices import Contact, SupportContacts

SERVER = "other.test"
ADMIN = {"role": "m.role.admin", "matrix_id": "@admin:other.test", "email_address": "admin@other.test"}
DPO = {"role": "m.role.dpo", "email_address": "dpo@other.test"}


class Fetched:
    """What lies at each address."""

    def __init__(self, **found: Any) -> None:
        self.found = found
        self.asked: list[str] = []

    async def json(self, url: URL) -> Any:
        """Return it."""
        self.asked.append(str(url))
        found = self.found[f"p{url.port}"]
        if isinstance(found, DpobotError):
            raise found
        return found


def _support(**found: Any) -> tuple[Support, Fetched]:
    fetched = Fetched(**found)
    return Support(fetched), fetched  # type: ignore[arg-type] # what it needs of a fetcher


def _best(*contacts: Any) -> Contact | None:
    return contacts_in({"contacts": list(contacts)}, SERVER).best()


def test_an_account_before_an_address_and_a_dpo_before_an_admin() -> None:
    """A bot can write to an account alone; of two, to the one who answers for data protection."""
    assert _best(ADMIN, DPO) == Contact("m.role.admin", _id("@admin:other.test"), "admin@other.test")
    assert _best(ADMIN, DPO | {"matrix_id": "@dpo:other.test"}) == Contact(
        "m.role.dpo", _id("@dpo:other.test"), "dpo@other.test"
    )
    msc = {"role": "org.matrix.msc4265.role.dpo", "matrix_id": "@dpo:other.test"}
    assert _best(ADMIN, msc) == Contact("org.matrix.msc4265.role.dpo", _id("@dpo:other.test"))
    assert _best(DPO) == Contact("m.role.dpo", None, "dpo@other.test")
    assert _best() is None


@pytest.mark.parametrize(
    "contact",
    [
        None, 1, "x", [], {}, {"role": []}, {"role": "m.role.security", "matrix_id": "@s:other.test"},
        {"role": "m.role.admin"}, {"role": "m.role.admin", "matrix_id": 7, "email_address": {}},
        *({"role": "m.role.admin", "matrix_id": user_id} for user_id in (
            "@a:else.test", "@a:other.test:8448", "a:other.test", "@:other.test", "@a b:other.test", "@a\n:other.test",
            "@\u0430dmin:other.test", "@a:\u043ether.test", "@a:other.test\u200b", "@a:other.test ",
            "@" + "a" * 300 + ":other.test",
            "@a:OTHER.test", "@a:other.test:99999", "@a@b:other.test/../x",
        )),
        *({"role": "m.role.admin", "email_address": address} for address in (
            "dpo", "dpo@", "@other.test", "a b@other.test", "a@other.test\nBcc: x@y.test", "a@\u043ether.test",
            "<a@b.test>",
            "-x@other.test", "a" * 65 + "@b.test",
        )),
    ],
)  # fmt: skip
def test_what_is_no_contact_is_passed_over(contact: Any) -> None:
    """Wrong types, other roles, other servers' accounts, look-alikes, control characters; the right one counts."""
    assert contacts_in({"contacts": [contact, ADMIN]}, SERVER) == contacts_in({"contacts": [ADMIN]}, SERVER)


@pytest.mark.parametrize("said", [None, [], "x", 1, {"contacts": {}}, {"contacts": "x"}, {"contacts": None}])
def test_what_is_no_support_file(said: Any) -> None:
    """Another shape altogether."""
    with pytest.raises(Rejected, match="bad_support_file"):
        contacts_in(said, SERVER)


def test_a_support_page_alone_names_nobody() -> None:
    """It is a file without contacts; and of very many contacts only the first are looked at."""
    assert contacts_in({"support_page": "https://other.test/"}, SERVER) == SupportContacts(())
    assert contacts_in({"contacts": [None] * 50 + [ADMIN]}, SERVER) == SupportContacts(())


async def test_a_server_name_with_a_port() -> None:
    """That port is asked first, then the host (spec, "Server Support Discovery")."""
    named = {"contacts": [{"role": "m.role.admin", "matrix_id": "@a:other.test:8448"}]}
    for found, count in (({"p8448": named, "p443": Gone("x")}, 1), ({"p8448": Gone("x"), "p443": named}, 2)):
        support, fetched = _support(**found)
        assert (await support.contacts("other.test:8448")).names(_id("@a:other.test:8448"))
        assert len(fetched.asked) == count
        assert fetched.asked[-1].endswith("/.well-known/matrix/support")


@pytest.mark.parametrize(
    ("first", "second", "raised"),
    [
        (Gone("http_404"), Unavailable("connection_lost"), "connection_lost"),
        (Rejected("private_address"), Unavailable("connection_lost"), "private_address"),
        (Unavailable("timeout"), Gone("http_404"), "timeout"),
        (Gone("http_404"), Gone("http_404"), "http_404"),
    ],
)
async def test_what_is_said_if_nothing_is_found(first: DpobotError, second: DpobotError, raised: str) -> None:
    """Only what is sure is final."""
    support, _ = _support(p8448=first, p443=second)
    with pytest.raises((Rejected, Unavailable), match=raised):
        await support.contacts("other.test:8448")


@pytest.mark.parametrize(
    "name", ["", "a/b", "a b", "a:0", "a:99999", "a:b", "user@host", "a" * 300, "[::::]", "[::1", "\u043ether"]
)
async def test_names_that_are_none(name: str) -> None:
    """Names of servers come from strangers, too."""
    support, fetched = _support(p443={})
    with pytest.raises(Rejected, match="bad_name"):
        await support.contacts(name)
    assert fetched.asked == []


def _id(text: str) -> Any:
    return text

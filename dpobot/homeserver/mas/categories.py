"""The categories of personal data that MAS holds; here ``{user}`` and `Subject.user` are what MAS calls the person."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from dpobot.homeserver.categories import CATEGORIES as SYNAPSE_CATEGORIES
from dpobot.homeserver.category import PLAIN, Ask, Category, Fields, Found, Record, Subject
from dpobot.homeserver.mas.admin import Resource, listed, single
from dpobot.text.language import translatable

USER = "GET /api/admin/v1/users/{user}"
EMAILS = "GET /api/admin/v1/user-emails"
LINKS = "GET /api/admin/v1/upstream-oauth-links"
BROWSERS = "GET /api/admin/v1/user-sessions"
APPS = "GET /api/admin/v1/oauth2-sessions"
LEGACY = "GET /api/admin/v1/compat-sessions"
PERSONAL = "GET /api/admin/v1/personal-sessions"

_SESSION = ("id", "created_at", "finished_at", "user_agent", "last_active_at", "last_active_ip")


def _record(resource: Resource) -> Record:
    return {**resource.attributes, "id": resource.id}


def _list(endpoint: str) -> Ask:
    async def ask(subject: Subject) -> Found:
        found = await listed(subject.http, endpoint, {"filter[user]": subject.user})
        return Found(tuple(_record(each) for each in found))

    return ask


async def _user(subject: Subject) -> Found:
    return Found((_record(single(await subject.ask(USER))),))


async def _personal(subject: Subject) -> Found:
    """Ask for sessions that act as the person, and for those that they hold themselves."""
    acting = await listed(subject.http, PERSONAL, {"filter[actor_user]": subject.user})
    held = await listed(subject.http, PERSONAL, {"filter[owner_user]": subject.user})
    own = {each.id for each in held}
    found = {each.id: each for each in (*acting, *held)}
    return Found(tuple(_personal_record(each, own=each.id in own) for each in found.values()))


def _personal_record(resource: Resource, *, own: bool) -> Record:
    record = {**_record(resource), "own": own}
    if not own:
        record.pop("last_active_ip", None)  # the address of whoever holds the session
    return record


def _fields(*names: str) -> Fields:
    return dict.fromkeys(names, PLAIN)


def _missing(name: str, title: str, purpose: str, reason: str) -> Category:
    return Category(name=name, title=title, purpose=purpose, missing=reason)


_ALL = (
    Category(
        name="sign_in_account",
        title=translatable("Account at the sign-in service"),
        purpose="Needed to log in; its state decides whether that works (Art. 6(1)(b)).",
        endpoints=(USER,),
        fields=_fields("id", "username", "created_at", "locked_at", "deactivated_at", "admin", "legacy_guest"),
        ask=_user,
    ),
    Category(
        name="sign_in_browsers",
        title=translatable("Browsers that are or were logged in"),
        purpose="Needed to stay logged in, and to recognise a strange browser (Art. 6(1)(b)).",
        endpoints=(BROWSERS,),
        fields=_fields(*_SESSION),
        ask=_list(BROWSERS),
    ),
    Category(
        name="sign_in_apps",
        title=translatable("Programs that are or were logged in"),
        purpose="Needed to stay logged in, and to recognise a strange program (Art. 6(1)(b)).",
        endpoints=(APPS,),
        fields=_fields(*_SESSION, "client_id", "scope", "human_name", "user_session_id"),
        ask=_list(APPS),
    ),
    Category(
        name="sign_in_legacy_apps",
        title=translatable("Programs that logged in the older way"),
        purpose=(
            "Needed to stay logged in, and to recognise a strange program (Art. 6(1)(b)). The address that a log-in "
            "came back to stays out: it can hold a key."
        ),
        endpoints=(LEGACY,),
        fields=_fields(*_SESSION, "device_id", "human_name", "user_session_id"),
        ask=_list(LEGACY),
    ),
    Category(
        name="sign_in_granted",
        title=translatable("Access that was granted without a log-in"),
        purpose=(
            "Lets a program act for the account without its password (Art. 6(1)(f)). The network address of anybody "
            "else who holds such an access stays out (Art. 15(4))."
        ),
        endpoints=(PERSONAL,),
        fields=_fields(
            "id",
            "own",
            "human_name",
            "scope",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_active_at",
            "last_active_ip",
        ),
        ask=_personal,
    ),
    _missing(
        "sign_in_passwords",
        translatable("Passwords at the sign-in service (as hashes)"),
        "Needed to check the password at log-in; earlier ones are kept (Art. 6(1)(b)). Tables: user_passwords.",
        "secret",
    ),
    _missing(
        "sign_in_tokens",
        translatable("Access and refresh tokens of the sign-in service"),
        "Needed to recognise the person's programs (Art. 6(1)(b)). Tables: *_tokens.",
        "secret",
    ),
    _missing(
        "sign_in_provider_answers",
        translatable("What single sign-on providers told about the person"),
        "Needed to log in through another provider (Art. 6(1)(b)). Tables: upstream_oauth_authorization_sessions.",
        "database_only",
    ),
    _missing(
        "sign_in_attempts",
        translatable("Registrations, confirmations and recoveries at the sign-in service"),
        "Needed until they are done (Art. 6(1)(b)). Tables: user_registrations, user_email_*, user_recovery_*.",
        "database_only",
    ),
    _missing(
        "sign_in_agreements",
        translatable("Terms that the person agreed to, and what they granted to programs"),
        "Kept to prove the agreement (Art. 6(1)(c)). Tables: user_terms, oauth2_*_grant*.",
        "database_only",
    ),
    _missing(
        "sign_in_telephone_numbers",
        translatable("Telephone numbers and other addresses from before the sign-in service"),
        "Taken over when the sign-in service came (Art. 6(1)(f)). Tables: user_unsupported_third_party_ids.",
        "database_only",
    ),
)

CATEGORIES: Mapping[str, Category] = MappingProxyType({category.name: category for category in _ALL})


@dataclass(frozen=True, slots=True)
class Joint:
    """A category that both hold: what Synapse has beside what MAS says stems from before, or is a copy.

    ``key`` and ``synapse_key`` name the fields by which a copy is known.
    """

    category: Category
    key: str
    synapse_key: str


async def _emails(subject: Subject) -> Found:
    found = await listed(subject.http, EMAILS, {"filter[user]": subject.user})
    return Found(
        tuple({**each.attributes, "medium": "email", "address": each.attributes.get("email")} for each in found)
    )


_THIRD_PARTY_IDS, _SSO_LINKS = SYNAPSE_CATEGORIES["third_party_ids"], SYNAPSE_CATEGORIES["sso_links"]
JOINT: Mapping[str, Joint] = MappingProxyType(
    {
        "third_party_ids": Joint(
            replace(
                _THIRD_PARTY_IDS,
                endpoints=(EMAILS,),
                fields=_fields("medium", "address", "created_at"),
                ask=_emails,
            ),
            "address",
            "address",
        ),
        "sso_links": Joint(
            replace(
                _SSO_LINKS,
                endpoints=(LINKS,),
                fields=_fields("provider_id", "subject", "human_account_name", "created_at"),
                ask=_list(LINKS),
            ),
            "subject",
            "external_id",
        ),
    }
)

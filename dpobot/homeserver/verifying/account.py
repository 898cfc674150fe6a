"""What an administrator can ask about an account after its erasure (Synapse admin API; homeserver.md 2.1)."""

from collections.abc import Sequence

from dpobot.errors import Rejected
from dpobot.homeserver.verifying.asking import (
    NOT_FOR_OTHERS,
    OLDER_SERVER,
    Asking,
    Inquiry,
    counted,
    left,
    listed,
    mapped,
)
from dpobot.model.erasure import Residual

ACCOUNT = "GET /_synapse/admin/v2/users/{user}"
NAME_FREE = "GET /_synapse/admin/v1/username_available"
DEVICES = "GET /_synapse/admin/v2/users/{user}/devices"
PUSHERS = "GET /_synapse/admin/v1/users/{user}/pushers"
ACCOUNT_DATA = "GET /_synapse/admin/v1/users/{user}/accountdata"
JOINED = "GET /_synapse/admin/v1/users/{user}/joined_rooms"
MEMBERSHIPS = "GET /_synapse/admin/v1/users/{user}/memberships"
WHOIS = "GET /_synapse/admin/v1/whois/{user}"
RATE_LIMIT = "GET /_synapse/admin/v1/users/{user}/override_ratelimit"
EXPERIMENTS = "GET /_synapse/admin/v1/experimental_features/{user}"
EVENT_REPORTS = "GET /_synapse/admin/v1/event_reports"
USER_REPORTS = "GET /_synapse/admin/v1/user_reports"
PROFILE = "GET /_matrix/client/v3/profile/{user}"
KEYS = "POST /_matrix/client/v3/keys/query"
ENDPOINTS = (
    ACCOUNT,
    NAME_FREE,
    DEVICES,
    PUSHERS,
    ACCOUNT_DATA,
    JOINED,
    MEMBERSHIPS,
    WHOIS,
    RATE_LIMIT,
    EXPERIMENTS,
    EVENT_REPORTS,
    USER_REPORTS,
    PROFILE,
    KEYS,
)

_IDENTITY = ("master_keys", "self_signing_keys", "user_signing_keys")


async def account(asking: Asking) -> Sequence[Residual]:
    """Deactivated and erased; what its record still says. That the name is taken is meant to stay."""
    record = await asking.ask(ACCOUNT)
    return (
        *left("account", not record.get("deactivated"), "not_deactivated"),
        *left("account", not record.get("erased"), "not_erased"),
        *left("profile", bool(record.get("displayname")) + bool(record.get("avatar_url"))),
        *left("addresses", len(listed({"threepids": []} | dict(record), "threepids"))),
        *left("sso_links", len(listed({"external_ids": []} | dict(record), "external_ids"))),
        Residual("account", 1, "name_reserved"),
    )


async def name_reserved(asking: Asking) -> Sequence[Residual]:
    """Nobody may register under the name again: messages that mention it must not seem to mean somebody else."""
    localpart = asking.user.removeprefix("@").partition(":")[0]
    try:
        free = (await asking.ask(NAME_FREE, {"username": localpart})).get("available")
    except Rejected as refusal:
        # a name that today's rules would not allow is not free either
        if refusal.code in {"M_USER_IN_USE", "M_EXCLUSIVE", "M_INVALID_USERNAME"}:
            return ()
        raise
    return left("account", bool(free), "name_free")


async def devices(asking: Asking) -> Sequence[Residual]:
    """Devices that are logged in."""
    return left("devices", len(listed(await asking.ask(DEVICES), "devices")))


async def pushers(asking: Asking) -> Sequence[Residual]:
    """Addresses that notifications are sent to."""
    return left("pushers", len(listed(await asking.ask(PUSHERS), "pushers")))


async def account_data(asking: Asking) -> Sequence[Residual]:
    """Settings that clients keep with the account, and with its rooms."""
    data = mapped(await asking.ask(ACCOUNT_DATA), "account_data")
    rooms = mapped(data, "rooms")
    return left("account_data", len(mapped(data, "global")) + sum(len(mapped(rooms, room)) for room in rooms))


async def joined_rooms(asking: Asking) -> Sequence[Residual]:
    """Rooms that the account is still in."""
    return left("joined_rooms", len(listed(await asking.ask(JOINED), "joined_rooms")))


async def invitations(asking: Asking) -> Sequence[Residual]:
    """Rooms that the account is invited to, or has knocked at."""
    memberships = mapped(await asking.ask(MEMBERSHIPS), "memberships").values()
    return left("invitations", sum(membership in ("invite", "knock") for membership in memberships))


async def connections(asking: Asking) -> Sequence[Residual]:
    """Network addresses: the server deletes them by itself, 28 days after the last use unless configured otherwise."""
    count = 0
    all_devices = mapped(await asking.ask(WHOIS), "devices")
    for name in all_devices:
        for session in listed({"sessions": []} | dict(mapped(all_devices, name)), "sessions"):
            count += len(listed({"connections": []} | dict(session), "connections"))
    return left("connections", count, "expires_by_itself")


async def rate_limit(asking: Asking) -> Sequence[Residual]:
    """An exception from the server's limits, for this account."""
    return left("limits", bool(await asking.ask(RATE_LIMIT)))


async def experiments(asking: Asking) -> Sequence[Residual]:
    """Functions that were switched on for this account."""
    features = mapped(await asking.ask(EXPERIMENTS), "features").values()
    return left("limits", sum(on is True for on in features), "no_way_to_delete")


async def event_reports(asking: Asking) -> Sequence[Residual]:
    """Reports of messages, by the person and about them: moderators need them (Art. 17(3)(e))."""
    made = await asking.ask(EVENT_REPORTS, {"limit": 1, "user_id": asking.user})
    received = await asking.ask(EVENT_REPORTS, {"limit": 1, "event_sender_user_id": asking.user})
    return left("reports", counted(made, "total") + counted(received, "total"), "reports_kept")


async def user_reports(asking: Asking) -> Sequence[Residual]:
    """Reports of people, by the person and about them."""
    made = await asking.ask(USER_REPORTS, {"limit": 1, "user_id": asking.user})
    received = await asking.ask(USER_REPORTS, {"limit": 1, "target_user_id": asking.user})
    return left("reports", counted(made, "total") + counted(received, "total"), "reports_kept")


async def profile(asking: Asking) -> Sequence[Residual]:
    """Fields of the profile that everybody can see, custom ones, too (MSC4133)."""
    return left("profile", sum(value is not None for value in (await asking.ask(PROFILE)).values()))


async def public_keys(asking: Asking) -> Sequence[Residual]:
    """Public keys of devices, which go with them, and of the identity, which the server keeps."""
    answer = await asking.ask(KEYS, body={"device_keys": {asking.user: []}})
    identity = sum(asking.user in mapped(answer, kind) for kind in _IDENTITY)
    of_devices = len(mapped(mapped(answer, "device_keys"), asking.user))
    return (*left("device_keys", of_devices), *left("identity_keys", identity, "no_way_to_delete"))


INQUIRIES = (
    Inquiry("account", account),
    Inquiry("account", name_reserved, open=OLDER_SERVER),
    Inquiry("devices", devices),
    Inquiry("pushers", pushers),
    Inquiry("account_data", account_data),
    Inquiry("joined_rooms", joined_rooms),
    Inquiry("invitations", invitations, open=OLDER_SERVER),
    Inquiry("connections", connections),
    Inquiry("limits", rate_limit),
    Inquiry("limits", experiments, open=OLDER_SERVER),
    Inquiry("reports", event_reports),
    Inquiry("reports", user_reports, open=OLDER_SERVER),
    Inquiry("profile", profile, none=("M_NOT_FOUND", "M_UNKNOWN"), open=NOT_FOR_OTHERS),
    Inquiry("device_keys", public_keys),
)

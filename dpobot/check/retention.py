"""Is what the notice promises set up at the homeserver? Each check reads one setting of Synapse's configuration."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from dpobot.check.finding import PROMISED, Answer, Check, Place, failed, ok, unseen, warning
from dpobot.check.settings import Settings, duration

Judge = Callable[[Settings, Place], Answer]

_CENSORED_A_DAY = 28_800  # Synapse removes redacted content of 100 events every five minutes
_DAY = timedelta(days=1)


def _setting(name: str, asks: str, wanted: str, judge: Judge) -> Check:
    """Return a check of a setting. ``wanted`` tells an admin what to look for where the files can't be read."""

    async def look(place: Place) -> Answer:
        if isinstance(place.settings, Answer):
            return unseen(place.settings.sentence, f"look into homeserver.yaml: {wanted}. {place.settings.cure}")
        try:
            return judge(place.settings, place)
        except ValueError:
            return failed("the setting is not a duration that Synapse understands", wanted)

    return Check(name, asks, look)


def days(period: timedelta) -> str:
    """Return a period for people: whole days, or what is shorter than a day."""
    whole = period // _DAY
    if whole == 1:
        return "1 day"
    return f"{whole} days" if whole else str(period)


def _redacted(settings: Settings, _: Place) -> Answer:
    period = settings.duration("redaction_retention_period", "7d")
    cure = "set redaction_retention_period to 7d"
    if period is None:
        return failed("what was redacted stays in the database for ever", cure)
    if period >= PROMISED:
        return failed(f"what was redacted stays in the database for {days(period)}", cure)
    room = int((PROMISED - period) / _DAY * _CENSORED_A_DAY)
    return ok(
        f"what was redacted leaves the database after {days(period)}; at most {room:,} redactions can be dealt with"
        " within 30 days"
    )


def _forgotten(settings: Settings, _: Place) -> Answer:
    period = settings.duration("forgotten_room_retention_period")
    cure = "set forgotten_room_retention_period to 28d"
    if period is None:
        return failed(
            "a room that only one person was in stays for ever when they deactivate their account without dpobot", cure
        )
    if period >= PROMISED:
        return failed(f"a room that everybody here has forgotten stays for {days(period)}", cure)
    return ok(f"a room that everybody here has forgotten is deleted after {days(period)}")


def _allowed(settings: Settings, _: Place) -> Answer:
    period = settings.duration("redaction_allowed_period")
    if period is None:
        return ok("messages of any age can be redacted")
    return failed(
        f"the homeserver refuses to redact messages that are older than {days(period)}, also to admins",
        "remove redaction_allowed_period",
    )


def _addresses(settings: Settings, place: Place) -> Answer:
    period, promised = settings.duration("user_ips_max_age", "28d"), place.config.operator.log_days
    cure = f"set user_ips_max_age to 28d, or operator.log_days to what is true: the notice says {promised} days"
    if period is None:
        return failed("internet addresses of sessions are kept for ever", cure)
    if period > timedelta(days=promised):
        return failed(f"internet addresses of sessions are kept for {days(period)}", cure)
    return ok(f"internet addresses of sessions are kept for {days(period)}; the notice says at most {promised} days")


def _copies(settings: Settings, _: Place) -> Answer:
    if settings.get("media_storage_providers") or settings.get("backup_media_store_path"):
        return failed(
            "files are also written to another store, from which the homeserver never deletes any",
            "delete there what the homeserver no longer has, at least once a month"
            " (matrix-org/synapse-s3-storage-provider tells how), or do without the second store",
        )
    return ok("files are in the homeserver's own store only")


def _remote_files(settings: Settings, _: Place) -> Answer:
    lifetime = _part(settings, "media_retention", "remote_media_lifetime")
    cure = "set media_retention.remote_media_lifetime to 30d; what is still wanted is fetched again"
    if lifetime is None:
        return warning("copies of files from other servers are kept for ever, also when they were deleted there", cure)
    if lifetime > PROMISED:
        return warning(f"copies of files from other servers are kept for {days(lifetime)}", cure)
    return ok(f"copies of files from other servers that nobody looks at are deleted after {days(lifetime)}")


def _search(settings: Settings, _: Place) -> Answer:
    if settings.get("enable_search", True) is False:
        return ok("there is no search index")
    return warning(
        "the search index keeps the words of redacted messages, although no search shows them"
        " (element-hq/synapse#13122)",
        "run once a month in Synapse's database: DELETE FROM event_search WHERE event_id IN"
        " (SELECT redacts FROM redactions WHERE have_censored)",
    )


def _messages(settings: Settings, _: Place) -> Answer:
    retention = settings.get("retention")
    if not isinstance(retention, dict) or not retention.get("enabled"):
        return ok("messages are kept until somebody redacts them; the notice promises nothing else")
    policy = retention.get("default_policy")
    longest = _part(settings, "retention", "default_policy", "max_lifetime") if isinstance(policy, dict) else None
    if longest is None:
        return ok("messages are deleted where a room says so")
    return ok(f"messages are deleted after {days(longest)} where no room says otherwise")


def _acting(settings: Settings, _: Place) -> Answer:
    if settings.get("track_puppeted_user_ips"):
        return warning(
            "whenever dpobot acts as somebody, its own internet address is recorded as theirs, and lands in their copy",
            "remove track_puppeted_user_ips",
        )
    return ok("dpobot leaves no trace of its own in people's records")


def _part(settings: Settings, key: str, *path: str) -> timedelta | None:
    value = settings.get(key)
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return duration(value)


def _hidden(sentence: str, cure: str) -> Callable[[Place], Awaitable[Answer]]:
    async def look(place: Place) -> Answer:
        return unseen(sentence, cure.format(days=place.config.operator.log_days))

    return look


CHECKS = (
    _setting(
        "redacted content",
        "Is what people take back gone from the database within 30 days?",
        "redaction_retention_period is to be less than 30d, and not null (without a line it is 7d)",
        _redacted,
    ),
    _setting(
        "forgotten rooms",
        "Is a room gone within 30 days that only somebody was in who has deactivated their account?",
        "forgotten_room_retention_period is to be there, and less than 30d",
        _forgotten,
    ),
    _setting(
        "old messages",
        "Can messages of any age be redacted?",
        "redaction_allowed_period is not to be there",
        _allowed,
    ),
    _setting(
        "second store",
        "Are deleted files deleted everywhere?",
        "media_storage_providers and backup_media_store_path are not to be there",
        _copies,
    ),
    _setting(
        "copies from elsewhere",
        "Do copies of other servers' files go when nobody looks at them?",
        "media_retention.remote_media_lifetime is to be 30d or less",
        _remote_files,
    ),
    _setting(
        "search index",
        "Does the search forget what was redacted?",
        "enable_search: false, or a regular clean-up of event_search",
        _search,
    ),
    _setting(
        "internet addresses",
        "Are internet addresses kept no longer than the notice says?",
        "user_ips_max_age is to be no longer than the notice says of logs (without a line it is 28d)",
        _addresses,
    ),
    _setting(
        "message retention",
        "Is it known how long messages are kept?",
        "retention.enabled and retention.default_policy say it",
        _messages,
    ),
    _setting(
        "traces of acting",
        "Does dpobot leave no traces in people's records?",
        "track_puppeted_user_ips is not to be there",
        _acting,
    ),
    Check(
        "logs",
        "Are logs kept no longer than the notice says?",
        _hidden(
            "dpobot sees no logs of the homeserver, its proxy or its machine",
            "look how long they are kept (log_config of Synapse, logrotate, journald): the notice says {days} days",
        ),
    ),
    Check(
        "backups",
        "Are erased people gone from backups within a known time?",
        _hidden(
            "dpobot sees no backups",
            "look how long they are kept, and erase again what is restored: closed erasures are in the register",
        ),
    ),
)

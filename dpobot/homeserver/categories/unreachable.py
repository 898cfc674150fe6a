"""What a Synapse holds but offers no way to ask for, or must never give out: declared, so that no copy looks complete.

The names after "Tables:" are those of Synapse's database, for staff who provide the rest by hand.
"""

from dpobot.homeserver.category import Category
from dpobot.text.language import translatable


def _missing(name: str, title: str, purpose: str, reason: str) -> Category:
    return Category(name=name, title=title, purpose=purpose, missing=reason)


CATEGORIES = (
    _missing(
        "room_reports",
        translatable("Reports of rooms, made by the person"),
        "Kept so that moderators can act on them (Art. 6(1)(f)). Tables: room_reports.",
        "database_only",
    ),
    _missing(
        "room_aliases",
        translatable("Room addresses that the person made"),
        "Needed to find rooms (Art. 6(1)(b)). Tables: room_aliases.",
        "database_only",
    ),
    _missing(
        "one_time_keys",
        translatable("One-time and fallback keys of devices"),
        "Public keys that start encrypted sessions (Art. 6(1)(b)). Tables: e2e_*_keys_json.",
        "database_only",
    ),
    _missing(
        "identity_signatures",
        translatable("People whose identity the person confirmed"),
        "Needed to show the person whom they verified (Art. 6(1)(b)). Tables: e2e_cross_signing_signatures.",
        "database_only",
    ),
    _missing(
        "to_device_messages",
        translatable("Messages between devices that wait for delivery"),
        "Encrypted messages of others to the person's devices (Art. 6(1)(b)). Tables: device_inbox.",
        "database_only",
    ),
    _missing(
        "user_daily_visits",
        translatable("Days of activity"),
        "Counted to know how much the service is used (Art. 6(1)(f)). Tables: user_daily_visits, monthly_active_users.",
        "database_only",
    ),
    _missing(
        "deleted_pushers",
        translatable("Push notification targets that were removed"),
        "Kept by the software to tell its own parts of the removal (Art. 6(1)(f)). Tables: deleted_pushers.",
        "database_only",
    ),
    _missing(
        "identity_server_bindings",
        translatable("Identity servers that got an e-mail address or telephone number"),
        "Needed to take the publication back (Art. 6(1)(b)). Tables: user_threepid_id_server.",
        "database_only",
    ),
    _missing(
        "validation_sessions",
        translatable("Unfinished confirmations of an address, a log-in or a change"),
        "Needed until the confirmation is done (Art. 6(1)(b)). Tables: threepid_validation_session, ui_auth_sessions.",
        "database_only",
    ),
    _missing(
        "scheduled_tasks",
        translatable("Administrative tasks that name the person"),
        "Needed to finish the task (Art. 6(1)(f)). Tables: scheduled_tasks.",
        "database_only",
    ),
    _missing(
        "sync_positions",
        translatable("What each device was last sent"),
        "Needed to send only news (Art. 6(1)(b)). Tables: sliding_sync_connections and those beside it.",
        "database_only",
    ),
    _missing(
        "user_directory",
        translatable("Entry in the user directory"),
        "Made so that others find the person (Art. 6(1)(b)). Tables: user_directory, user_directory_search.",
        "copy_of_other_data",
    ),
    _missing(
        "search_index",
        translatable("Search index of messages"),
        "Made from unencrypted messages so that they can be searched (Art. 6(1)(b)). Tables: event_search.",
        "copy_of_other_data",
    ),
    _missing(
        "password",
        translatable("Password (as a hash)"),
        "Needed to check the password at log-in (Art. 6(1)(b)). Tables: users.",
        "secret",
    ),
    _missing(
        "access_tokens",
        translatable("Access, refresh, log-in and OpenID tokens"),
        "Needed to recognise the person's devices (Art. 6(1)(b)). Tables: *_tokens.",
        "secret",
    ),
    _missing(
        "server_logs",
        translatable("Log files of the server"),
        "Kept for a while to find faults and abuse (Art. 6(1)(f)).",
        "log_files",
    ),
)

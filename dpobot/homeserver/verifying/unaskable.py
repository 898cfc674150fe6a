"""What no interface tells: named in every receipt, because not asked is not the same as not there.

The tables are those of Synapse's database, found with rows of the person in them after an erasure (homeserver.md 2.1,
2.6): staff who look for themselves know where.
"""

from dpobot.model.erasure import Residual

TABLES: dict[str, tuple[str, str]] = {
    "redacted_content": ("censored_later", "event_json, until the server has blanked it"),
    "search_index": ("search_index", "event_search"),
    "deleted_pushers": ("database_only", "deleted_pushers"),
    "room_reports": ("database_only", "room_reports"),
    "room_aliases": ("database_only", "room_aliases.creator"),
    "read_receipts": ("database_only", "receipts_linearized, receipts_graph"),
    "visits": ("database_only", "user_daily_visits, monthly_active_users"),
    "tokens": ("database_only", "open_id_tokens, login_tokens, ui_auth_sessions"),
    "to_device_messages": ("database_only", "device_inbox of others"),
    "identity_signatures": ("database_only", "e2e_cross_signing_signatures"),
    "identity_server_bindings": ("database_only", "user_threepid_id_server, threepid_validation_session"),
    "sync_positions": ("database_only", "sliding_sync_connections and those beside it"),
    "scheduled_tasks": ("database_only", "scheduled_tasks"),
    "old_memberships": ("database_only", "room_memberships.display_name"),
    "words_of_others": ("belongs_to_others", "what others wrote, also of the person"),
    "server_logs": ("log_files", "files of the machine"),
    "backups": ("backups", "copies of the database"),
}


def residuals() -> list[Residual]:
    """Return all of it, with count 0: it is not known how many."""
    return [Residual(category, 0, reason) for category, (reason, _) in TABLES.items()]

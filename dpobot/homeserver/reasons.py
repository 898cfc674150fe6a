"""Why a category can be empty-handed: every reason code with the sentence that explains it to the person."""

from dpobot.errors import Rejected

REASONS: dict[str, str] = {
    "account_unknown": "The server has no account of this name.",
    "account_remote": "The account belongs to another server, which holds this data; ask the contact of that server.",
    "account_locked": "The account is locked, and the server shows this to nobody while it is.",
    "account_deactivated": "The account is deactivated, and the server no longer shows this.",
    "acting_refused": "The server does not let its administrators read this in the person's place.",
    "not_offered": "This server does not offer the function, or not yet in its version.",
    "too_large": "There is more of this than can be fetched at once; staff can provide it from the database.",
    "database_only": "The server keeps this in its database and offers no way to ask for it; staff can provide it.",
    "copy_of_other_data": "The server derives this from other data, which is in the archive.",
    "secret": "This is a key to the account; giving it out would put the account at risk.",
    "log_files": "This is in the log files of the machine, which are deleted after the time that the notice names.",
}

_OF_ERRCODE = {
    "M_USER_LOCKED": "account_locked",
    "M_USER_DEACTIVATED": "account_deactivated",
    "M_UNRECOGNIZED": "not_offered",
    "M_NOT_FOUND": "account_unknown",
    "acting_refused": "acting_refused",
    "answer_too_large": "too_large",
}


def reason_of(error: Rejected) -> str | None:
    """Return the reason code that a server's refusal stands for, or None if it is a fault to be looked at."""
    return _OF_ERRCODE.get(error.code)

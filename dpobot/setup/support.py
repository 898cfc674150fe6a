"""The support file of the homeserver: whom to write to about administration, security and data protection.

Matrix spec, "GET /.well-known/matrix/support"; the role of a Data Protection Officer is MSC4265's, which is not merged:
its unstable and its proposed stable name stand side by side.
"""

import json
from collections.abc import Mapping, Sequence

from dpobot.config import Config

ROLES = ("org.matrix.msc4265.role.dpo", "m.role.dpo")
PATH = "/.well-known/matrix/support"


def contacts(config: Config, admin_email: str | None = None) -> Sequence[Mapping[str, str]]:
    """Return the contacts; the bot takes requests under each role, the addresses are the operator's."""
    bot, operator = config.matrix.user_id, config.operator
    return [
        {"role": "m.role.admin", "matrix_id": bot, "email_address": admin_email or operator.dpo_email},
        {"role": "m.role.security", "matrix_id": bot, "email_address": operator.security_email},
        *({"role": role, "matrix_id": bot, "email_address": operator.dpo_email} for role in ROLES),
    ]


def snippet(config: Config, admin_email: str | None = None) -> str:
    """Return the file, JSON."""
    return json.dumps({"contacts": contacts(config, admin_email)}, indent=2, ensure_ascii=False)

"""A key and a receipt that was signed with it."""

from datetime import UTC, datetime

import pytest

from dpobot.config import parse
from dpobot.model.erasure import Residual
from dpobot.receipt import codes, document
from dpobot.receipt.key import SigningKey
from dpobot.text.render import Renderer, templates_folder
from tests.test_shape import example

CODE = "ABCD-EFGH-JKLM-NPQR-STUV"
ANNA = "@anna:dpobot.test"
AT = datetime(2026, 11, 23, 6, 0, 30, 999, tzinfo=UTC)
KEY = SigningKey(bytes(range(32)))
OTHER = SigningKey(bytes(range(1, 33)))


def receipt(key: SigningKey = KEY, **changed: object) -> str:
    """Return a receipt of Anna's."""
    values: dict[str, object] = {
        "case": "DPO-2026-0042",
        "plan": "ab" * 32,
        "counts": {"messages": 2031, "media": 3, "rooms": 1},
        "residuals": (Residual("server_logs", 0, "log_files"), Residual("state_kept", 12, "keeps_room_working")),
        "times": {"requested": AT, "erased": AT, "checked": AT},
        "notice": "2026-11-22",
        "subject": codes.subject_of(CODE, ANNA),
    }
    return document.build(key, **(values | changed))  # type: ignore[arg-type] # tests change what they name


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    """All templates, compiled once."""
    return Renderer(templates_folder(), {"operator": parse(example()).operator})

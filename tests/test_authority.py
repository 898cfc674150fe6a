"""Least authority: who reads the admin's token, and which of an admin's rights are used for what (docs/install.md)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.test_shape import PACKAGE, ROOT, sources

_ADMIN = re.compile(r"(GET|POST|PUT|DELETE) (/_synapse/admin|/api/admin|/oauth2)/\S+")
_TABLE = re.compile(r"<!-- rights -->\n(.*?)<!-- /rights -->", re.DOTALL)
_MADE_IN = "workshop/administration.py"
# what the code in a folder or a file does with an admin's rights; the longest name counts
PURPOSES = {
    "homeserver": "copy",
    "homeserver/puppet.py": "as the person",
    "homeserver/media.py": "delivery",
    "homeserver/erasing": "erasure",
    "homeserver/verifying": "verification",
    "homeserver/mas": "copy",
    "homeserver/mas/credentials.py": "own token",
    "homeserver/mas/admin.py": "whose account",
    "homeserver/mas/lender.py": "as the person",
    "homeserver/mas/changes.py": "erasure",
    "homeserver/mas/leftovers.py": "verification",
    "check": "check",
    "setup": "init",
    "workshop": "warning",
}


def _texts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _purpose(name: str) -> str:
    return PURPOSES[max((each for each in PURPOSES if name.startswith(each)), key=len)]


def used() -> dict[str, set[str]]:
    """Return every admin endpoint that stands in the code, with what it is used for."""
    found: dict[str, set[str]] = {}
    for path in sources():
        for text in _texts(path):
            if _ADMIN.fullmatch(text):
                found.setdefault(text, set()).add(_purpose(str(path.relative_to(PACKAGE))))
    return found


def table() -> str:
    """Return the table of docs/install.md."""
    rows = ["| Endpoint | What for |", "|---|---|"]
    by_path = sorted(used().items(), key=lambda each: (each[0].split(" ")[1], each[0]))
    rows += [f"| `{endpoint}` | {', '.join(sorted(purposes))} |" for endpoint, purposes in by_path]
    return "\n".join(rows) + "\n"


def test_the_documented_rights_are_those_that_the_code_uses() -> None:
    """What is new has to be written there, with its reason: `python -m tests.test_authority` prints the table."""
    [documented] = _TABLE.findall((ROOT / "docs/install.md").read_text("utf-8"))
    assert documented == table()


def _uses(attribute: str) -> set[str]:
    """Return the modules in which something of that name is taken from a configuration, or called."""
    found = set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            taken = isinstance(node, ast.Attribute) and node.attr == attribute
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == attribute
            if taken or called:
                found.add(str(path.relative_to(PACKAGE)))
    return found


def test_the_admins_token_is_read_in_one_place() -> None:
    """The check looks at the file's mode, never into it; a worker that starts sees whether it can be read."""
    assert _uses("admin_token_file") == {_MADE_IN, "check/machine.py", "worker.py"}
    assert _uses("client_secret_file") == {_MADE_IN, "check/machine.py", "worker.py"}


def test_the_admins_token_is_handed_to_those_who_administer() -> None:
    """The adapters of the homeserver, the check, and the warning about too much power; not what talks in rooms."""
    assert _uses("admin_token") - {"setup/server.py", "setup/account.py", "setup/staff.py"} == {
        _MADE_IN,
        "check/place.py",
        "workshop/authority.py",
    }


if __name__ == "__main__":
    print(table(), end="")

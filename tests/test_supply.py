"""The audit and the scan of `make check` find what they are for, and say so where they can't look."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from checks import audit, secrets

_ROOT = Path(__file__).resolve().parent.parent
_ADVISORY = {
    "id": "PYSEC-2026-1",
    "modified": "2026-01-01T00:00:00Z",
    "summary": "templates escape nothing",
    "affected": [{"package": {"name": "jinja2", "ecosystem": "PyPI"}}],
}


@pytest.fixture(scope="module")
async def advisories() -> AsyncIterator[str]:
    """The address of a database that knows one vulnerability, of a version that is pinned here."""

    async def query(request: web.Request) -> web.Response:
        asked = (await request.json())["queries"]
        known = {"vulns": [{"id": _ADVISORY["id"], "modified": _ADVISORY["modified"]}]}
        return web.json_response({"results": [known if each["package"]["name"] == "jinja2" else {} for each in asked]})

    async def one(_request: web.Request) -> web.Response:
        return web.json_response(_ADVISORY)

    app = web.Application(client_max_size=10**7)
    app.add_routes([web.post("/v1/querybatch", query), web.get("/v1/vulns/{id}", one)])
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")


async def _asked(accepted: list[dict[str, Any]], service: str) -> tuple[int, str]:
    return await asyncio.to_thread(audit.ask, _ROOT, accepted, service)


async def test_a_vulnerable_pin_fails(advisories: str) -> None:
    """Said with its name; once it is accepted, it passes."""
    status, said = await _asked([], advisories)
    assert (status, "jinja2" in said, "PYSEC-2026-1" in said) == (1, True, True)
    assert (await _asked([{"id": "PYSEC-2026-1"}], advisories))[0] == 0


async def test_where_nobody_can_be_asked_that_is_said() -> None:
    """It is no failure: whoever builds without a network builds."""
    assert await _asked([], "http://127.0.0.1:1") == (0, "skipped: no advisory database reachable")


async def test_what_can_not_be_audited_fails(advisories: str, tmp_path: Path) -> None:
    """A folder without uv.lock is no success."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\n')
    status, said = await asyncio.to_thread(audit.ask, tmp_path, [], advisories)
    assert (status != 0, audit.NOBODY in said) == (True, False)


def test_what_is_accepted_ends() -> None:
    """An entry whose day is over, or that says no reason, fails the check."""
    today = date(2026, 11, 23)
    good = {"id": "A", "reason": "why", "until": today}
    assert audit.overdue([good], today) == []
    assert audit.overdue([good | {"until": date(2026, 11, 22)}], today) == ["A: accepted until 2026-11-22 only"]
    assert audit.overdue([good | {"reason": ""}], today) == ["A: accepted without a reason"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("token = 'ghp_" + "a1B2c3D4e5F6" * 3 + "'", "GitHub Token"),
        ("-----BEGIN " + "RSA PRIVATE KEY-----", "Private Key"),
        ("password = 'correct-horse-battery'", "Secret Keyword"),
        ("url = 'https://dpo:sesame-open@example.org'", "Basic Auth Credentials"),
    ],
)
def test_a_secret_in_a_file_fails(tmp_path: Path, text: str, kind: str) -> None:
    """Told by its place, never by its text."""
    (tmp_path / "settings.py").write_text(f"# a file\n{text}\n")
    found = secrets.scan(tmp_path, ["settings.py"])
    assert f"settings.py:2: {kind}" in secrets.new(found, [])
    assert secrets.new(found, [each[:3] for each in found]) == []
    assert text not in "".join(secrets.new(found, []))


def test_nothing_secret_is_accepted_in_the_code() -> None:
    """What is known to be none is examples, tests, and names that only sound like one: no key of a service."""
    kinds = {kind for _, kind, _ in json.loads(secrets.KNOWN.read_text("utf-8"))}
    assert kinds <= {
        "Secret Keyword",
        "Base64 High Entropy String",
        "Hex High Entropy String",
        "Basic Auth Credentials",
    }

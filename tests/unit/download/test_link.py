"""A link: looking at it changes nothing, one browser opens it, and to everybody else it is like one that never was."""

import asyncio
import hashlib
import re
from datetime import timedelta

import pytest

from dpobot.audit import trail
from dpobot.download import token
from dpobot.download.server import COOKIE
from dpobot.model.words import CaseState
from dpobot.store import cases, downloads
from dpobot.store.people import set_language
from tests.unit.download.conftest import ANNA, HOURS, Web

FIRST = "DPO-2026-0001-01.zip"


async def test_looking_does_not_use_it_up(web: Web) -> None:
    """Previews and scanners only look: GET and HEAD, however often, and nothing is claimed."""
    for method in ("GET", "HEAD", "GET"):
        assert (await web.ask(web.path, method)).status == 200
    assert (await web.download()).claimed_at is None
    assert (await web.ask(f"{web.path}/{FIRST}")).status == 404


async def test_the_page_says_what_lies_behind_it_and_has_one_button(web: Web) -> None:
    """No script, nothing to click but the button, and nobody's name."""
    text = await (await web.ask(web.path)).text()
    assert "DPO-2026-0001" in text
    assert text.count('<form method="post"><button') == 1
    assert "<script" not in text
    assert "<a " not in text
    assert ANNA not in text


async def test_the_browser_that_opens_it_sees_the_files(web: Web) -> None:
    """Names, sizes and SHA-256; the bytes are those that were packed."""
    await web.open()
    text = await (await web.ask(web.path)).text()
    found = re.findall(r'href="([^"]+)" download>.*?SHA-256 ([0-9a-f]{64})', text)
    assert [link.rpartition("/")[2] for link, _ in found] == list(web.plain)
    for link, digest in found:
        data = await web.bytes_of(link.rpartition("/")[2])
        assert data == web.plain[link.rpartition("/")[2]]
        assert hashlib.sha256(data).hexdigest() == digest
    assert "300 kB" in text


async def test_a_link_on_the_page_leads_to_its_file(web: Web) -> None:
    """Relative to the page, as the browser resolves it."""
    await web.open()
    text = await (await web.ask(web.path)).text()
    href = re.findall(r'href="([^"]+)"', text)[0]
    base = web.client.make_url(web.path)
    response = await web.ask(base.join(type(base)(href)).path)
    assert await response.read() == web.plain[FIRST]


async def test_nobody_else_gets_anything(web: Web) -> None:
    """Another browser, with another cookie or none, sees what is seen where nothing is: page, button and files."""
    await web.open()
    nowhere = await web.ask(f"/archives/{token.new_token()}", cookie="")
    expected = (404, await nowhere.text())
    for cookie in ("", token.new_token(), "x", web.secret):
        for path, method in ((web.path, "GET"), (web.path, "POST"), (f"{web.path}/{FIRST}", "GET")):
            response = await web.ask(path, method, cookie=cookie)
            assert (response.status, await response.text()) == expected
    assert await web.bytes_of(FIRST) == web.plain[FIRST]


async def test_of_two_that_open_it_at_once_one_has_it(web: Web) -> None:
    """The database decides, once."""
    looked = await asyncio.gather(*(web.ask(web.path) for _ in range(5)))
    held = [response.cookies[COOKIE].value for response in looked]
    assert len(set(held)) == 5
    pressed = await asyncio.gather(*(web.ask(web.path, "POST", cookie=cookie) for cookie in held))
    assert sorted(response.status for response in pressed) == [303, 404, 404, 404, 404]
    winner = held[[response.status for response in pressed].index(303)]
    assert (await web.download()).claim_hash == token.hash_of(winner)


async def test_an_answer_that_gets_lost_is_asked_for_again(web: Web) -> None:
    """The browser holds its cookie before it presses: pressing twice is the same as pressing once."""
    await web.open()
    assert (await web.ask(web.path, "POST")).status == 303
    assert (await web.ask(web.path)).status == 200


async def test_looking_again_keeps_what_the_browser_holds(web: Web) -> None:
    """Two tabs of one browser are one browser."""
    first = await web.ask(web.path)
    web.cookie = first.cookies[COOKIE].value
    assert COOKIE not in (await web.ask(web.path)).cookies


async def test_without_cookies_nothing_is_used_up(web: Web) -> None:
    """Who could not be known again is told so, and may come with another browser."""
    response = await web.ask(web.path, "POST")
    assert (response.status, "no cookies" in await response.text()) == (200, True)
    assert (await web.download()).claimed_at is None
    await web.open()


async def test_the_cookie_goes_nowhere_else(web: Web) -> None:
    """Only to this link, only over TLS, to no script, with no request of another site; as long as the link."""
    cookie = (await web.ask(web.path)).cookies[COOKIE]
    assert (cookie["path"], cookie["secure"], cookie["httponly"], cookie["samesite"]) == (web.path, True, True, "Lax")
    assert (cookie["domain"], cookie["max-age"]) == ("", str(HOURS * 3600))
    assert token.is_token(cookie.value)


async def test_its_time_is_over(web: Web) -> None:
    """To the second; then it is like one that never was."""
    await web.open()
    web.clock.moment += timedelta(hours=HOURS) - timedelta(seconds=1)
    assert (await web.ask(f"{web.path}/{FIRST}")).status == 200
    web.clock.moment += timedelta(seconds=1)
    assert [(await web.ask(path)).status for path in (web.path, f"{web.path}/{FIRST}")] == [404, 404]


async def test_a_case_that_is_closed_has_no_link(web: Web) -> None:
    """From the moment of `received` on, before the files are deleted."""
    await web.open()
    case = await web.database.read(lambda tx: cases.get(tx, web.case_id))
    over = {"state": CaseState.CLOSED, "closed_at": web.clock.now()}
    await web.database.write(lambda tx: cases.update(tx, case, over))
    assert (await web.ask(f"{web.path}/{FIRST}")).status == 404


async def test_a_link_that_is_taken_back_is_gone(web: Web) -> None:
    """And so are its bytes."""
    await web.open()
    await web.database.write(lambda tx: downloads.end(tx, web.case_id, web.clock.now()))
    assert (await web.ask(web.path)).status == 404
    assert (web.shelf.remove(web.case_id), web.shelf.remove(web.case_id)) == (True, False)
    assert list(web.folder.rglob("*")) == []


async def test_in_breach_mode_nothing_is_handed_out(web: Web) -> None:
    """Neither page nor file nor a new claim, whoever asks; afterwards all is as before."""
    await web.open()
    await web.pause()
    for path, method in ((web.path, "GET"), (web.path, "POST"), (f"{web.path}/{FIRST}", "GET"), ("/archives/x", "GET")):
        response = await web.ask(path, method)
        assert (response.status, response.headers["Retry-After"]) == (503, "3600")
        assert "checking the security of the service" in await response.text()
    await web.pause(on=False)
    assert await web.bytes_of(FIRST) == web.plain[FIRST]


async def test_the_claim_is_in_the_trail(web: Web) -> None:
    """Once, with nothing but the case."""
    await web.open()
    await web.ask(web.path, "POST")
    rows = await web.database.read(lambda tx: trail.of_case(tx, web.case_id))
    assert [(row.actor, row.action, row.detail) for row in rows] == [("bot", "download.claimed", {})]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
async def test_other_methods_do_nothing(web: Web, method: str) -> None:
    """They are refused, with the headers that every answer has."""
    for path in (web.path, f"{web.path}/{FIRST}"):
        response = await web.ask(path, method)
        assert (response.status, response.headers["Cache-Control"]) == (405, "no-store")
    assert (await web.download()).claimed_at is None


@pytest.mark.parametrize(
    "name",
    ["1", "2", "..%2f1%2f1", "../1/1", "%2e%2e%2f1", "DPO-2026-0001-01.zip%00", "DPO-2026-0001-01.ZIP", "", ".", "a/b"],
)
async def test_a_name_is_only_what_is_listed(web: Web, name: str) -> None:
    """It is compared, never made a path of."""
    await web.open()
    assert (await web.ask(f"{web.path}/{name}")).status == 404


@pytest.mark.parametrize("secret", ["", "x", "a" * 43, "é" * 43, "a" * 5000, "%00" * 43, "..", "' OR 1=1 --"])
async def test_a_secret_is_only_what_was_made(web: Web, secret: str) -> None:
    """Whatever stands in its place leads nowhere."""
    assert (await web.ask(f"/archives/{secret}")).status == 404


async def test_a_secret_in_another_spelling_is_none(web: Web) -> None:
    """One secret, one address: the spare bits of the last sign don't count as a second one."""
    last = web.secret[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(last) ^ 1]
    assert [(await web.ask(web.path[:-1] + sign)).status for sign in (last, other)] == [200, 404]


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("fr", "fr"),
        ("es,fr;q=0.3,de;q=0.7", "de"),
        ("de;q=0,fr;q=0.1", "fr"),
        ("xx,,;;q=1,de;q=banana", "en"),
        ("de;q=1e9,fr;q=0.5", "fr"),
        (",".join(["xx"] * 100 + ["de"]), "en"),
    ],
)
async def test_a_stranger_is_answered_in_the_language_of_the_browser(web: Web, accepted: str, expected: str) -> None:
    """The best of ours that it names."""
    response = await web.ask("/archives/x", **{"Accept-Language": accepted})
    assert response.headers["Content-Language"] == expected
    assert f'<html lang="{expected}">' in await response.text()


async def test_the_person_is_answered_in_their_own_language(web: Web) -> None:
    """The one that they have chosen in the chat, whatever the browser says."""
    await web.database.write(lambda tx: set_language(tx, ANNA, "fr"))
    response = await web.ask(web.path, **{"Accept-Language": "de"})
    assert response.headers["Content-Language"] == "fr"
    assert "Ouvrir l\u2019archive ici" in await response.text()
    await web.open()
    assert "Vos fichiers" in await (await web.ask(web.path)).text()

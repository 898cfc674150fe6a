"""The independent oracle: libolm, a library that shares nothing with ours, reads the same to the last byte."""

import json

import pytest
from vodozemac import ExportedSessionKey, InboundGroupSession

from dpobot.unlocking.event import Outcome, plaintext, read
from dpobot.unlocking.ring import Ring
from tests.author import ALICE, MEGOLM, Author
from tests.unit.unlocking.conftest import KITCHEN

olm = pytest.importorskip("olm", reason="python-olm has wheels for Python 3.11 and 3.12 only")
SAID = ("", "words", "☕ שלום \u202e", "\x00\ud83d", "long " * 10_000)


def content(ciphertext: str, session_id: str) -> dict[str, str]:
    return {"algorithm": MEGOLM, "ciphertext": ciphertext, "session_id": session_id}


def test_what_libolm_wrote_is_read_to_the_last_byte() -> None:
    """At the beginning, and where the ratchet's second part has turned (message 256)."""
    theirs = olm.OutboundGroupSession()
    reader = olm.InboundGroupSession(theirs.session_key)
    ours = InboundGroupSession.import_session(ExportedSessionKey(reader.export_session(0)))
    payloads = [json.dumps({"body": text, "n": number}) for number in range(60) for text in SAID]
    sealed = [theirs.encrypt(payload) for payload in payloads]
    assert len(sealed) > 256
    assert [plaintext(content(each, theirs.id), ours) for each in sealed] == [
        reader.decrypt(each)[0].encode() for each in sealed
    ]


def test_what_our_test_author_wrote_libolm_reads() -> None:
    """The events that other tests are made of are what libolm, too, takes for Megolm."""
    author = Author()
    events = [author.write(KITCHEN, text) for text in SAID]
    key = author.exported()[0]
    reader = olm.InboundGroupSession.import_session(key["session_key"])
    ours = InboundGroupSession.import_session(ExportedSessionKey(key["session_key"]))
    theirs = [reader.decrypt(event["content"]["ciphertext"])[0].encode() for event in events]
    assert [plaintext(event["content"], ours) for event in events] == theirs


def test_a_later_key_is_no_earlier_one() -> None:
    """Exported at message 2, a session reads that one, and neither library reads the one before."""
    theirs, ring = olm.OutboundGroupSession(), Ring()
    reader = olm.InboundGroupSession(theirs.session_key)
    said = json.dumps({"type": "m.room.message", "room_id": KITCHEN, "content": {"body": "x"}})
    sealed = [theirs.encrypt(said) for _ in range(3)]
    later = reader.export_session(2)
    ring.add(KITCHEN, theirs.id, {"algorithm": MEGOLM, "session_key": later})
    events = [
        {"type": "m.room.encrypted", "room_id": KITCHEN, "sender": ALICE, "content": content(e, theirs.id)}
        for e in sealed
    ]
    assert [read(event, ring).outcome for event in events] == [Outcome.LATER_KEY, Outcome.LATER_KEY, Outcome.DECRYPTED]
    with pytest.raises(olm.OlmGroupSessionError):
        olm.InboundGroupSession.import_session(later).decrypt(sealed[1])

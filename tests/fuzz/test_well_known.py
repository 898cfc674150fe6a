"""What strangers publish about themselves: contacts of their own server, or a refusal."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dpobot.errors import Rejected, Unavailable
from dpobot.homeserver.federation import fetching
from dpobot.homeserver.federation.support import ROLES, contacts_in
from dpobot.model.ids import server_of
from tests.fuzz.anything import fuzzed, json_with, texts

SERVER = "elsewhere.example"
_VALUES = st.one_of(
    st.sampled_from([*ROLES, f"@dpo:{SERVER}", "@dpo:evil.example", "dpo@elsewhere.example", "a@b\r\nBcc: c@d", "@:"]),
    texts.map(lambda text: f"@{text}:{SERVER}"),
)
_KEYS = st.sampled_from(["contacts", "role", "matrix_id", "email_address", "support_page"])
_CONTACT = st.dictionaries(_KEYS, st.one_of(_VALUES, json_with(_KEYS, _VALUES)), max_size=4)
_FILE = st.one_of(st.fixed_dictionaries({"contacts": st.lists(_CONTACT, max_size=60)}), json_with(_KEYS, _VALUES))


@fuzzed(200)
@given(said=_FILE)
def test_only_accounts_of_that_server_are_its_contacts(said: Any) -> None:
    """Whatever the file says: nobody else is written to, and no address has more than one line."""
    try:
        found = contacts_in(said, SERVER).contacts
    except Rejected as refusal:
        assert refusal.code == "bad_support_file"
        return
    for contact in found:
        assert contact.user_id is None or server_of(contact.user_id) == SERVER
        assert contact.email is None or contact.email.isprintable()
        assert contact.user_id is not None or contact.email is not None


@fuzzed(100)
@given(raw=st.one_of(st.binary(max_size=200), _FILE.map(lambda each: json.dumps(each).encode())))
def test_any_bytes_are_json_or_refused(raw: bytes) -> None:
    """As they come from the network."""
    try:
        contacts_in(fetching._parsed(raw), SERVER)
    except (Rejected, Unavailable) as trouble:
        assert trouble.code in ("not_json", "bad_support_file")

"""The person's Megolm sessions: for each the one that reaches back furthest."""

from typing import Any

from vodozemac import ExportedSessionKey, InboundGroupSession

from dpobot.unlocking.event import MEGOLM


class Ring:
    """Sessions by room and session ID. Memory: about a kilobyte for each."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, str], InboundGroupSession] = {}
        self.refused = 0  # that are damaged, or are not what they say

    def __len__(self) -> int:
        return len(self._sessions)

    def add(self, room_id: Any, session_id: Any, key: Any) -> None:
        """Take a session in the form of a key export (spec, "Key export format"); a damaged one is only counted."""
        session = _session(session_id, key)
        if session is None or not isinstance(room_id, str):
            self.refused += 1
            return
        held = self._sessions.get((room_id, session_id))
        if held is None or session.first_known_index <= held.first_known_index:
            self._sessions[room_id, session_id] = session

    def get(self, room_id: str, session_id: str) -> InboundGroupSession | None:
        """Return the session of a room, None if its key is missing."""
        return self._sessions.get((room_id, session_id))


def _session(session_id: Any, key: Any) -> InboundGroupSession | None:
    """Return the session if its ID is its own public key: a key can't pass for another session's."""
    if not isinstance(key, dict) or key.get("algorithm") != MEGOLM or not isinstance(key.get("session_key"), str):
        return None
    try:
        session = InboundGroupSession.import_session(ExportedSessionKey(key["session_key"]))
    except ValueError:  # every exception of vodozemac is one
        return None
    return session if session.session_id == session_id else None

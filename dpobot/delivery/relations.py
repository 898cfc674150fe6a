"""A message's place in the staff room, as ``m.relates_to``; known when it is sent, for by then the card has an ID."""

from collections.abc import Mapping
from typing import Any

from dpobot.model.ids import EventId
from dpobot.store.outbox import Relation

_MOST_OF_A_FALLBACK = 200  # characters; clients that know edits never show it

Content = Mapping[str, Any]


def related(content: Content, relation: Relation | None, card: EventId | None) -> Content:
    """Return the content with its relation to the case's card in the same room.

    Without a card nothing is lost: the message stands in the main time line. There is one card: a second is an edit.
    """
    if card is None or relation is None:
        return content
    return _in_thread(content, card) if relation is Relation.THREAD else _edit(content, card)


def makes_card(relation: Relation | None) -> bool:
    """Say whether a message is the case's card if there is none yet: also an edit of one that never came."""
    return relation in (Relation.CARD, Relation.EDIT)


def _edit(content: Content, card: EventId) -> Content:
    """Replace the card (spec 11.28.2 "Event replacements"); the fallback is cut, so that both fit into an event."""
    return {
        "msgtype": content["msgtype"],
        "body": f"* {str(content['body'])[:_MOST_OF_A_FALLBACK]}",
        "m.mentions": {},
        "m.new_content": dict(content),
        "m.relates_to": {"rel_type": "m.replace", "event_id": card},
    }


def _in_thread(content: Content, card: EventId) -> Content:
    """Stand under the card (spec 11.28.4 "Threading"), with a reply for clients that know no threads."""
    relation = {
        "rel_type": "m.thread",
        "event_id": card,
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": card},
    }
    return {**content, "m.relates_to": relation}

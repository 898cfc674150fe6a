"""Notification rules (spec, "Push Rules"): those the person made, and the standard ones that they changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dpobot.moving.item import Acting, Item, Standing, Verdict, skipped, there, will
from dpobot.moving.line import Json
from dpobot.moving.parcel import Parcel, Rule, shown
from dpobot.moving.present import Present

KINDS = ("override", "content", "room", "sender", "underride")
Tune = tuple[bool, str | None, bool]  # notify, sound, highlight

_QUIET: Tune = (False, None, False)
_PLAIN: Tune = (True, None, False)
_SOUND: Tune = (True, "default", False)
_MENTION: Tune = (True, "default", True)
_ALARM: Tune = (True, None, True)
# The standard rules as the specification sets them; a rule that is not here is a homeserver's own affair.
STANDARD: Mapping[str, tuple[bool, Tune]] = {
    ".m.rule.master": (False, _QUIET),
    ".m.rule.suppress_notices": (True, _QUIET),
    ".m.rule.invite_for_me": (True, _SOUND),
    ".m.rule.member_event": (True, _QUIET),
    ".m.rule.is_user_mention": (True, _MENTION),
    ".m.rule.contains_display_name": (True, _MENTION),
    ".m.rule.is_room_mention": (True, _ALARM),
    ".m.rule.roomnotif": (True, _ALARM),
    ".m.rule.tombstone": (True, _ALARM),
    ".m.rule.reaction": (True, _QUIET),
    ".m.rule.room.server_acl": (True, _QUIET),
    ".m.rule.suppress_edits": (True, _QUIET),
    ".m.rule.contains_user_name": (True, _MENTION),
    ".m.rule.call": (True, (True, "ring", False)),
    ".m.rule.encrypted_room_one_to_one": (True, _SOUND),
    ".m.rule.room_one_to_one": (True, _SOUND),
    ".m.rule.message": (True, _PLAIN),
    ".m.rule.encrypted": (True, _PLAIN),
}


def items(parcel: Parcel) -> Iterator[Item]:
    """Yield changed standard rules, then own ones: last first, because a server puts a new rule before the others."""
    for rule in parcel.push_rules:
        if rule.default and (standard := STANDARD.get(rule.rule_id)) and standard != tuned(rule.enabled, rule.actions):
            yield StandardRule(rule)
    for rule in reversed(parcel.push_rules):
        if not rule.default and rule.kind in KINDS and not rule.rule_id.startswith("."):
            yield OwnRule(rule)


def tuned(enabled: bool, actions: Sequence[Any]) -> tuple[bool, Tune]:
    """Return what a rule does, whatever way its actions say it (``highlight: false`` is no highlight)."""
    tweaks = {action.get("set_tweak"): action.get("value") for action in actions if isinstance(action, Mapping)}
    sound = tweaks.get("sound")
    highlight = "highlight" in tweaks and tweaks["highlight"] is not False
    return enabled, ("notify" in actions, sound if isinstance(sound, str) else None, highlight)


def _own(present: Present, rule: Rule) -> Json | None:
    return present.rules.get((rule.kind, rule.rule_id))


def as_tuned(rule: Mapping[str, Any]) -> tuple[bool, Tune]:
    """Return what a rule as the server gives it does."""
    actions = rule.get("actions")
    return tuned(rule.get("enabled") is not False, actions if isinstance(actions, list) else [])


def _path(rule: Rule) -> tuple[str, ...]:
    return ("pushrules", "global", rule.kind, rule.rule_id)


@dataclass(frozen=True, slots=True)
class StandardRule:
    """A standard rule that the person had changed."""

    rule: Rule
    section = "push_rules"

    @property
    def key(self) -> str:
        """Return its name in the state file."""
        return f"push_rules/{self.rule.kind}/{self.rule.rule_id}"

    @property
    def label(self) -> str:
        """Return its ID."""
        return f"standard rule {shown(self.rule.rule_id)}"

    def foresee(self, present: Present) -> Standing:
        """Set where the account's is as the standard has it."""
        own = _own(present, self.rule)
        if own is None:
            return skipped("the homeserver has no such rule")
        if as_tuned(own) == tuned(self.rule.enabled, self.rule.actions):
            return there()
        untouched = as_tuned(own) == STANDARD[self.rule.rule_id]
        return will("change it") if untouched else skipped("the account has set it otherwise")

    def assume(self, present: Present) -> None:
        """It is so."""
        changed = {"enabled": self.rule.enabled, "actions": list(self.rule.actions)}
        present.rules[self.rule.kind, self.rule.rule_id] = {**(_own(present, self.rule) or {}), **changed}

    async def carry(self, acting: Acting) -> Standing:
        """Set what it does, then whether it is on."""
        path = _path(self.rule)
        acting.note("rule")
        await acting.line.call("PUT", *path, "actions", body={"actions": list(self.rule.actions)})
        await acting.line.call("PUT", *path, "enabled", body={"enabled": self.rule.enabled})
        self.assume(acting.present)
        return Standing(Verdict.DONE)


@dataclass(frozen=True, slots=True)
class OwnRule:
    """A rule that the person, or their client for them, made."""

    rule: Rule
    section = "push_rules"

    @property
    def key(self) -> str:
        """Return its name in the state file."""
        return f"push_rules/{self.rule.kind}/{self.rule.rule_id}"

    @property
    def label(self) -> str:
        """Return kind and ID."""
        return f"{self.rule.kind} rule {shown(self.rule.rule_id)}"

    def foresee(self, present: Present) -> Standing:
        """Add where the account has none of that name."""
        own = _own(present, self.rule)
        if own is None:
            return will("add it")
        same = all(own.get(key) == value for key, value in self._content().items())
        enabled = (own.get("enabled") is not False) == self.rule.enabled
        return there() if same and enabled else skipped("the account has another rule of that name")

    def assume(self, present: Present) -> None:
        """The account has it."""
        present.rules[self.rule.kind, self.rule.rule_id] = {**self._content(), "enabled": self.rule.enabled}

    async def carry(self, acting: Acting) -> Standing:
        """Add it; one that was switched off is off from the beginning on but for a moment."""
        path = _path(self.rule)
        acting.note("rule")
        await acting.line.call("PUT", *path, body=self._content())
        if not self.rule.enabled:
            await acting.line.call("PUT", *path, "enabled", body={"enabled": False})
        self.assume(acting.present)
        return Standing(Verdict.DONE)

    def _content(self) -> Json:
        content: Json = {"actions": list(self.rule.actions)}
        if self.rule.conditions is not None and self.rule.kind in ("override", "underride"):
            content["conditions"] = list(self.rule.conditions)
        if self.rule.pattern is not None and self.rule.kind == "content":
            content["pattern"] = self.rule.pattern
        return content

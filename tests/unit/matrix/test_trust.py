"""The chain master key -> self-signing key -> device -> session, with good and forged links."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import olm.account
import olm.pk
import pytest

from dpobot.matrix.directory import UserKeys
from dpobot.matrix.identity import Identity
from dpobot.matrix.signatures import canonical
from dpobot.matrix.trust import cross_signing_key, is_cross_signed, judge
from dpobot.model.records import CryptoOrigin
from dpobot.model.words import Trust

VIC = "@vic:example.org"
SEEDS = {"master": bytes([1]) * 32, "self_signing": bytes([2]) * 32, "user_signing": bytes([3]) * 32}


def people() -> tuple[Identity, dict[str, Any], CryptoOrigin]:
    """An identity, a device that libolm made and that signed itself, and where its messages come from."""
    account = olm.account.Account()
    own = account.identity_keys
    device: dict[str, Any] = {
        "user_id": VIC,
        "device_id": "PHONE",
        "algorithms": [],
        "keys": {"ed25519:PHONE": own["ed25519"], "curve25519:PHONE": own["curve25519"]},
    }
    device["signatures"] = {VIC: {"ed25519:PHONE": account.sign(canonical(device).decode())}}
    return Identity(VIC, SEEDS), device, CryptoOrigin(own["curve25519"], own["ed25519"], "session")


def signed(identity: Identity, device: dict[str, Any]) -> dict[str, Any]:
    """The device with both signatures."""
    merged = deepcopy(device)
    merged["signatures"][VIC] |= identity.sign_device(device)["signatures"][VIC]
    return merged


def keys(identity: Identity, device: dict[str, Any]) -> UserKeys:
    return UserKeys(identity.public("master"), identity.public("self_signing"), {"PHONE": device})


def test_a_signed_device_is_signed() -> None:
    """All links hold."""
    identity, device, origin = people()
    answer = judge(VIC, keys(identity, signed(identity, device)), origin, None)
    assert (answer.trust, answer.master_key) == (Trust.SIGNED, identity.master)
    assert judge(VIC, keys(identity, signed(identity, device)), origin, identity.master) == answer


def test_the_keys_equal_those_of_libolm() -> None:
    """The published self-signing key bears the signature that libolm's master key would give."""
    identity = Identity(VIC, SEEDS)
    master = olm.pk.PkSigning(SEEDS["master"])
    published = identity.public("self_signing")
    assert published["signatures"] == {
        VIC: {f"ed25519:{master.public_key}": master.sign(canonical(published).decode())}
    }


def test_another_master_key_than_the_pinned_one_is_a_changed_identity() -> None:
    """Only a device that is otherwise signed can show a changed identity."""
    identity, device, origin = people()
    assert judge(VIC, keys(identity, signed(identity, device)), origin, "other").trust is Trust.IDENTITY_CHANGED
    assert judge(VIC, keys(identity, device), origin, "other").trust is Trust.UNSIGNED


def test_a_device_without_its_owners_signature_is_unsigned() -> None:
    """No cross-signing at all, or not yet for this device."""
    identity, device, origin = people()
    assert judge(VIC, keys(identity, device), origin, None).trust is Trust.UNSIGNED
    assert judge(VIC, UserKeys(None, None, {"PHONE": device}), origin, None).trust is Trust.UNSIGNED


def test_a_self_signing_key_without_its_masters_signature_proves_nothing() -> None:
    """A key that only claims to belong to the master key is worth nothing."""
    identity, device, _ = people()
    other = Identity.new(VIC)
    good = signed(other, device)
    forged = UserKeys(identity.public("master"), other.public("self_signing"), {"PHONE": good})
    bare = other.public("self_signing")
    del bare["signatures"]
    assert not is_cross_signed(VIC, forged, good)
    assert not is_cross_signed(VIC, UserKeys(other.public("master"), bare, {"PHONE": good}), good)


def test_an_altered_device_is_not_signed() -> None:
    """The signature is over the keys: exchange one and it is void."""
    identity, device, _ = people()
    altered = signed(identity, device)
    altered["keys"]["curve25519:PHONE"] = olm.account.Account().identity_keys["curve25519"]
    assert not is_cross_signed(VIC, keys(identity, altered), altered)


@pytest.mark.parametrize("field", ["sender_key", "signing_key"])
def test_a_session_with_other_keys_belongs_to_no_device(field: str) -> None:
    """Both keys of the session must be those of one device of the sender."""
    identity, device, origin = people()
    other = replace(origin, sender_key="x") if field == "sender_key" else replace(origin, signing_key="x")
    assert judge(VIC, keys(identity, signed(identity, device)), other, None).trust is Trust.MISMATCH


def test_a_device_that_did_not_sign_itself_is_nobodys() -> None:
    """Else somebody could list another one's identity key as their own."""
    identity, device, origin = people()
    stolen = signed(identity, device)
    del stolen["signatures"][VIC]["ed25519:PHONE"]
    assert judge(VIC, keys(identity, stolen), origin, None).trust is Trust.MISMATCH


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"user_id": VIC},
        {"user_id": "@eve:example.org", "usage": ["master"], "keys": {"ed25519:A": "A"}},
        {"user_id": VIC, "usage": "master", "keys": {}},
        {"user_id": VIC, "usage": ["master"], "keys": []},
        {"user_id": VIC, "usage": ["master"], "keys": {"ed25519:A": "A"}},
        {"user_id": VIC, "usage": ["master"], "keys": {"ed25519:A": 7}},
        {"user_id": VIC, "usage": ["self_signing"], "keys": {"ed25519:" + "A" * 43: "A" * 43}},
    ],
)
def test_malformed_cross_signing_keys_are_no_keys(value: dict[str, Any] | None) -> None:
    """Whatever the server hands on, the answer is None."""
    assert cross_signing_key(VIC, value, "master") is None

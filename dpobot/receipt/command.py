"""`dpobot verify` and `dpobot receipt-key`: what they read, and what they say."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dpobot.config import Config
from dpobot.errors import ConfigurationError
from dpobot.model.records import Reply
from dpobot.receipt import check, codes, key, page, reasons
from dpobot.receipt.check import Checked, ReceiptError
from dpobot.text.render import Renderer

VALID, NOT_VALID = 0, 1
MOST_BYTES = 4_000_000  # of the page that holds a receipt
VERIFY = (
    "Checks the receipt of an erasure without any network: is it, to the last sign, what was signed? Says what it"
    " says: when what was erased, how much, what is left and why. FILE: the receipt, or the page that it came in."
    " Without --key the key of this installation is taken, from its data folder; so whoever else checks names the key"
    f" that is published at {page.WELL_KNOWN}. Exits with 0 if the receipt is valid (and, with --subject, about that"
    " user), 1 if it is not, 2 if it can't be checked."
)
KEY = (
    "Prints the JSON document with the public key that receipts of erasures are checked with. Publish it beside"
    f" /.well-known/matrix/support, at {page.WELL_KNOWN}; after a change of the key the former one stays in it, so that"
    " receipts that were signed with it can still be checked."
)


def verify(
    renderer: Renderer, file: Path, named: str | None, config: Config | None, subject: tuple[str, str] | None
) -> int:
    """Print what a receipt says, or why it is not good; return the exit status.

    ``named``: a public key, or a file with one or with published keys; else the key in ``config``'s data folder.
    ``subject``: code and user ID. Raises `ConfigurationError` if there is nothing to check, or nothing to check with.
    """
    try:
        text = page.document_in(_read(file))
        checked = check.verify(text, _key(text, named, config))
    except ReceiptError as error:
        if error.code == "bad_key":  # that says nothing about the receipt
            raise ConfigurationError(["verify: that is no public key: one is 43 letters, digits and signs"]) from error
        _say(renderer, "receipt/problem", {"code": error.code})
        return NOT_VALID
    owner = None if subject is None else _is_about(checked, *subject)
    _say(renderer, "receipt/verdict", _shown(checked, owner))
    return NOT_VALID if owner is False else VALID


def published(publics: Mapping[str, str]) -> str:
    """Return the document to publish: public keys by their names."""
    keys = {name: {"algorithm": "ed25519", "key": public} for name, public in publics.items()}
    return json.dumps({"receipt_keys": keys}, indent=2)


def _key(text: str, named: str | None, config: Config | None) -> str:
    """Return the key to check with; of several that are published, the one that the receipt names."""
    if named is None:
        if config is None:
            raise ConfigurationError(["verify: name the public key with --key, or the installation with --config"])
        own = key.load(config.data.directory, config.data.receipt_key_file)
        return own.publics.get(check.key_id_in(text), own.public)
    if not _is_file(named):
        return named
    content = _read(Path(named))
    try:
        keys = json.loads(content)["receipt_keys"]
        found = {name: str(each["key"]) for name, each in keys.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return content
    known = found.get(check.key_id_in(text))
    if known is None:
        raise ReceiptError("unknown_key")
    return known


def _is_file(named: str) -> bool:
    try:
        return Path(named).is_file()
    except OSError:  # a name longer than any file's
        return False


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigurationError([f"{file}: can't be read ({error.strerror})"]) from error
    if len(content) > MOST_BYTES:
        raise ReceiptError("not_json")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ReceiptError("not_json") from error


def _is_about(checked: Checked, code: str, user_id: str) -> bool:
    certain = codes.normalised(code)
    return certain is not None and codes.subject_of(certain, user_id) == checked.subject


def _shown(checked: Checked, owner: bool | None) -> Mapping[str, Any]:
    order = {name: number for number, name in enumerate(page.TIMES)}
    return {
        "case": checked.case,
        "plan_hash": checked.plan,
        "notice": checked.notice,
        "key_id": checked.key_id,
        "times": sorted(checked.times.items(), key=lambda each: order.get(each[0], len(order))),
        "counts": list(checked.counts.items()),
        "groups": reasons.grouped(checked.residuals),
        "owner": owner,
    }


def _say(renderer: Renderer, template: str, values: Mapping[str, Any]) -> None:
    print(renderer.message(Reply(template, values), "en")["body"])

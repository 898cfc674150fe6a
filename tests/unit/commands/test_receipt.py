"""`receipt CODE`: from any account, and to nobody without the code."""

from datetime import timedelta

import pytest

from dpobot.commands.user.receipt import GUESSES_COUNT_FOR, MOST_GUESSES
from dpobot.model.erasure import Residual
from dpobot.model.ids import UserId
from dpobot.model.words import Trust
from dpobot.receipt import check, codes, document, page
from dpobot.store import receipts
from dpobot.store.database import Tx
from tests.unit.commands.conftest import KEY, START, Person

CODE = "ABCD-EFGH-JKLM-NPQR-STUV"
OTHER = "2345-6789-ABCD-EFGH-JKLM"
CASE = "DPO-2026-0042"


def _document(*residuals: Residual) -> str:
    return document.build(
        KEY,
        case=CASE,
        plan="0" * 64,
        counts={"messages": 12},
        residuals=residuals,
        times={"erased": START},
        notice="2026-11-22",
        subject=codes.subject_of(CODE, "@gone:example.org"),
    )


async def _keep(person: Person, code: str = CODE, *, text: str | None) -> None:
    async def kept(tx: Tx) -> None:
        case_id = 42 if code == CODE else 43
        await receipts.promise(tx, codes.code_hash(code), case_id, START)
        if text is not None:
            await receipts.sign(tx, case_id, text, START)

    await person.database.write(kept)


@pytest.mark.parametrize("trust", [Trust.SIGNED, Trust.UNSIGNED, Trust.IDENTITY_CHANGED, Trust.UNKNOWN])
@pytest.mark.parametrize("user_id", ["@ada:example.org", "@new:elsewhere.example"])
async def test_any_account_gets_the_receipt_by_its_code(ada: Person, trust: Trust, user_id: str) -> None:
    """Also one on another server, from a device that nobody has verified: the erased account is gone."""
    text = _document()
    await _keep(ada, text=text)
    ada.user_id, ada.trust, ada.local = UserId(user_id), trust, False
    receipt, shown = await ada.says(f"receipt {CODE}")
    assert (receipt.template, shown.template) == ("receipt", "receipt_page")
    assert receipt.attachment is not None
    assert (receipt.attachment.name, receipt.attachment.data.decode()) == (f"receipt-{CASE}.json", text)
    assert check.verify(receipt.attachment.data.decode(), KEY.public).case == CASE
    assert shown.attachment is not None
    assert page.document_in(shown.attachment.data.decode()) == text


@pytest.mark.parametrize(
    "said",
    [
        "receipt abcd-efgh-jklm-npqr-stuv", "Quittung ABCD EFGH JKLM NPQR STUV", "!dpo receipt ABCDEFGHJKLMNPQRSTUV",
        CODE, "abcd-efgh-jklm-npqr-stuv\n",
    ],
)  # fmt: skip
async def test_however_the_code_is_typed(ada: Person, said: str) -> None:
    """Small letters, blanks instead of dashes, or none; or pasted alone."""
    await _keep(ada, text=_document())
    assert await ada.hears(said) == ["receipt", "receipt_page"]


async def test_what_is_left_is_said_first(ada: Person) -> None:
    """That there is something; the list is in the receipt."""
    await _keep(ada, text=_document())
    (clean, _) = await ada.says(f"receipt {CODE}")
    await _keep(ada, OTHER, text=_document(Residual("messages", 3, "other_servers")))
    (left, _) = await ada.says(f"receipt {OTHER}")
    assert "Nothing is left." in str(ada.renderer.message(clean, "en")["body"])
    assert "what is left, and why" in str(ada.renderer.message(left, "en")["body"])


async def test_before_the_end_there_is_none(ada: Person) -> None:
    """The code is right; it is said when to come back, and nothing is counted against who asks."""
    await _keep(ada, text=None)
    for _ in range(MOST_GUESSES + 1):
        assert await ada.hears(f"receipt {CODE}") == ["receipt_not_ready"]


async def test_an_unknown_code_says_no_more(ada: Person) -> None:
    """Neither whether there are others, nor whose."""
    await _keep(ada, text=_document())
    (reply,) = await ada.says(f"receipt {OTHER}")
    assert (reply.template, dict(reply.values), reply.attachment) == ("receipt_unknown", {}, None)


@pytest.mark.parametrize(("said", "anything"), [("receipt", False), ("receipt ABC", True), ("receipt 0O1I", True)])
async def test_what_can_not_be_a_code_is_no_guess(ada: Person, said: str, anything: bool) -> None:
    """It is said what one looks like."""
    (reply,) = await ada.says(said)
    assert (reply.template, reply.values["said"]) == ("refusal_receipt_no_code", anything)


async def test_codes_can_not_be_tried_out(ada: Person, bob: Person) -> None:
    """After ten wrong ones within an hour not even the right one counts, for this sender."""
    await _keep(ada, text=_document())
    for number in range(MOST_GUESSES):
        ada.waits(timedelta(minutes=1))
        assert await ada.hears(f"receipt {OTHER}") == ["receipt_unknown"], number
    (reply,) = await ada.says(f"receipt {CODE}")
    first = START + timedelta(minutes=1)
    assert (reply.template, reply.values["until"]) == ("refusal_receipt_too_many", first + GUESSES_COUNT_FOR)
    assert await bob.hears(f"receipt {CODE}") == ["receipt", "receipt_page"]
    ada.now = first + GUESSES_COUNT_FOR
    assert await ada.hears(f"receipt {CODE}") == ["receipt", "receipt_page"]


async def test_a_right_code_does_not_wipe_the_wrong_ones_out(ada: Person) -> None:
    """Else somebody with one receipt could try codes for ever."""
    await _keep(ada, text=_document())
    for _ in range(MOST_GUESSES - 1):
        await ada.hears(f"receipt {OTHER}")
    assert await ada.hears(f"receipt {CODE}") == ["receipt", "receipt_page"]
    assert await ada.hears(f"receipt {OTHER}") == ["receipt_unknown"]
    assert await ada.hears(f"receipt {OTHER}") == ["refusal_receipt_too_many"]


async def test_the_code_is_not_said_in_clear(ada: Person) -> None:
    """The room must be encrypted."""
    await _keep(ada, text=_document())
    assert await ada.hears(f"receipt {CODE}", encrypted=False) == ["refusal_unencrypted_room"]

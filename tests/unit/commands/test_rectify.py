"""`rectify`: what the homeserver itself can put right is asked for in a set form; all else goes to people."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpobot.commands import corrections
from dpobot.commands.corrections import AVATAR, EMAIL, MOST_OF_A_NAME, NAME, PICTURE, Correction
from dpobot.errors import Refusal
from dpobot.model.words import CaseState, Kind, Trust
from dpobot.store import rectifications
from tests.unit.commands.conftest import Person


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("display name Ada Lovelace", Correction(NAME, None, "Ada Lovelace")),
        ("Display name: Ada", Correction(NAME, None, "Ada")),
        ("display name : Ada", Correction(NAME, None, "Ada")),
        ("displayname to Ada", Correction(NAME, None, "Ada")),
        ('display name "to be"', Correction(NAME, None, "to be")),
        ("display name: is", Correction(NAME, None, "is")),
        ("Anzeigename auf „Ada L.“", Correction(NAME, None, "Ada L.")),
        ("nom d\u2019affichage en Ada", Correction(NAME, None, "Ada")),
        ("display name \U0001f469\u200d\U0001f4bb Ada  B", Correction(NAME, None, "\U0001f469\u200d\U0001f4bb Ada  B")),
        ("avatar", Correction(AVATAR, None, PICTURE)),
        ("Profilbild!", Correction(AVATAR, None, PICTURE)),
        ("avatar remove", Correction(AVATAR, None, None)),
        ("photo de profil supprimer", Correction(AVATAR, None, None)),
        ("email old@a.example new@b.example", Correction(EMAIL, "old@a.example", "new@b.example")),
        ("e-mail from <old@a.example> to new@b.example.", Correction(EMAIL, "old@a.example", "new@b.example")),
        ("E-Mail-Adresse: a+b@a.example -> c@b.example", Correction(EMAIL, "a+b@a.example", "c@b.example")),
    ],
)
def test_a_set_form_is_understood(said: str, expected: Correction) -> None:
    """In three languages, with the small words that people put between."""
    assert corrections.correction(said) == expected


@pytest.mark.parametrize(
    "said",
    [
        "", "my birthday is wrong", "display name is wrong in your list", "avatar of somebody else is shown for me",
        "email is not mine", "name Ada", "mail to somebody else",
    ],
)  # fmt: skip
def test_other_words_are_for_people(said: str) -> None:
    """Also when they only begin like a set form."""
    assert corrections.correction(said) is None


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("display name", "rectify_no_name"),
        ("display name:", "rectify_no_name"),
        ('display name ""', "rectify_no_name"),
        ("display name " + "x" * (MOST_OF_A_NAME + 1), "rectify_long_name"),
        ("display name Ada\nDPO", "rectify_odd_name"),
        ("display name Ada\u202eecalevoL", "rectify_odd_name"),
        ("display name dpo\u200b", "rectify_odd_name"),
        ("display name \u2067Ada\u2069", "rectify_odd_name"),
        ("email", "rectify_two_addresses"),
        ("email new@b.example", "rectify_two_addresses"),
        ("email a@a.example b@b.example c@c.example", "rectify_two_addresses"),
        ("email a@a.example b@nowhere", "rectify_no_address"),
        ("email a@@a.example b@b.example", "rectify_no_address"),
        ("email a@a.example b@b..example", "rectify_no_address"),
        ("email a@a.example " + "b" * 250 + "@b.example", "rectify_no_address"),
        ("email a@a.example A@a.example", "rectify_same_address"),
    ],
)
async def test_what_can_not_be_is_refused_with_a_sentence(ada: Person, said: str, code: str) -> None:
    """No case is opened for it."""
    with pytest.raises(Refusal, match=code):
        corrections.correction(said)
    assert await ada.hears(f"rectify {said}") == [f"refusal_{code}"]
    assert await ada.cases() == []


@given(st.text(), st.sampled_from(["", "display name ", "avatar ", "email ", "e-mail: a@a.example ", "nom affiché\n"]))
def test_any_words_have_an_answer(words: str, field: str) -> None:
    """A correction, a refusal with a sentence, or people; and no name holds what can't be seen."""
    found = None
    with suppress(Refusal):
        found = corrections.correction(field + words)
    if found is not None and found.field == NAME:
        assert found.new is not None
        assert 0 < len(found.new) <= MOST_OF_A_NAME
        assert not set(found.new) & set("\n\r\u202e\u200b\u2028\x00")


def test_the_longest_name_may_be() -> None:
    """As long as the homeserver takes it."""
    name = "x" * MOST_OF_A_NAME
    assert corrections.correction(f"display name {name}") == Correction(NAME, None, name)


@pytest.mark.parametrize(
    ("said", "field", "values"),
    [
        ("display name Ada", NAME, {"old": None, "new": "Ada"}),
        ("avatar", AVATAR, {"old": None, "new": PICTURE}),
        ("avatar remove", AVATAR, {"old": None, "new": None}),
        ("email a@a.example b@b.example", EMAIL, {"old": "a@a.example", "new": "b@b.example"}),
    ],
)
async def test_it_waits_for_staff(ada: Person, said: str, field: str, values: dict[str, str | None]) -> None:
    """What is to be put right is kept sealed; the case says only which field."""
    (reply,) = await ada.says(f"rectify {said}")
    case = await ada.case()
    assert (reply.template, case.kind, case.state) == ("request_correction", Kind.RECTIFICATION, CaseState.REVIEW)
    assert dict(case.options) == {"field": field}
    kept = await ada.read(lambda tx: rectifications.get(tx, case.id))
    assert kept is not None
    assert (kept.field, dict(kept.values)) == (field, values)
    assert await ada.words_of(case) == []


async def test_the_answer_shows_what_was_understood(ada: Person) -> None:
    """So that a mistake is seen at once, and can be taken back."""
    (reply,) = await ada.says("rectify display name: Ada <b>Lovelace</b>")
    body = str(ada.renderer.message(reply, "en")["body"])
    assert "You want your display name to be “Ada <b>Lovelace</b>”." in body
    assert f"cancel {(await ada.case()).reference}" in body


async def test_a_picture_goes_into_its_case(ada: Person) -> None:
    """As evidence does; the newest one counts."""
    await ada.hears("complaint x")
    await ada.hears("rectify avatar")
    await ada.sends("old.png")
    await ada.sends("new.png")
    assert await ada.files_of((await ada.cases())[-1]) == ["old.png", "new.png"]


async def test_the_same_field_twice_is_open_already(ada: Person) -> None:
    """What staff may be deciding about does not change under their hands; another field is another case."""
    await ada.hears("rectify display name Ada")
    (reply,) = await ada.says("rectify display name Eve")
    assert (reply.template, reply.values["reference"]) == ("refusal_already_open", (await ada.case()).reference)
    assert await ada.hears("rectify avatar") == ["request_correction"]
    assert len(await ada.cases()) == 2


async def test_words_for_people_get_a_case_of_their_own(ada: Person) -> None:
    """One that the homeserver is to carry out would end without anybody reading them."""
    await ada.hears("rectify display name Ada")
    assert await ada.hears("rectify my birthday is wrong") == ["request_rectification"]
    assert await ada.hears("rectify my town as well") == ["free_text_added"]
    first, second = await ada.cases()
    assert (await ada.words_of(first), await ada.words_of(second)) == ([], ["my birthday is wrong", "my town as well"])


async def test_an_unverified_device_is_told_so(ada: Person) -> None:
    """Its request never touches a verified one."""
    await ada.hears("rectify display name Ada")
    ada.trust = Trust.UNSIGNED
    (reply,) = await ada.says("rectify display name Eve")
    assert reply.template == "request_correction"
    assert "is not verified" in str(ada.renderer.message(reply, "en")["body"])
    assert len(await ada.cases()) == 2


async def test_an_account_elsewhere_is_not_ours_to_change(ada: Person) -> None:
    """The words go to people, with the hint whom to ask."""
    ada.local = False
    assert await ada.hears("rectify display name Ada") == ["request_rectification"]
    case = await ada.case()
    assert (case.options.get("field"), await ada.words_of(case)) == (None, ["display name Ada"])

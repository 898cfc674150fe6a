"""Is what the notice promises set up at the homeserver? Good, bad and missing values of each setting."""

from typing import Any

import pytest

from dpobot.check import retention
from dpobot.check.finding import Standing, unseen
from tests.unit.check.places import named, place

OK, WARNING, FAILED, UNSEEN = Standing.OK, Standing.WARNING, Standing.FAILED, Standing.UNSEEN

CASES: list[tuple[str, dict[str, Any], Standing, str]] = [
    ("redacted content", {}, OK, "after 7 days; at most 662,400 redactions"),
    ("redacted content", {"redaction_retention_period": "29d"}, OK, "at most 28,800 redactions"),
    ("redacted content", {"redaction_retention_period": "30d"}, FAILED, "for 30 days"),
    ("redacted content", {"redaction_retention_period": None}, FAILED, "for ever"),
    ("redacted content", {"redaction_retention_period": "soon"}, FAILED, "not a duration"),
    ("forgotten rooms", {}, FAILED, "stays for ever"),
    ("forgotten rooms", {"forgotten_room_retention_period": "28d"}, OK, "deleted after 28 days"),
    ("forgotten rooms", {"forgotten_room_retention_period": "5w"}, FAILED, "stays for 35 days"),
    ("forgotten rooms", {"forgotten_room_retention_period": "1h"}, OK, "deleted after 1:00:00"),
    ("old messages", {}, OK, "any age"),
    ("old messages", {"redaction_allowed_period": "1d"}, FAILED, "older than 1 day"),
    ("second store", {}, OK, "own store only"),
    ("second store", {"media_storage_providers": []}, OK, "own store only"),
    ("second store", {"media_storage_providers": [{"module": "s3"}]}, FAILED, "never deletes any"),
    ("second store", {"backup_media_store_path": "/backup"}, FAILED, "never deletes any"),
    ("copies from elsewhere", {}, WARNING, "for ever"),
    ("copies from elsewhere", {"media_retention": {"remote_media_lifetime": "90d"}}, WARNING, "for 90 days"),
    ("copies from elsewhere", {"media_retention": {"remote_media_lifetime": "14d"}}, OK, "after 14 days"),
    ("copies from elsewhere", {"media_retention": {"remote_media_lifetime": "x"}}, FAILED, "not a duration"),
    ("search index", {}, WARNING, "keeps the words"),
    ("search index", {"enable_search": False}, OK, "no search index"),
    ("internet addresses", {}, OK, "for 28 days; the notice says at most 180 days"),
    ("internet addresses", {"user_ips_max_age": None}, FAILED, "for ever"),
    ("internet addresses", {"user_ips_max_age": "1y"}, FAILED, "for 365 days"),
    ("message retention", {}, OK, "until somebody redacts"),
    ("message retention", {"retention": {"enabled": True}}, OK, "where a room says so"),
    (
        "message retention",
        {"retention": {"enabled": True, "default_policy": {"max_lifetime": "1y"}}},
        OK,
        "after 365 days where no room",
    ),
    ("traces of acting", {}, OK, "no trace"),
    ("traces of acting", {"track_puppeted_user_ips": True}, WARNING, "recorded as theirs"),
    ("logs", {}, UNSEEN, "no logs"),
    ("backups", {}, UNSEEN, "no backups"),
]


@pytest.mark.parametrize(("name", "values", "standing", "said"), CASES)
async def test_a_setting_is_judged(name: str, values: dict[str, Any], standing: Standing, said: str) -> None:
    """What needs something done says what; what is good asks for nothing."""
    answer = await named(retention.CHECKS, name).look(place(values))
    assert (answer.standing, said in answer.sentence, answer.cure == "") == (standing, True, standing is OK)


def test_every_check_is_tried() -> None:
    """A new check comes with its good and its bad value here."""
    assert {name for name, *_ in CASES} == {check.name for check in retention.CHECKS}


async def test_the_notice_is_what_addresses_are_measured_by() -> None:
    """An operator who promises less must keep less."""
    answer = await named(retention.CHECKS, "internet addresses").look(place({}, log_days=14))
    assert (answer.standing, "the notice says 14 days" in answer.cure) == (FAILED, True)


async def test_settings_out_of_sight_say_what_to_look_for() -> None:
    """Each names its key: an admin can look by hand."""
    dark = place(unseen("the file is closed", "Let us read it"))
    answers = {check.name: await check.look(dark) for check in retention.CHECKS}
    assert {answer.standing for answer in answers.values()} == {UNSEEN}
    cure = answers["forgotten rooms"].cure
    assert cure == (
        "look into homeserver.yaml: forgotten_room_retention_period is to be there, and less than 30d. Let us read it"
    )

"""Public holidays and the time zone of the operator's country: what moves deadlines.

Only holidays of the whole country count. Regional ones would make a deadline later for some, never earlier: leaving
them out is the safe side.
"""

from collections.abc import Collection
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays as calendars

# One zone a country: the seat of its government. Countries outside Europe count in UTC.
_ZONES = {
    "AT": "Europe/Vienna",
    "BE": "Europe/Brussels",
    "BG": "Europe/Sofia",
    "CH": "Europe/Zurich",
    "CY": "Asia/Nicosia",
    "CZ": "Europe/Prague",
    "DE": "Europe/Berlin",
    "DK": "Europe/Copenhagen",
    "EE": "Europe/Tallinn",
    "ES": "Europe/Madrid",
    "FI": "Europe/Helsinki",
    "FR": "Europe/Paris",
    "GB": "Europe/London",
    "GR": "Europe/Athens",
    "HR": "Europe/Zagreb",
    "HU": "Europe/Budapest",
    "IE": "Europe/Dublin",
    "IS": "Atlantic/Reykjavik",
    "IT": "Europe/Rome",
    "LI": "Europe/Vaduz",
    "LT": "Europe/Vilnius",
    "LU": "Europe/Luxembourg",
    "LV": "Europe/Riga",
    "MT": "Europe/Malta",
    "NL": "Europe/Amsterdam",
    "NO": "Europe/Oslo",
    "PL": "Europe/Warsaw",
    "PT": "Europe/Lisbon",
    "RO": "Europe/Bucharest",
    "SE": "Europe/Stockholm",
    "SI": "Europe/Ljubljana",
    "SK": "Europe/Bratislava",
}
_HORIZON = timedelta(days=120)  # a deadline and the holidays right after it lie well within


def zone_of(country: str) -> ZoneInfo:
    """Return the zone in which a country's (ISO 3166) deadlines are counted."""
    return ZoneInfo(_ZONES.get(country, "UTC"))


def holidays_after(day: date, country: str) -> Collection[date]:
    """Return a country's public holidays of the months after ``day``; none if the library doesn't know it.

    The first call for a country and year takes most of a second: the service makes it before anybody waits for it.
    """
    return _holidays(country, day.year, (day + _HORIZON).year)


@lru_cache(maxsize=16)
def _holidays(country: str, first_year: int, last_year: int) -> frozenset[date]:
    try:
        return frozenset(calendars.country_holidays(country, years=range(first_year, last_year + 1)))
    except NotImplementedError:
        return frozenset()

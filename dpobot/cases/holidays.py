"""Public holidays and the time zone of the operator's country: what moves deadlines.

Only holidays of the whole country count. Regional ones would make a deadline later for some, never earlier: leaving
them out is the safe side.
"""

import asyncio
import json
import sys
from collections.abc import Collection
from datetime import date, timedelta
from zoneinfo import ZoneInfo

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
_YEARS_AHEAD = 3
_HORIZON = timedelta(days=120)  # a deadline and the holidays right after it lie well within


def zone_of(country: str) -> ZoneInfo:
    """Return the zone in which a country's (ISO 3166) deadlines are counted."""
    return ZoneInfo(_ZONES.get(country, "UTC"))


def holidays_after(day: date, country: str) -> Collection[date]:
    """Return a country's public holidays of the months after ``day``; none if the library doesn't know it."""
    years = range(day.year, (day + _HORIZON).year + 1)
    return frozenset().union(*(_of_year(country, year) for year in years))


async def prepare(day: date, country: str) -> None:
    """Learn the holidays of the years to come from a child process, before anybody waits for them.

    The library loads every country in the world: most of a second, and memory that a service would never give back.
    What was not learnt here is asked of it all the same.
    """
    years = [str(year) for year in range(day.year, day.year + _YEARS_AHEAD)]
    command = (sys.executable, "-m", "dpobot.cases.holidays", country, *years)
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    answer, _ = await child.communicate()
    if child.returncode == 0:
        learnt = json.loads(answer)
        _learnt.update(
            {(country, int(year)): frozenset(map(date.fromisoformat, days)) for year, days in learnt.items()}
        )


def _of_year(country: str, year: int) -> frozenset[date]:
    if (country, year) not in _learnt:
        _learnt[country, year] = _ask_library(country, year)
    return _learnt[country, year]


def _ask_library(country: str, year: int) -> frozenset[date]:
    import holidays  # costs 15 MB: only the child process pays for it, or who was never prepared

    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()


_learnt: dict[tuple[str, int], frozenset[date]] = {}


if __name__ == "__main__":
    found = {year: sorted(_ask_library(sys.argv[1], int(year))) for year in sys.argv[2:]}
    json.dump({year: [day.isoformat() for day in days] for year, days in found.items()}, sys.stdout)

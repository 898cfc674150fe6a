"""What the configuration says of decisions and deadlines, and the deadlines that follow for one case."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from dpobot.cases import deadlines, holidays
from dpobot.model.words import Kind


@dataclass(frozen=True, slots=True)
class Rules:
    """``approve``: kinds that need no decision of staff; ``country`` is an ISO 3166 code."""

    approve: frozenset[Kind] = field(default_factory=frozenset)
    jurisdiction: deadlines.Jurisdiction = "uk"
    country: str = "GB"

    def local_date(self, moment: datetime) -> date:
        """Return the date that a moment has where the operator is."""
        return moment.astimezone(holidays.zone_of(self.country)).date()

    def due(self, received_at: datetime) -> datetime:
        """Return by when a request must be answered (UTC)."""
        free = holidays.holidays_after(self.local_date(received_at), self.country)
        return deadlines.due(received_at, self.jurisdiction, free, holidays.zone_of(self.country))

    def extended(self, received_at: datetime, months: int, days_paused: int) -> datetime:
        """Return the same after an extension, for a case that has waited for the person that many days."""
        zone, free = holidays.zone_of(self.country), holidays.holidays_after(self.local_date(received_at), self.country)
        without = deadlines.extended(received_at, months, self.jurisdiction, free, zone)
        later = holidays.holidays_after(self.local_date(without) + timedelta(days=days_paused), self.country)
        return deadlines.later(without, days_paused, later, zone)

    def after_pause(self, due_at: datetime, paused_at: datetime, resumed_at: datetime) -> datetime:
        """Return the same after a pause."""
        last = self.local_date(due_at) + timedelta(days=self.days_paused(paused_at, resumed_at))
        free = holidays.holidays_after(last, self.country)
        return deadlines.after_pause(due_at, paused_at, resumed_at, free, holidays.zone_of(self.country))

    def days_paused(self, paused_at: datetime, resumed_at: datetime) -> int:
        """Return how many days a pause lasted."""
        return deadlines.days_paused(paused_at, resumed_at, holidays.zone_of(self.country))

    def acknowledge_by(self, received_at: datetime) -> datetime | None:
        """Return by when a complaint must be acknowledged (UTC), None where no law says so."""
        return deadlines.acknowledge_by(received_at, self.jurisdiction, holidays.zone_of(self.country))

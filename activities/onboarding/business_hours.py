"""Deadlines in the hours of those who have to meet them: offices, their clocks, their holidays."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays

from workflows.onboarding.review import Office, ReviewPolicy

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ONE_DAY = timedelta(days=1)


class NoSuchOffice(ValueError):
    """An office names a country, a part of one or a time zone that nobody knows."""


class BusinessHours:
    """The hours that an office is open.

    Raises NoSuchOffice for a country, a subdivision or a time zone that nobody knows.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        try:
            self._zone = ZoneInfo(office.time_zone)
        except (LookupError, ValueError, OSError):
            raise NoSuchOffice(f"there is no time zone {office.time_zone}") from None
        try:
            # Years are added as they are asked for.
            self._holidays = holidays.country_holidays(office.country, subdiv=office.subdivision)
        except NotImplementedError as unknown:
            raise NoSuchOffice(str(unknown)) from None

    def after(self, start: datetime, hours: float) -> datetime:
        """The moment when the office has been open for so many hours since `start`, in UTC.

        No hours end where they begin, open or not. An hour is an hour: where clocks change while
        the office is open, its day is longer or shorter.
        """
        left = timedelta(hours=hours)
        at = start.astimezone(UTC)
        day = at.astimezone(self._zone).date()
        while left > timedelta(0):
            if self._is_open_on(day):
                opens, closes = self._open_on(day)
                begun = max(at, opens)
                if begun + left <= closes:
                    return begun + left
                left -= max(closes - begun, timedelta(0))
            day += _ONE_DAY
        return at

    def _is_open_on(self, day: date) -> bool:
        works = _WEEKDAYS[day.weekday()] in self._office.working_days
        return works and day not in self._holidays

    def _open_on(self, day: date) -> tuple[datetime, datetime]:
        """From when to when, in UTC: what lies between two local times cannot be subtracted."""
        opens, closes = (
            datetime.combine(day, clock, tzinfo=self._zone).astimezone(UTC)
            for clock in (self._office.opens, self._office.closes)
        )
        return opens, closes


class ReviewHours:
    """When reviews are due, by the country of the applicant. Raises NoSuchOffice.

    Without a policy there are no offices, and every hour counts.
    """

    def __init__(self, policy: ReviewPolicy | None) -> None:
        self._an_hour = timedelta(hours=1) if policy is None else policy.an_hour_takes
        offices = policy.offices if policy else ()
        self._offices = [(office, BusinessHours(office)) for office in offices]

    def after(self, start: datetime, hours: float, *, country: str) -> datetime:
        """The moment when so many hours of business have passed for an applicant of `country`."""
        if self._an_hour is not None:
            return start + hours * self._an_hour
        for office, open_hours in self._offices:
            if country in office.applicants_from or not office.applicants_from:
                return open_hours.after(start, hours)
        raise AssertionError("the last office looks at every country")

"""The days on which the bank books: weekdays but the holidays of the euro's own calendar."""

from datetime import date, timedelta
from functools import cache

import holidays

ONE_DAY = timedelta(days=1)


@cache
def _closed(year: int) -> frozenset[date]:
    return frozenset(holidays.financial_holidays("ECB", years=year))


def is_business_day(day: date) -> bool:
    """Whether the bank books on that day."""
    return day.weekday() < 5 and day not in _closed(day.year)


def business_day_after(day: date, number: int = 1) -> date:
    """The business day that is `number` after a day; with 0 the day itself or the next."""
    while number > 0 or not is_business_day(day):
        day += ONE_DAY
        if is_business_day(day):
            number -= 1
    return day

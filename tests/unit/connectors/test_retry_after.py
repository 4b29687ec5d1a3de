"""When to ask again, as answers say it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from connectors.http_api import retry_after


@pytest.mark.parametrize(
    ("told", "pause"),
    [
        ("7", timedelta(seconds=7)),
        ("0.5", timedelta(seconds=0.5)),
        (" 3 ", timedelta(seconds=3)),
        ("-1", timedelta(0)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", timedelta(0)),
        ("1e400", None),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
def test_seconds_or_a_time_or_nothing(told: str, pause: timedelta | None) -> None:
    assert retry_after(httpx.Response(503, headers={"Retry-After": told})) == pause


def test_a_time_to_come_is_a_pause_until_then() -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)
    pause = retry_after(httpx.Response(503, headers={"Retry-After": then}))
    assert pause is not None
    assert timedelta(seconds=55) < pause <= timedelta(seconds=60)


def test_who_says_nothing_leaves_it_to_us() -> None:
    assert retry_after(httpx.Response(503)) is None

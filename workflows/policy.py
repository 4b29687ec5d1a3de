"""How long things may take: the shape of the policy files in `rules/`.

A process reads its policy in its first step and keeps it, version included, for its whole life:
a changed file concerns the processes that start after it.
"""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from workflows.request_key import Message

_DURATION = re.compile(r"(\d+(?:\.\d+)?) (second|minute|hour|day)s?")


def _duration(value: Any) -> Any:
    """`"14 days"` as people write it; what pydantic itself reads (ISO 8601) passes through."""
    if isinstance(value, str) and (match := _DURATION.fullmatch(value)):
        return timedelta(**{match[2] + "s": float(match[1])})
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration), Field(gt=timedelta(0))]


class Budget(Message):
    """The time that one class of steps has.

    one_try        how long one attempt may take
    all_tries      how long all attempts together may take, pauses included; then the step parks
    first_pause    the pause before the second attempt; it doubles
    longest_pause  what it doubles up to
    heartbeat      for long work: how long it may be silent
    """

    one_try: Duration
    all_tries: Duration
    first_pause: Duration
    longest_pause: Duration
    heartbeat: Duration | None = None


class Budgets(Message):
    """A budget for each class of steps that has one."""

    read: Budget
    remote: Budget
    bulk: Budget


_PLAIN = Budget(
    one_try=timedelta(seconds=20),
    all_tries=timedelta(minutes=30),
    first_pause=timedelta(seconds=1),
    longest_pause=timedelta(minutes=1),
)
UNTIL_THE_POLICY_IS_READ = Budgets(read=_PLAIN, remote=_PLAIN, bulk=_PLAIN)
"""What holds for a process that has not got as far as its first step's end."""

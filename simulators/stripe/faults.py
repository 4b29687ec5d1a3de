"""How Stripe, or the way to it, can fail."""

from typing import Literal

FaultKind = Literal[
    "drop_before",  # the connection ends before anything ran
    "drop_after_commit",  # it ran; the connection ends without an answer
    "timeout_after_commit",  # it ran; the answer does not come for `seconds` (default 60)
    "error_500_before",  # a 500 before anything ran; it is not stored under the key
    "error_500_after_commit",  # it ran; the answer, stored under the key, is a 500
    "error_503",  # an outage
    "rate_limit_429",
    "lock_timeout_429",
    "slow_before_commit",  # waits `seconds` (default 1) while the key is in use, then runs
    "slow_after_commit",  # runs, then waits `seconds` (default 1) with the answer
    "cut_short",  # half of a file's content comes, and looks whole
]

BEFORE_ANYTHING: frozenset[FaultKind] = frozenset(
    {"drop_before", "error_500_before", "error_503", "rate_limit_429", "lock_timeout_429"}
)
BEFORE_COMMIT: frozenset[FaultKind] = frozenset({"slow_before_commit"})
IN_PLACE_OF_THE_ANSWER: frozenset[FaultKind] = frozenset({"error_500_after_commit"})
ON_THE_WAY_BACK: frozenset[FaultKind] = frozenset(
    {"drop_after_commit", "timeout_after_commit", "slow_after_commit"}
)
OF_CONTENTS: frozenset[FaultKind] = frozenset(
    {"cut_short", "drop_after_commit", "error_500_before", "error_503", "rate_limit_429"}
)

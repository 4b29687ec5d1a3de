"""How often a key may ask: a bucket of tokens for each key, in the memory of this process.

Several gateways behind one address each have their own buckets: together they let through as many
times the rate. Nothing is asked of the database, so that a flood costs it nothing.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.problems import Problem


@dataclass
class _Bucket:
    tokens: float
    filled_at: float


class Rates:
    """A bucket for each key: it holds `burst` requests and fills with `per_second`."""

    def __init__(
        self, *, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._policy = f'"key";q={burst};w={math.ceil(burst / per_second)}'

    def take(self, key: str) -> Mapping[str, str]:
        """Let one request of the key of this name pass; the answer is told by these headers.

        Raises Problem (429), which has them too.
        """
        now = self._clock()
        bucket = self._buckets.setdefault(key, _Bucket(self._burst, now))
        filled = bucket.tokens + (now - bucket.filled_at) * self._per_second
        bucket.tokens, bucket.filled_at = min(filled, self._burst), now
        if bucket.tokens < 1:
            wait = max(1, math.ceil((1 - bucket.tokens) / self._per_second))
            raise Problem(
                429,
                "too-many-requests",
                f"Your key may ask {self._per_second:g} times a second, and {self._burst} times at "
                "once. Ask again after the seconds in Retry-After.",
                headers={"Retry-After": str(wait), **self._told(bucket)},
            )
        bucket.tokens -= 1
        return self._told(bucket)

    def _told(self, bucket: _Bucket) -> dict[str, str]:
        """The fields of the IETF's draft "RateLimit header fields for HTTP"."""
        full_in = math.ceil((self._burst - bucket.tokens) / self._per_second)
        return {
            "RateLimit-Policy": self._policy,
            "RateLimit": f'"key";r={int(bucket.tokens)};t={full_in}',
        }

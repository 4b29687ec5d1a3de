"""How often somebody may ask: a bucket of tokens for each, in the memory of this process.

Several gateways behind one address each have their own buckets: together they let through as many
times the rate. Nothing is asked of the database, so that a flood costs it nothing.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.problems import Problem

_MOST_BUCKETS = 10_000


@dataclass
class _Bucket:
    tokens: float
    filled_at: float


class Rates:
    """A bucket for each name: it holds `burst` requests and fills with `per_second`.

    `whose` says what is named: a key, or an address.
    """

    def __init__(
        self,
        *,
        per_second: float,
        burst: int,
        whose: str = "key",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._whose = whose
        self._policy = f'"{whose}";q={burst};w={math.ceil(burst / per_second)}'

    def take(self, name: str) -> Mapping[str, str]:
        """Let one request under this name pass; the answer is told by these headers.

        Raises Problem (429), which has them too.
        """
        now = self._clock()
        if len(self._buckets) >= _MOST_BUCKETS and name not in self._buckets:
            self._forget(now)
        bucket = self._buckets.setdefault(name, _Bucket(self._burst, now))
        bucket.tokens, bucket.filled_at = self._filled(bucket, now), now
        if bucket.tokens < 1:
            wait = max(1, math.ceil((1 - bucket.tokens) / self._per_second))
            raise Problem(
                429,
                "too-many-requests",
                f"Your {self._whose} may ask {self._per_second:g} times a second, and "
                f"{self._burst} times at once. Ask again after the seconds in Retry-After.",
                headers={"Retry-After": str(wait), **self._told(bucket)},
            )
        bucket.tokens -= 1
        return self._told(bucket)

    def _filled(self, bucket: _Bucket, now: float) -> float:
        return min(bucket.tokens + (now - bucket.filled_at) * self._per_second, self._burst)

    def _forget(self, now: float) -> None:
        """Forget who may ask as often as somebody new: addresses come and go without end.

        Where hardly anybody is so, all are forgotten: memory has a bound whoever floods us.
        """
        kept = {
            name: bucket
            for name, bucket in self._buckets.items()
            if self._filled(bucket, now) < self._burst
        }
        self._buckets = kept if len(kept) < _MOST_BUCKETS // 2 else {}

    def _told(self, bucket: _Bucket) -> dict[str, str]:
        """The fields of the IETF's draft "RateLimit header fields for HTTP"."""
        full_in = math.ceil((self._burst - bucket.tokens) / self._per_second)
        return {
            "RateLimit-Policy": self._policy,
            "RateLimit": f'"{self._whose}";r={int(bucket.tokens)};t={full_in}',
        }

from __future__ import annotations

import pytest

from gateway.problems import Problem
from gateway.rates import Rates


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rates(clock: Clock) -> Rates:
    return Rates(per_second=0.5, burst=3, clock=clock)


def refused(rates: Rates, key: str = "ada") -> Problem:
    with pytest.raises(Problem) as caught:
        rates.take(key)
    assert caught.value.status_code == 429
    return caught.value


def told(problem: Problem) -> dict[str, str]:
    return dict(problem.headers or {})


def test_a_burst_passes_and_no_more(rates: Rates) -> None:
    left = [rates.take("ada")["RateLimit"] for _ in range(3)]
    assert left == ['"key";r=2;t=2', '"key";r=1;t=4', '"key";r=0;t=6']
    assert told(refused(rates))["RateLimit"] == '"key";r=0;t=6'


def test_every_answer_says_what_is_allowed(rates: Rates) -> None:
    assert rates.take("ada")["RateLimit-Policy"] == '"key";q=3;w=6'
    rates.take("ada")
    rates.take("ada")
    assert told(refused(rates))["RateLimit-Policy"] == '"key";q=3;w=6'


def test_whoever_waits_as_long_as_they_are_told_passes(rates: Rates, clock: Clock) -> None:
    for _ in range(3):
        rates.take("ada")
    wait = int(told(refused(rates))["Retry-After"])
    assert wait == 2
    clock.now += wait - 0.1
    refused(rates)
    clock.now += 0.1
    rates.take("ada")
    refused(rates)


def test_a_pause_fills_the_bucket_and_no_further(rates: Rates, clock: Clock) -> None:
    rates.take("ada")
    clock.now += 1_000_000
    for _ in range(3):
        rates.take("ada")
    refused(rates)


def test_to_ask_in_vain_costs_nothing(rates: Rates, clock: Clock) -> None:
    for _ in range(3):
        rates.take("ada")
    for _ in range(100):
        refused(rates)
    clock.now += 2
    rates.take("ada")


def test_each_key_has_its_own_bucket(rates: Rates) -> None:
    for _ in range(3):
        rates.take("ada")
    refused(rates)
    rates.take("olga")


def test_nobody_is_told_to_come_back_at_once(clock: Clock) -> None:
    quick = Rates(per_second=1000, burst=1, clock=clock)
    quick.take("ada")
    assert told(refused(quick))["Retry-After"] == "1"


def test_addresses_that_come_and_go_do_not_fill_the_memory(clock: Clock) -> None:
    pages = Rates(per_second=1, burst=3, whose="address", clock=clock)
    pages.take("192.0.2.1")
    assert "Your address may ask" in refused_after(pages, "192.0.2.2", 3).detail
    for number in range(9_990):
        clock.now += 2
        pages.take(f"host-{number}")
    for _ in range(3):
        pages.take("192.0.2.3")
    for number in range(20):
        pages.take(f"another-{number}")
    assert len(pages._buckets) < 100, "who has long been quiet is forgotten"
    refused(pages, "192.0.2.3")


def refused_after(rates: Rates, name: str, times: int) -> Problem:
    for _ in range(times):
        rates.take(name)
    return refused(rates, name)

"""What was open is told as of a day, as it was known at a time or by a run."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from database.connection import transaction
from database.reconciliation import certificates
from database.reconciliation.open_totals import open_totals
from gateway.cursors import cursor_of
from tests.house import API_KEYS, House
from tests.integration.gateway.conftest import Gateway, problem
from tests.integration.reconciliation.three_books import (
    MONDAY,
    TUESDAY,
    ThreeBooks,
    item,
    payout,
    sale,
)
from workers.cli import app
from workflows.reconciliation.certificate import Certificate

PATH = "/v1/accounts/acme/open"
DAY = [
    *sale("a", 10_000),
    *payout("way", 400),
    item("processor", "p-x", 10_000),
    item("clearing", "c-y", 510),
    item("processor", "p-y", 500),
]


@pytest.fixture
async def acme(house: House) -> ThreeBooks:
    books = await ThreeBooks.made(house.engine)
    await books.take(DAY)
    return books


async def told(gateway: Gateway, **asked: Any) -> dict[str, Any]:
    answer = await gateway.finance.get(PATH, **asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def sources(page: dict[str, Any]) -> set[str]:
    return {one["source_id"] for one in page["items"]}


async def test_open_items_and_breaks_are_told_with_their_sums(
    gateway: Gateway, acme: ThreeBooks
) -> None:
    id_, certificate = await acme.reconcile(MONDAY)
    page = await told(gateway, on="2026-03-02")
    assert (page["certificate_id"], page["status"], page["run"]) == (
        id_,
        certificate.status,
        "reconciliation/acme/2026-03-02/1",
    )
    assert [
        (one["leg"], one["disposition"], one["break_class"], one["source_id"])
        for one in page["items"]
    ] == [
        ("L1", "break", "missing_ours", "p-x"),
        ("L1", "difference", "amount", "c-y"),
        ("L1", "difference", "amount", "p-y"),
        ("L2", "timing", None, "processor-way"),
    ]
    sums = ("leg", "break_class", "items", "amount_minor", "breaks", "at_risk_minor")
    assert [tuple(one[name] for name in sums) for one in page["totals"]] == [
        ("L1", "amount", 2, 10, 1, 10),
        ("L1", "missing_ours", 1, -10_000, 1, 10_000),
        ("L2", None, 1, 400, 0, 0),
    ]
    await agrees(acme, page, certificate)


async def agrees(acme: ThreeBooks, page: dict[str, Any], certificate: Certificate) -> None:
    """The sums are those of the equations, and of the certificate."""
    async with transaction(acme.engine) as connection:
        standing = await certificates.as_of(connection, "acme", MONDAY)
        assert standing is not None
        x = (await open_totals(connection, standing.run))["EUR"]
    by_leg = {"L1": 0, "L2": 0, "L3": 0}
    for one in page["totals"]:
        by_leg[one["leg"]] += one["amount_minor"]
    assert by_leg == {"L1": x.x1, "L2": x.x2, "L3": x.x3}
    at_risk = {one["break_class"]: one["at_risk_minor"] for one in page["totals"] if one["breaks"]}
    assert at_risk == {one.break_class: one.at_risk_minor for one in certificate.breaks}


async def test_a_day_is_told_as_it_was_known_at_a_time_or_by_a_run(
    gateway: Gateway, acme: ThreeBooks
) -> None:
    problem(await gateway.finance.get(PATH), 404, "not-found")
    await acme.reconcile(MONDAY)
    before = datetime.now(UTC).isoformat()
    await acme.take([item("clearing", "c-x", 10_000)])
    second, _ = await acme.reconcile(MONDAY)
    await acme.take([item("processor", "p-z", 7, on=TUESDAY)])
    third, _ = await acme.reconcile(TUESDAY)

    assert "p-x" in sources(await told(gateway, on="2026-03-02", known_at=before))
    assert "p-x" in sources(await told(gateway, on="2026-03-05", known_at=before))
    assert "p-x" in sources(await told(gateway, on="2026-03-02", ordinal=1))
    monday = await told(gateway, on="2026-03-02")
    assert monday["certificate_id"] == second
    assert not {"p-x", "p-z"} & sources(monday)
    latest = await told(gateway)
    assert (latest["certificate_id"], "p-z" in sources(latest)) == (third, True)

    early = "2026-03-02T00:00:00Z"
    problem(await gateway.finance.get(PATH, on="2026-03-02", known_at=early), 404, "not-found")
    problem(await gateway.finance.get(PATH, on="2026-03-01"), 404, "not-found")
    problem(await gateway.finance.get(PATH, on="2026-03-03", ordinal=2), 404, "not-found")
    assert (await told(gateway, ordinal=1))["certificate_id"] == third, "of the latest day"
    problem(await gateway.finance.get(PATH, ordinal=2), 404, "not-found")


async def test_it_is_filtered_and_walked_page_by_page_within_one_run(
    gateway: Gateway, acme: ThreeBooks
) -> None:
    await acme.reconcile(MONDAY)
    assert sources(await told(gateway, leg="L2")) == {"processor-way"}
    ours = await told(gateway, book="clearing")
    assert sources(ours) == {"c-y"}
    assert [one["amount_minor"] for one in ours["totals"]] == [510]
    assert (await told(gateway, currency="USD"))["items"] == []

    whole = await told(gateway)
    found, cursor = [], None
    while True:
        page = await told(gateway, limit=1, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        assert page["totals"] == ([] if cursor else whole["totals"])
        cursor = page["next"]
        if cursor is None:
            break
        if len(found) == 1:  # a later run begins in the middle of the walk
            await acme.take([item("clearing", "c-x", 10_000, on=TUESDAY)])
            await acme.reconcile(TUESDAY)
    assert found == whole["items"]
    for bad in ("nonsense", cursor_of([1, 2]), cursor_of([10**6, 1, 1]), cursor_of([10**30, 1, 1])):
        told_off = problem(await gateway.finance.get(PATH, cursor=bad), 422, "invalid")
        assert told_off["errors"][0]["field"] == "cursor"


async def test_the_command_line_shows_it(
    reached: Gateway,
    acme: ThreeBooks,
    served: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await acme.reconcile(MONDAY)
    monkeypatch.setenv("PERDURE_GATEWAY_URL", served)
    monkeypatch.setenv("PERDURE_API_KEY_FINANCE_OPERATOR", API_KEYS["finance_operator"])
    monkeypatch.setenv("PERDURE_HOME", str(tmp_path))

    async def perdure(*arguments: str, code: int = 0) -> str:
        done = await asyncio.to_thread(CliRunner().invoke, app, ["reconcile", "open", *arguments])
        assert done.exit_code == code, done.output
        return done.stdout

    shown = await perdure("acme", "--on", "2026-03-02")
    assert "reconciliation/acme/2026-03-02/1: BREAKS" in shown
    assert "missing_ours" in shown
    assert "p-x" in shown
    assert "100.00 EUR" in shown
    asked = ("--on", "2026-03-09", "--known-at", "2999-01-01T00:00:00Z", "--leg", "L2", "--json")
    [one] = json.loads(await perdure("acme", *asked))["items"]
    assert one["source_id"] == "processor-way"

"""Payments come in over HTTP or by the outbox, and are booked once."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.gateway.conftest import Door, Gateway, problem, until
from tests.integration.journal.conftest import Journal, account_of

CHARGE: dict[str, Any] = {
    "account": "acme",
    "kind": "charge",
    "reference": "order-4711",
    "object_id": "ch_1",
    "amount_minor": 10_000,
    "currency": "EUR",
    "captured_at": "2026-01-31T09:30:00Z",
    "fee_minor": 350,
}


@pytest.fixture
async def journal(gateway: Gateway) -> Journal:
    engine = gateway.house.engine
    await account_of(engine, "other", tenant="other")
    return Journal(engine, await account_of(engine))


async def tell(door: Door, key: str | None = None, /, **change: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key or str(uuid4())}
    body = {name: value for name, value in (CHARGE | change).items() if value is not None}
    return await door.send("POST", "/v1/payments", headers, json=body)


async def test_a_payment_is_booked_and_found_again(gateway: Gateway, journal: Journal) -> None:
    answer = await tell(gateway.service)
    assert answer.status_code == 201, answer.text
    payment = answer.json()
    assert payment["told_by"] == "test-service"
    assert payment["effective_on"] == "2026-01-31"
    assert answer.headers["location"] == f"/v1/payments/{payment['id']}"
    assert await journal.balance("clearing") == 9_650
    assert await journal.balance("receivables") == -10_000
    assert await journal.balance("fees") == 350
    (line,) = await journal.rows(
        "SELECT kind, reference, object_id FROM journal_lines WHERE amount_minor = 10000"
    )
    assert line == {"kind": "charge", "reference": "order-4711", "object_id": "ch_1"}
    shown = await gateway.finance.get(f"/v1/payments/{payment['id']}")
    assert shown.json() == payment
    listed = await gateway.finance.get("/v1/payments", account="acme", reference="order-4711")
    assert listed.json() == {"items": [payment], "next": None}
    assert (await gateway.finance.get("/v1/payments", reference="none")).json()["items"] == []


async def test_one_key_books_once_and_answers_the_same(gateway: Gateway, journal: Journal) -> None:
    first = await tell(gateway.service, "one key")
    again, *_ = await asyncio.gather(*(tell(gateway.service, "one key") for _ in range(4)))
    assert again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    problem(await tell(gateway.service, "one key", amount_minor=9_999), 422, "key-reused")
    assert await journal.balance("clearing") == 9_650


async def test_pages_go_through_all_payments(gateway: Gateway, journal: Journal) -> None:
    ids = [(await tell(gateway.service, reference=f"o-{nth}")).json()["id"] for nth in range(3)]
    first = (await gateway.service.get("/v1/payments", limit=2)).json()
    rest = (await gateway.service.get("/v1/payments", limit=2, cursor=first["next"])).json()
    assert [one["id"] for one in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None


async def test_accounts_of_other_tenants_are_not_there(gateway: Gateway, journal: Journal) -> None:
    problem(await tell(gateway.service, account="other"), 404, "not-found")
    problem(await tell(gateway.service, account="nobody"), 404, "not-found")
    told = await tell(gateway.finance, account="other")
    assert told.status_code == 201
    problem(await gateway.service.get(f"/v1/payments/{told.json()['id']}"), 404, "not-found")
    assert (await gateway.service.get("/v1/payments")).json()["items"] == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"amount_minor": 0}, "an amount of nothing"),
        ({"amount_minor": -1}, "a charge is positive"),
        ({"kind": "refund"}, "a refund is negative"),
        ({"kind": "gift"}, "Input should be"),
        ({"kind": "conversion"}, "says what it was settled to"),
        ({"settlement": {"currency": "EUR", "amount_minor": 1}}, "in another currency"),
        ({"settlement": {"currency": "USD"}}, "told with the amount settled"),
        ({"settlement": {"currency": "USD", "amount_minor": -1}}, "the sign of the amount"),
        ({"currency": "eur"}, "should match pattern"),
        ({"captured_at": "2025-12-31T00:00:00Z"}, "before the day that the account begins"),
        ({"captured_at": "9999-12-31T23:59:59-12:00"}, "more than a month ahead"),
        ({"captured_at": "0001-01-01T00:00:00+12:00"}, "before 1970"),
        ({"captured_at": "2999-01-01T00:00:00Z"}, "more than a month ahead"),
        ({"currency": "ZZZ"}, "not a currency of ISO 4217"),
        ({"settlement": {"currency": "ZZZ", "amount_minor": 9_000}}, "not a currency of ISO 4217"),
        ({"fee_minor": 10_001}, "not above its amount"),
        ({"settlement": {"currency": "USD", "amount_minor": 300}}, "not above its amount"),
        ({"reference": "ann@example.com"}, "leave e-mail addresses out"),
        ({"captured_at": 1}, "is not a time of ISO 8601"),
        ({"colour": "red"}, "is not a field that we know"),
    ],
    ids=str,
)
async def test_what_cannot_be_booked_is_refused_with_its_field(
    gateway: Gateway, journal: Journal, change: dict[str, Any], says: str
) -> None:
    told = problem(await tell(gateway.service, **change), 422, "invalid")
    assert says in told["errors"][0]["message"]
    assert await journal.rows("SELECT id FROM journal_entries") == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount_minor": 0}, "amount_minor"),
        ({"amount_minor": -1}, "amount_minor"),
        ({"kind": "refund"}, "amount_minor"),
        ({"currency": "XXQ"}, "currency"),
        ({"settlement": {"currency": "XXQ", "amount_minor": 9_000}}, "settlement.currency"),
        ({"settlement": {"currency": "USD", "amount_minor": -1}}, "settlement"),
        ({"kind": "conversion"}, "settlement"),
    ],
    ids=str,
)
async def test_what_is_wrong_is_told_of_the_field_that_is(
    gateway: Gateway, journal: Journal, change: dict[str, Any], field: str
) -> None:
    told = problem(await tell(gateway.service, **change), 422, "invalid")
    assert [one["field"] for one in told["errors"]] == [field]


async def test_a_key_that_is_said_twice_is_refused(gateway: Gateway, journal: Journal) -> None:
    said = json.dumps(CHARGE)
    headers = {"Idempotency-Key": "a key", "Content-Type": "application/json"}
    for twice in (
        said.replace("{", '{"amount_minor": 1, ', 1),
        said.replace("}", ', "settlement": {"currency": "USD", "currency": "GBP"}}', 1),
    ):
        answer = await gateway.service.send("POST", "/v1/payments", headers, content=twice.encode())
        assert "twice" in problem(answer, 400, "malformed-json")["detail"]
    assert await journal.rows("SELECT id FROM payments") == []


async def test_a_clock_may_be_ahead_by_hours(gateway: Gateway, journal: Journal) -> None:
    at = datetime.now(UTC) + timedelta(hours=12)
    told = await tell(gateway.service, captured_at=at.isoformat())
    assert datetime.fromisoformat(told.json()["captured_at"]) == at


async def test_a_payment_without_a_key_is_refused(gateway: Gateway, journal: Journal) -> None:
    problem(await gateway.service.post("/v1/payments", CHARGE), 400, "key-missing")


async def test_a_sale_in_another_currency_waits_until_it_is_exchanged(
    gateway: Gateway, journal: Journal
) -> None:
    sale: dict[str, Any] = {"currency": "USD", "fee_minor": None, "settlement": {"currency": "EUR"}}
    assert (await tell(gateway.service, **sale)).status_code == 201
    assert await journal.balance("unsettled", "USD") == 10_000
    assert await journal.balance("receivables", "USD") == -10_000
    exchanged = {"currency": "EUR", "amount_minor": 9_000}
    sale |= {"kind": "conversion", "settlement": exchanged, "fee_minor": 100}
    assert (await tell(gateway.service, **sale)).status_code == 201
    assert await journal.balance("unsettled", "USD") == 0
    assert await journal.balance("fx", "USD") == 10_000
    assert await journal.balance("fx", "EUR") == -9_000
    assert await journal.balance("clearing", "EUR") == 8_900
    (line,) = await journal.rows(
        "SELECT kind, presentment_minor, presentment_currency FROM journal_lines"
        " WHERE amount_minor = 9000"
    )
    assert line == {"kind": "charge", "presentment_minor": 10_000, "presentment_currency": "USD"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "refund", "amount_minor": -400}, "receivables"),
        ({"kind": "dispute", "amount_minor": -400}, "receivables"),
        ({"kind": "risk_reserved_funds", "amount_minor": -400}, "reserve"),
        ({"kind": "other_adjustment", "amount_minor": -400}, "suspense"),
    ],
    ids=str,
)
async def test_the_other_side_is_what_it_is_for(
    gateway: Gateway, journal: Journal, change: dict[str, Any], code: str
) -> None:
    assert (await tell(gateway.service, fee_minor=None, **change)).status_code == 201
    assert await journal.balance("clearing") == -400
    assert await journal.balance(code) == 400


async def put(journal: Journal, key: str, account: str = "acme", **change: Any) -> None:
    payment = {name: value for name, value in (CHARGE | change).items() if name != "account"}
    await journal.rows(
        "INSERT INTO payment_outbox (account, key, payment)"
        " VALUES (:account, :key, CAST(:payment AS jsonb)) ON CONFLICT DO NOTHING",
        account=account,
        key=key,
        payment=json.dumps(payment),
    )


async def settled(journal: Journal) -> list[dict[str, Any]]:
    async def look() -> list[dict[str, Any]]:
        return await journal.rows("SELECT key, state, note FROM payment_outbox ORDER BY id")

    return await until(look, lambda rows: all(one["state"] != "waiting" for one in rows))


async def test_what_a_service_puts_into_the_outbox_is_booked_at_once(
    gateway: Gateway, journal: Journal
) -> None:
    await put(journal, "a")
    await put(journal, "a")
    await put(journal, "b", amount_minor=-1)
    await put(journal, "c", account="nobody")
    await put(journal, "d", captured_at="2025-01-01T00:00:00Z")
    await put(journal, "e", colour="red")
    await put(journal, "f")
    rows = {one["key"]: one for one in await settled(journal)}
    assert [one["state"] for one in rows.values()] == [
        *("booked", "refused", "refused", "refused", "refused", "booked")
    ]
    assert "a charge is positive" in rows["b"]["note"]
    assert "no reconciliation account" in rows["c"]["note"]
    assert "opened on" in rows["d"]["note"]
    assert "colour" in rows["e"]["note"]
    assert await journal.balance("clearing") == 2 * 9_650
    listed = (await gateway.service.get("/v1/payments")).json()["items"]
    assert {one["told_by"] for one in listed} == {"outbox"}


async def test_the_outbox_outlives_the_connection_that_listens(
    gateway: Gateway, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.booking._AGAIN_SECONDS", 0.1)
    await put(journal, "a")
    await settled(journal)
    await journal.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    )
    await put(journal, "b")
    assert [one["state"] for one in await settled(journal)] == ["booked", "booked"]

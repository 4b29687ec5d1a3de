"""Reconciliations by HTTP: begun once, listed, certified; breaks explained, matches taken apart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
import pytest
from temporalio.client import Client
from typer.testing import CliRunner

from database.connection import transaction
from database.reconciliation import accounts, items
from database.reconciliation.item import NewItem
from tests.house import API_KEYS, House
from tests.integration.gateway.conftest import Door, Gateway, gateway_of, problem
from tests.patience import SOON
from workers import reconciliation as worker
from workers.cli import app
from workflows.reconciliation.books import Book
from workflows.reconciliation.messages import TASK_QUEUE, Days, Run, shadow_id
from workflows.reconciliation.starting import start_range
from workflows.reconciliation.workflow import ShadowReconciliation

DAY = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
ACCOUNT: dict[str, Any] = {
    "opened_on": "2026-03-02",
    "bank_accounts": [{"identification": "DE02", "currency": "EUR", "calendar": "target"}],
}


def item(book: Book, source_id: str, amount: int, reference: str) -> NewItem:
    component = "gross" if book == "processor" else ""
    return NewItem(
        book, source_id, component, "charge", "EUR", amount, AT, DAY, reference=reference
    )


@asynccontextmanager
async def working(house: House) -> AsyncIterator[None]:
    async with worker.activities(house.settings) as steps, worker.working(house.client, steps):
        yield


@dataclass
class Shop:
    """An account with a sale that all know, and one that our journal does not.

    Tests share a Temporal, which never forgets: each has an account of its own.
    """

    name: str
    finance: Door
    finance_approver: Door

    async def begin(self, day: str = "2026-03-02") -> httpx.Response:
        asked = {"account": self.name, "business_date": day}
        return await self.finance.post("/v1/reconciliations", asked)

    async def over(self, ordinal: int = 1, day: str = "2026-03-02") -> dict[str, Any]:
        """The run of a day once it is over."""
        path = f"/v1/reconciliations/{self.name}/{day}/{ordinal}"
        async with asyncio.timeout(SOON):
            while True:
                found: dict[str, Any] = (await self.finance.get(path)).json()
                if found["ended_at"]:
                    return found
                await asyncio.sleep(0.1)


@pytest.fixture
async def shop(gateway: Gateway, house: House) -> Shop:
    return await shop_of(gateway, house)


async def shop_of(gateway: Gateway, house: House) -> Shop:
    name = f"shop-{uuid4().hex[:8]}"
    async with transaction(house.engine) as connection:
        asked = accounts.Account(0, name, "acme", "UTC", DAY, "files", "files", ())
        account = await accounts.make(connection, asked)
        await accounts.add_bank_account(connection, account, "DE02", "EUR", "target")
        told = [
            item("processor", "txn_1", 10_000, "ch_1"),
            item("processor", "txn_2", 5_000, "ch_2"),
            item("clearing", "je_1/1", 10_000, "ch_1"),
        ]
        await items.take_in(connection, account, told, source="a test")
    return Shop(name, gateway.finance, gateway.finance_approver)


async def test_a_day_is_reconciled_certified_and_explained(shop: Shop, house: House) -> None:
    begun = await shop.begin()
    assert begun.status_code == 202, begun.text
    assert begun.json()["id"] == f"reconciliation/{shop.name}/2026-03-02/1"
    again = await shop.begin()
    assert again.json()["id"] == begun.json()["id"], "what has not begun is not begun twice"
    async with working(house):
        run = await shop.over()
    assert run["status"] == "INCOMPLETE", "nobody told of any balance"
    assert run["stage"] == "incomplete"

    listed = (await shop.finance.get("/v1/reconciliations", account=shop.name)).json()
    assert [one["id"] for one in listed["items"]] == [run["id"]]
    account = (await shop.finance.get(f"/v1/accounts/{shop.name}")).json()
    assert (account["status"], account["open_breaks"]) == ("INCOMPLETE", 1)

    path = f"/v1/certificates/{run['certificate_id']}"
    certificate = await shop.finance.get(path)
    assert certificate.json()["status"] == "INCOMPLETE"
    page = await shop.finance.get(path, format="html")
    assert page.text.startswith("<!doctype html>")
    breaks = await shop.finance.get(path, format="csv")
    assert "missing_ours" in breaks.text
    tag = certificate.headers["ETag"]
    unchanged = await shop.finance.send("GET", path, {"If-None-Match": tag})
    assert unchanged.status_code == 304
    verified = (await shop.finance.get(f"{path}/verification")).json()
    assert verified == {"id": run["certificate_id"], "holds": True, "differences": []}

    [found] = (await shop.finance.get("/v1/breaks", account=shop.name)).json()["items"]
    assert (found["break_class"], found["at_risk_minor"], found["subject"]) == (
        "missing_ours",
        5_000,
        ["txn_2"],
    )
    assert found["provisional"], "a run that is incomplete proves nothing"
    shown = (await shop.finance.get(f"/v1/breaks/{found['id']}")).json()
    assert [one["source_id"] for one in shown["items"]] == ["txn_2"]
    assert [one["what"] for one in shown["events"]] == ["opened"]
    assert (await shop.finance.get("/v1/breaks", state="closed")).json()["items"] == []

    for told, material in (
        ("at_risk_minor = 9999", False),
        ("at_risk_minor = 10000", True),
        ("currency = 'KWD'", False),
    ):
        await house.rows(f"UPDATE breaks SET {told}")
        for asked in (True, False):
            listed = (await shop.finance.get("/v1/breaks", material=asked)).json()["items"]
            assert [one["material"] for one in listed] == [asked] * (asked == material), told
        shown = (await shop.finance.get(f"/v1/breaks/{found['id']}")).json()
        assert shown["material"] == material


async def test_a_run_that_temporal_never_heard_of_is_taken_back(
    shop: Shop, house: House, nowhere: Client, impatient: None
) -> None:
    async with gateway_of(house, client=nowhere) as cut_off:
        asked = {"account": shop.name, "business_date": "2026-03-02"}
        assert (await cut_off.finance.post("/v1/reconciliations", asked)).status_code == 503
    path = f"/v1/reconciliations/{shop.name}/2026-03-02/1"
    async with working(house):
        taken = await shop.finance.post(f"{path}/withdraw", {"reason": "not of this day"})
        assert taken.status_code == 202, taken.text
        assert (await shop.over())["stage"] == "withdrawn"


async def test_a_match_is_taken_apart_with_a_reason_and_stays_so(shop: Shop, house: House) -> None:
    async with working(house):
        await shop.begin()
        await shop.over()
        asked = {"account": shop.name, "source": "txn_1"}
        [match] = (await shop.finance.get("/v1/matches", **asked)).json()["items"]
        assert (match["rule"], match["disposition"]) == ("reference", "exact")
        assert {one["source_id"] for one in match["items"]} == {"txn_1", "je_1/1"}

        path = f"/v1/matches/{match['id']}/unmatch"
        problem(
            await shop.finance_approver.post(path, {"reason": "not theirs"}), 403, "role-missing"
        )
        apart = await shop.finance.post(path, {"reason": "not theirs"})
        assert apart.status_code == 200, apart.text
        assert apart.json()["before"] is False
        again = await shop.finance.post(path, {"reason": "not theirs"})
        assert again.json() == apart.json() | {"before": True}
        assert len(await house.rows("SELECT id FROM match_history")) == 1
        problem(await shop.finance.post(path, {"reason": "another one"}), 404, "not-found")

        second = await shop.begin()
        assert second.json()["ordinal"] == 2
        run = await shop.over(2)
    assert (await shop.finance.get("/v1/matches", **asked)).json()["items"] == []
    earlier, later = [
        one["certificate_id"]
        for one in (await shop.finance.get("/v1/reconciliations")).json()["items"]
    ][::-1]
    assert earlier != later
    superseding = (await shop.finance.get(f"/v1/certificates/{run['certificate_id']}")).json()
    assert superseding["supersedes"] == earlier


@pytest.mark.parametrize("source", ["\0", "", "a\n", "x" * 256], ids=ascii)
async def test_a_source_that_no_item_can_have_is_refused(shop: Shop, source: str) -> None:
    problem(await shop.finance.get("/v1/matches", source=source), 422, "invalid")


async def test_what_cannot_be_reconciled_is_refused_with_the_reason(shop: Shop) -> None:
    problem(await shop.begin("2026-03-01"), 409, "before-opening")
    nobody = replace(shop, name="nobody")
    problem(await nobody.begin(), 404, "not-found")
    form = ACCOUNT | {"name": shop.name}
    again = await shop.finance.post("/v1/accounts", form, tenant="acme")
    problem(again, 409, "name-taken")
    await shop.begin()
    problem(await shop.begin("2026-03-03"), 409, "busy")


async def test_an_account_whose_opening_nobody_approved_is_not_reconciled(
    shop: Shop, gateway: Gateway
) -> None:
    new = replace(shop, name=f"{shop.name}-new")
    form = ACCOUNT | {"name": new.name, "bank_accounts": []}
    made = await gateway.finance.post("/v1/accounts", form, tenant="acme")
    assert made.status_code == 201, made.text

    refused = await new.begin()
    problem(refused, 409, "not-live")
    assert f"perdure accounts open {new.name}" in refused.json()["detail"]
    days = {"account": new.name, "first": "2026-03-02", "last": "2026-03-03"}
    problem(await new.finance.post("/v1/reconciliations/range", days), 409, "not-live")


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
async def test_a_day_is_reconciled_once_it_is_over_where_the_account_is(
    shop: Shop, house: House, zone: str
) -> None:
    await house.rows(
        "UPDATE reconciliation_accounts SET time_zone = :zone, opened_on = '2026-03-02'", zone=zone
    )
    today = datetime.now(ZoneInfo(zone)).date()
    for day in (today, today + timedelta(days=1), date.max):
        one = {"account": shop.name, "business_date": day.isoformat()}
        several = {"account": shop.name, "first": "2026-03-02", "last": day.isoformat()}
        if day == date.max:
            several["first"] = (day - timedelta(days=1)).isoformat()
        for path, asked, field in (
            ("", one, "business_date"),
            ("/shadows", one, "business_date"),
            ("/range", several, "last"),
        ):
            told = problem(
                await shop.finance.post(f"/v1/reconciliations{path}", asked), 409, "not-over"
            )
            assert told["errors"] == [{"field": field, "message": "is not over"}]
            assert told["detail"].startswith(f"{day} is not over")
            assert zone in told["detail"]
    assert (await shop.finance.get("/v1/reconciliations", account=shop.name)).json()["items"] == []
    yesterday = (today - timedelta(days=1)).isoformat()
    assert (await shop.begin(yesterday)).status_code == 202


async def test_days_are_over_by_the_time_that_the_gateway_is_told(shop: Shop, house: House) -> None:
    clock = f"{house.outside.stripe_url}/_simulator/clock"
    settings = house.settings.model_copy(update={"simulated_clock": clock})
    today = datetime.now(UTC).date()
    async with gateway_of(replace(house, settings=settings)) as laptops:
        there = replace(shop, finance=laptops.finance)
        problem(await there.begin(today.isoformat()), 409, "not-over")
        await house.outside.advance(timedelta(days=1))
        assert (await there.begin(today.isoformat())).status_code == 202


async def test_a_range_is_refused_once_a_later_day_is_certified_unless_it_is_under_way(
    shop: Shop, house: House
) -> None:
    async with working(house):
        await shop.begin("2026-03-03")
        await shop.over(day="2026-03-03")
    path = "/v1/reconciliations/range"
    days = {"account": shop.name, "first": "2026-03-02", "last": "2026-03-03"}
    told = problem(await shop.finance.post(path, days), 409, "day-is-over")
    assert "2026-03-03 is certified" in told["detail"]
    last = await shop.finance.post(path, days | {"first": "2026-03-03"})
    assert last.status_code == 202, "the last day may be run anew"

    id_ = await start_range(house.client, Days(account=shop.name, first=DAY, last=date(2026, 3, 3)))
    again = await shop.finance.post(path, days)
    assert (again.status_code, again.json()["workflow_id"]) == (202, id_)


async def test_a_shadow_says_how_a_day_would_come_out_and_leaves_nothing(
    shop: Shop, house: House
) -> None:
    run = Run(account=shop.name, day=DAY, ordinal=1)
    kept = ("runs", "cuts", "matches", "match_items", "open_items", "breaks", "certificates")
    async with working(house):
        shadow = await house.client.start_workflow(
            ShadowReconciliation.run,
            run,
            id=shadow_id(shop.name, DAY, "a-test"),
            task_queue=TASK_QUEUE,
        )
        assert await shadow.result() == "incomplete"
        found = await shadow.query(ShadowReconciliation.found)
        assert found is not None
        assert (found.matched, dict(found.breaks)) == (2, {"missing_ours": 1})
        for table in kept:
            assert await house.rows(f"SELECT * FROM {table}") == [], table
        await shop.begin()
        real = await shop.over()
    certificate = (await shop.finance.get(f"/v1/certificates/{real['certificate_id']}")).json()
    assert certificate["result_hash"] == found.result_hash, "it comes out as the shadow said"


async def test_an_account_is_made_of_what_a_run_can_be_made_with(gateway: Gateway) -> None:
    form = ACCOUNT | {"name": f"shop-{uuid4().hex[:8]}"}
    [bank] = ACCOUNT["bank_accounts"]
    unknown = bank | {"calendar": "moon"}
    for wrong in ({"processor": "files"}, {"journal": "files"}):
        refused = await gateway.finance.post("/v1/accounts", form | wrong, tenant="acme")
        problem(refused, 422, "invalid")
    wrong = form | {"bank_accounts": [unknown]}
    refused = await gateway.finance.post("/v1/accounts", wrong, tenant="acme")
    [error] = problem(refused, 422, "invalid")["errors"]
    assert error["field"] == "bank_accounts"
    assert "target, us, weekdays" in error["message"], "it names what there is"
    made = await gateway.finance.post("/v1/accounts", form, tenant="acme")
    assert made.status_code == 201, made.text
    path = f"/v1/accounts/{form['name']}/bank-accounts"
    problem(await gateway.finance.post(path, unknown), 422, "invalid")
    assert made.json()["bank_accounts"] == [bank | {"statements": "daily"}]
    weekly = bank | {"statements": "weekly"}
    changed = await gateway.finance.post(path, weekly)
    assert (changed.status_code, changed.json()["bank_accounts"]) == (201, [weekly])
    problem(await gateway.finance.post(path, bank | {"statements": "yearly"}), 422, "invalid")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"opened_on": "0001-01-01"}, "opened_on"),
        ({"opened_on": "1969-12-31"}, "opened_on"),
        ({"opened_on": "9999-12-31"}, "opened_on"),
        ({"time_zone": "localtime"}, "time_zone"),
        ({"time_zone": "posixrules"}, "time_zone"),
        ({"time_zone": "right/Europe/Berlin"}, "time_zone"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "Europe"}, "time_zone"),
    ],
    ids=str,
)
async def test_an_account_has_days_and_a_zone_that_there_are(
    gateway: Gateway, wrong: dict[str, str], field: str
) -> None:
    form = ACCOUNT | {"name": "shop"} | wrong
    refused = await gateway.finance.post("/v1/accounts", form, tenant="acme")
    [error] = problem(refused, 422, "invalid")["errors"]
    assert error["field"] == field


async def test_a_bank_account_has_one_name_however_it_is_written(gateway: Gateway) -> None:
    form = ACCOUNT | {"name": f"shop-{uuid4().hex[:8]}"}
    await gateway.finance.post("/v1/accounts", form, tenant="acme")
    path = f"/v1/accounts/{form['name']}/bank-accounts"
    bank = {"currency": "EUR", "calendar": "target"}
    for written in ("DE02120300000000202051", "de02 1203 0000 0000 2020 51"):
        made = await gateway.finance.post(path, bank | {"identification": written})
        known = [one["identification"] for one in made.json()["bank_accounts"]]
        assert known == ["DE02", "DE02120300000000202051"]
    for wrong, field in (
        ({"identification": "DE03120300000000202051"}, "identification"),
        ({"identification": "  "}, "identification"),
        ({"identification": "DE03", "currency": "XXQ"}, "currency"),
    ):
        [error] = problem(await gateway.finance.post(path, bank | wrong), 422, "invalid")["errors"]
        assert error["field"] == field


async def test_a_bank_account_keeps_its_rhythm_and_a_change_of_it_leaves_a_trace(
    gateway: Gateway,
) -> None:
    form = ACCOUNT | {"name": f"shop-{uuid4().hex[:8]}"}
    [bank] = ACCOUNT["bank_accounts"]
    await gateway.finance.post("/v1/accounts", form, tenant="acme")
    path = f"/v1/accounts/{form['name']}/bank-accounts"
    changes: list[dict[str, str]] = [{"statements": "weekly"}, {}, {"calendar": "us"}]
    for changed in changes:
        answer = await gateway.finance.post(path, bank | changed)
        assert answer.json()["bank_accounts"][0]["statements"] == "weekly"

    trail = await gateway.house.rows(
        "SELECT actor, details FROM audit WHERE event = 'bank_account.changed' ORDER BY id"
    )
    assert {one["actor"] for one in trail} == {"test-finance_operator"}
    assert [(one["details"]["was"], one["details"]["now"]) for one in trail] == [
        (
            {"calendar": "target", "statements": "daily"},
            {"calendar": "target", "statements": "weekly"},
        ),
        (
            {"calendar": "target", "statements": "weekly"},
            {"calendar": "us", "statements": "weekly"},
        ),
    ]


@pytest.mark.parametrize("path", ["/v1/breaks", "/v1/matches", "/v1/reconciliations"])
async def test_a_list_of_an_account_that_is_not_there_is_refused(
    shop: Shop, gateway: Gateway, house: House, path: str
) -> None:
    assert (await shop.finance.get(path, account=shop.name)).json()["items"] == []
    told = problem(await shop.finance.get(path, account="nosuch"), 404, "not-found")
    assert [one["field"] for one in told["errors"]] == ["account"]
    async with transaction(house.engine) as connection:
        other = accounts.Account(0, "theirs", "other", "UTC", DAY, "files", "files", ())
        await accounts.make(connection, other)
    problem(await shop.finance.get(path, account="theirs", tenant="acme"), 404, "not-found")


async def test_people_see_what_a_run_lacks_and_save_what_it_certified(
    served: str,
    reached: Gateway,
    house: House,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PERDURE_GATEWAY_URL", served)
    monkeypatch.setenv("PERDURE_API_KEY_FINANCE_OPERATOR", API_KEYS["finance_operator"])
    monkeypatch.setenv("PERDURE_HOME", str(tmp_path))
    shop = await shop_of(reached, house)

    async def perdure(*arguments: str, code: int = 0) -> str:
        done = await asyncio.to_thread(CliRunner().invoke, app, list(arguments))
        assert done.exit_code == code, done.output
        return done.stdout

    day = (shop.name, "2026-03-02")
    async with working(house):
        await shop.begin()
        save = ("reconcile", "report", *day, "--out", str(tmp_path / "page"))
        first = await shop.over()
        await shop.begin()
        again = await shop.over(2)
    assert again["certificate_id"] == first["certificate_id"], "nothing new came"
    shown = await perdure("reconcile", "show", *day)
    assert "missing: There is no closing balance (no_closing): Stripe" in shown
    assert "1 match, 1 open break\n" in shown
    assert "E1" in shown
    assert "missing_ours" in shown
    assert f"perdure reconcile report {shop.name} 2026-03-02 --ordinal 2" in shown
    for format_, begins in (("html", b"<!doctype html>"), ("csv", b"account,"), ("json", b"{")):
        await perdure(*save, "--format", format_)
        assert (tmp_path / "page").read_bytes().lower().startswith(begins), format_

    [match] = json.loads(await perdure("matches", "list", "--json"))["items"]
    apart = ("matches", "unmatch", match["id"], "--reason", "not theirs")
    assert "is taken apart." in await perdure(*apart)
    assert "is taken apart already." in await perdure(*apart)
    for group in ("breaks", "matches", "reconcile"):
        done = await asyncio.to_thread(
            CliRunner().invoke, app, [group, "list", "--account", "nosuch"]
        )
        assert done.exit_code != 0
        assert "account: names no account" in str(done.exception)

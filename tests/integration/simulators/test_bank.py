"""The bank books what it is told of on its business days, and goes wrong as it is told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import stripe

from connectors.statements.statement import Entry
from simulators.bank.days import business_day_after
from simulators.bank.faults import WIRE_FEE
from tests.patience import SOON
from tests.simulated import SimulatorHandle
from tests.unit.connectors.statements.reading import Whole, statements

IBAN = "DE02500105170137075030"
FRIDAY, MONDAY, TUESDAY = "2090-03-03", "2090-03-06", "2090-03-07"


async def transfer(world: SimulatorHandle, id_: str = "po_1", **fields: Any) -> Any:
    told = {
        "id": id_,
        "iban": IBAN,
        "amount": 97_000,
        "currency": "EUR",
        "arrival_date": FRIDAY,
        "descriptor": "STRIPE PAYOUT",
        "trace_id": f"TRC-{id_}",
    }
    return await world.bank("POST", "/transfers", {**told, **fields})


async def close(world: SimulatorHandle, until: str) -> list[str]:
    """Close all days until this one; the files of the last ten statements."""
    answer = await world.bank("POST", "/_simulator/days/close", {"until": until})
    return list(answer["statements"])


def read(world: SimulatorHandle, name: str) -> Whole:
    [whole] = statements((world.statements / name).read_bytes())
    return whole


@pytest.fixture
async def open_bank(world: SimulatorHandle) -> SimulatorHandle:
    """Closed until a Thursday in the far future, with an account that has 1000.00 on it."""
    await world.bank("POST", "/_simulator/reset")
    await close(world, "2090-03-02")
    await world.bank(
        "POST", "/_simulator/accounts", {"iban": IBAN, "currency": "EUR", "balance": 100_000}
    )
    return world


async def test_a_transfer_is_booked_on_the_day_it_arrives(open_bank: SimulatorHandle) -> None:
    await transfer(open_bank)
    [name] = await close(open_bank, FRIDAY)
    whole = read(open_bank, name)
    assert whole.proven.proof == "proven"
    [entry] = whole.entries
    assert (entry.amount_minor, entry.end_to_end_id) == (97_000, "TRC-po_1")
    assert entry.description == "STRIPE PAYOUT"
    assert whole.closed.closing is not None
    assert whole.closed.closing.amount_minor == 197_000


async def test_weekends_have_no_statement_and_what_arrives_waits(
    open_bank: SimulatorHandle,
) -> None:
    await transfer(open_bank, arrival_date="2090-03-04")
    names = await close(open_bank, TUESDAY)
    assert [name.split("-", 1)[1][:10] for name in names] == [FRIDAY, MONDAY, TUESDAY]
    assert [len(read(open_bank, name).entries) for name in names] == [0, 1, 0]


async def test_a_transfer_counts_once_for_its_id(open_bank: SimulatorHandle) -> None:
    await transfer(open_bank)
    await transfer(open_bank)
    with pytest.raises(AssertionError, match="came before, and was another"):
        await transfer(open_bank, amount=1)
    [name] = await close(open_bank, FRIDAY)
    assert read(open_bank, name).amounts == [97_000]


async def test_what_is_given_back_goes_out_again_with_its_trace(
    open_bank: SimulatorHandle,
) -> None:
    await transfer(open_bank)
    await transfer(open_bank, "po_2", arrival_date=MONDAY)
    await close(open_bank, FRIDAY)
    for id_, state in (("po_1", "given_back"), ("po_1", "given_back"), ("po_2", "recalled")):
        assert await open_bank.bank("POST", f"/transfers/{id_}/return") == {"state": state}
    [name] = await close(open_bank, MONDAY)
    [entry] = read(open_bank, name).entries
    assert (entry.amount_minor, entry.end_to_end_id) == (-97_000, "TRC-po_1")


async def test_a_deposit_can_be_short_of_a_fee_or_lost(open_bank: SimulatorHandle) -> None:
    await open_bank.bank_fault("wire_fee_withheld", transfer="po_1")
    await open_bank.bank_fault("deposit_lost", transfer="po_2")
    for id_ in ("po_1", "po_2", "po_3"):
        await transfer(open_bank, id_)
    [name] = await close(open_bank, FRIDAY)
    assert read(open_bank, name).amounts == [97_000 - WIRE_FEE, 97_000]


async def test_a_credit_that_nobody_announced_is_booked(open_bank: SimulatorHandle) -> None:
    entry = {"iban": IBAN, "amount": 5_000, "description": "STRIPE PAYOUT"}
    await open_bank.bank("POST", "/_simulator/entries", entry)
    [name] = await close(open_bank, FRIDAY)
    [booked] = read(open_bank, name).entries
    assert (booked.amount_minor, booked.end_to_end_id) == (5_000, None)
    with pytest.raises(AssertionError, match="has no account"):
        await open_bank.bank("POST", "/_simulator/entries", {**entry, "iban": f"{IBAN[:-1]}1"})


async def test_a_statement_that_is_withheld_comes_when_it_is_released(
    open_bank: SimulatorHandle,
) -> None:
    await open_bank.bank_fault("statement_withheld", iban=IBAN)
    await transfer(open_bank)
    [monday] = await close(open_bank, MONDAY)
    assert "000002" in monday
    released = await open_bank.bank("POST", "/_simulator/statements/release")
    [friday] = released["statements"]
    assert read(open_bank, friday).amounts == [97_000]
    listed = (await open_bank.bank("GET", "/statements"))["statements"]
    assert [each["name"] for each in listed] == [friday, monday]


@pytest.mark.parametrize("format_", ["mt940", "bai2", "ofx", "csv"])
async def test_statements_are_written_and_served_in_the_format_wanted(
    open_bank: SimulatorHandle, format_: str
) -> None:
    await open_bank.bank("POST", "/_simulator/format", {"format": format_})
    await transfer(open_bank)
    [name] = await close(open_bank, FRIDAY)
    await open_bank.bank("POST", "/_simulator/format", {"format": "camt.053"})
    async with httpx.AsyncClient(base_url=open_bank.bank_url) as http:
        content = (await http.get(f"/statements/{name}")).content
        assert (await http.get("/statements/none")).status_code == 404
    assert content == (open_bank.statements / name).read_bytes()
    [whole] = statements(content)
    assert (whole.opened.format, whole.amounts) == (format_, [97_000])


async def test_a_statement_is_served_though_somebody_took_its_file_away(
    open_bank: SimulatorHandle,
) -> None:
    await transfer(open_bank)
    [name] = await close(open_bank, FRIDAY)
    file = open_bank.statements / name
    written = file.read_bytes()
    file.unlink()
    async with httpx.AsyncClient(base_url=open_bank.bank_url) as http:
        assert (await http.get(f"/statements/{name}")).content == written


async def test_the_bank_remembers_over_a_restart(own_world: SimulatorHandle) -> None:
    await close(own_world, "2090-03-02")
    await transfer(own_world)
    await own_world.kill()
    await own_world.start()
    [name] = await close(own_world, FRIDAY)
    assert read(own_world, name).amounts == [97_000]


async def settlements(world: SimulatorHandle) -> list[Entry]:
    """What the bank has booked, when it has closed every day before the simulated one."""
    yesterday = ((await world.now()) - timedelta(days=1)).date().isoformat()
    async with asyncio.timeout(SOON):
        while (await world.bank("GET", "/_simulator/health"))["closed_until"] < yesterday:
            await asyncio.sleep(0.05)
    listed = (await world.bank("GET", "/statements"))["statements"]
    return [entry for each in listed for entry in read(world, each["name"]).entries]


async def test_a_payout_of_stripe_arrives_and_is_given_back_when_it_fails(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    await client.v1.payment_intents.create_async(
        {"amount": 10_000, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
    )
    await world.advance(timedelta(days=9))
    [payout] = (await client.v1.payouts.list_async()).data
    assert payout.status == "paid"
    [booked] = await settlements(world)
    assert (booked.amount_minor, booked.description) == (payout.amount, "STRIPE PAYOUT")
    assert payout.trace_id is not None
    assert booked.end_to_end_id == payout.trace_id.value
    arrival = datetime.fromtimestamp(payout.arrival_date, UTC).date()
    assert booked.booking_date == business_day_after(arrival, 0)
    async with httpx.AsyncClient(base_url=world.stripe_url) as http:
        await http.post(f"/_simulator/payouts/{payout.id}/fail", json={})
    await world.advance(timedelta(days=5))
    # What came back to the balance may be paid out again before the bank takes back what it gave.
    [back] = [one for one in await settlements(world) if one.amount_minor < 0]
    assert (back.amount_minor, back.end_to_end_id) == (-payout.amount, booked.end_to_end_id)


async def test_payouts_go_to_the_bank_account_that_stripe_was_told_of(
    world: SimulatorHandle, client: stripe.StripeClient
) -> None:
    async with httpx.AsyncClient(base_url=world.stripe_url) as http:
        wanted = {"bank_accounts": {"eur": IBAN}}
        (await http.post("/_simulator/payout_schedule", json=wanted)).raise_for_status()
    await client.v1.payment_intents.create_async(
        {"amount": 10_000, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
    )
    await world.advance(timedelta(days=9))
    [booked] = await settlements(world)
    assert booked.description == "STRIPE PAYOUT"
    listed = (await world.bank("GET", "/statements"))["statements"]
    assert {each["iban"] for each in listed} == {IBAN}

"""What a run is made by, where two people agreed on what the account began with."""

from datetime import UTC, date, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from activities.reconciliation.gathered import GatheredInputs
from activities.reconciliation.terms import load_terms
from database.connection import transaction
from database.journal import openings
from tests.integration.reconciliation.conftest import new_account
from tests.unit.docs.generated import ROOT
from workflows.reconciliation.messages import Run
from workflows.reconciliation.opening import Opening, OpeningBalance

OPENED = date(2026, 3, 2)
RULES = dict.fromkeys(("terms", "calendars", "grace"), "0" * 64)
TERMS = load_terms(ROOT / "rules" / "reconciliation.toml")


async def test_what_two_people_agreed_on_is_what_the_books_began_with(engine: AsyncEngine) -> None:
    account = await new_account(engine, opened=datetime(2026, 3, 2, tzinfo=UTC), live=False)
    opening = Opening(
        opened_on=OPENED,
        balances=(
            OpeningBalance(book="processor", currency="EUR", amount_minor=2_500),
            OpeningBalance(book="clearing", currency="EUR", amount_minor=2_500),
            OpeningBalance(book="bank", currency="EUR", amount_minor=70_000),
            OpeningBalance(book="cash", currency="EUR", amount_minor=70_000),
        ),
    )
    run = Run(account=account.name, day=OPENED, ordinal=1)
    async with transaction(engine) as connection:
        proposed = await openings.propose(connection, account, opening, by="one", reason="Go-live.")
        _, before = await GatheredInputs(TERMS)(connection, account, run, RULES)
        await openings.decide(
            connection, account, proposed["id"], "approved", by="another", reason="As told."
        )
        _, after = await GatheredInputs(TERMS)(connection, account, run, RULES)
    assert not [one for one in before if one.kind == "opening" and one.amount_minor]
    begun = {(one.book, one.currency, one.amount_minor, one.source) for one in after}
    assert {("processor", "EUR", 2_500, "opening"), ("bank", "EUR", 70_000, "opening")} <= begun

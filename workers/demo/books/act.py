"""What happens in the second act: a week of the books, day by day.

The time of Stripe and the bank is moved ahead; everything else goes the way it would in earnest.
Payments are Stripe's, our journal is told of them by `POST /v1/payments`, the bank's statements are
files. What goes wrong is done where it would go wrong: the service forgets or errs, Stripe or the
bank does something that nobody told us of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from workers.demo.acting import until
from workers.demo.books.finance import Finance
from workers.demo.books.memory import Memory, Planted
from workers.demo.books.money import TRANSACTIONS, Charge, Money
from workers.demo.books.nightwatch import Nightwatch
from workers.demo.books.plan import (
    AT_THE_BANK,
    CURRENCY,
    DISPUTE_FEE,
    PAYING,
    WIRE_FEE,
    Key,
    Week,
    account_name,
    amount_of,
    iban_of,
)
from workers.demo.cast import Run
from workers.demo.outside import Outside
from workers.demo.show import Show
from workers.demo.theatre import Theatre
from workers.stack_record import Mark
from workers.together import together
from workflows.reconciliation.payments import PaymentKind

_OFTEN = 2
"""So many times each customer pays on a day."""
_DEPOSIT, _UNHEARD_OF, _REFUND = 5_000, 700, 1_000


@dataclass(frozen=True)
class Stage:
    """What the act is played on. `pace` is how long people read a sentence, in seconds."""

    run: Run
    show: Show
    outside: Outside
    theatre: Theatre
    money: Money
    finance: Finance
    pace: float


class Books:
    """The second act. `customers` are those who were onboarded, by their ids at Stripe."""

    def __init__(self, stage: Stage, customers: Sequence[str], week: Week) -> None:
        self._stage, self._customers, self._week = stage, customers, week
        self._money, self._finance, self._show = stage.money, stage.finance, stage.show
        self.memory = Memory(account_name(stage.run.id), iban_of(stage.run.id), week)
        self._nights = Nightwatch(stage.show, stage.finance, self.memory)
        self._charges: list[list[Charge]] = []

    async def play(self) -> None:
        """Play the week. Raises Derailed where something does not come about."""
        await self._money.bank_behaves()
        try:
            await self._opened()
            async with self._nights.looking():
                await self._first_day()
                await self._second_day()
                await self._third_day()
                await self._week_end()
        finally:
            await self._money.bank_behaves()

    # The scenes

    async def _opened(self) -> None:
        memory, week = self.memory, self._week
        with self._show.scene("opened") as scene:
            self._show.say(
                "Second act: the customers pay, and each night our journal, Stripe and the bank are"
                " compared. First one person proposes what the books begin with."
            )
            await self._money.move_to(week.at(-1, 23))
            # Payouts of earlier times have set out by then: to the account that was theirs.
            await until(lambda: self._money.bank_has_closed(week.day(-2)), "the bank is open")
            await self._money.open_bank_account(memory.iban, CURRENCY, AT_THE_BANK)
            await self._money.pay_out_to(memory.iban, CURRENCY)
            held = await self._money.balance(CURRENCY)
            await self._finance.make_account(memory.account, memory.iban, week)
            balances = {
                "clearing": held,
                "processor": held,
                "cash": AT_THE_BANK,
                "bank": AT_THE_BANK,
            }
            number = await self._finance.propose_opening(
                memory.account, week, balances, "as Stripe and the bank say this evening"
            )
            approve = self._finance.approve_opening
            memory.refused = await approve(memory.account, number, "mine", by_proposer=True)
            await self._read()
            await approve(memory.account, number, "compared with both statements")
            scene.told = "one proposed, another approved"

    async def _first_day(self) -> None:
        with self._show.scene("first_day") as scene:
            self._show.say(
                f"{len(self._customers)} customers pay by card; the service tells our journal of"
                " each payment and its fee. One that it tells of was never paid."
            )
            charges = await self._paid(0)
            await together(*(self._tell(charge) for charge in charges))
            begun = self._week.at(0, 9)
            self._plant("phantom", f"ch_never_{self._stage.run.id}", 4_200)
            await self._booked("phantom", "charge", begun)
            await self._read()
            await self._over(0)
            night = await self._reconciled(0)
            scene.told = f"{night}, the unpaid one may yet come"

    async def _second_day(self) -> None:
        with self._show.scene("second_day") as scene:
            self._show.say(
                "The service forgets a payment, adds 1.00 to another, tells one twice and errs in a"
                " fee. The bank books a deposit like Stripe's, and keeps its statement."
            )
            charges = await self._paid(1)
            forgotten, too_much, twice, fee, *others = charges
            self._plant("forgotten", forgotten.id, forgotten.amount)
            self._plant("too_much", too_much.id, 100)
            self._plant("twice", twice.id, twice.amount)
            self._plant("fee", fee.id, 50)
            await together(
                self._tell(too_much, more=100),
                self._tell(twice),
                self._tell(twice, key="again", fee=0),
                self._tell(fee, fee=fee.fee - 50),
                *(self._tell(charge) for charge in others),
            )
            # An entry of the bank's has its day in its id, and this is the only one of Tuesday's.
            self._plant("deposit", f"/{self._week.day(1):%Y%m%d}/", _DEPOSIT)
            await self._money.deposit(self.memory.iban, _DEPOSIT, "STRIPE SETTLEMENT")
            await self._money.bank_fails("statement_withheld", iban=self.memory.iban)
            await self._over(1)
            first = await self._reconciled(1)
            self._show.say(
                f"{first}: without the statement nothing can be proven, and nothing is guessed."
                " It comes late; another run supersedes the first certificate."
            )
            await self._read()
            await self._money.bank_behaves()
            await self._over(1)
            scene.told = f"{first}, then {await self._reconciled(1)}"

    async def _third_day(self) -> None:
        with self._show.scene("third_day") as scene:
            self._show.say(
                "Nobody books a refund, a dispute and something new at Stripe. What was forgotten"
                " on Tuesday is told. Then the worker is killed while it reconciles."
            )
            charges = await self._paid(2)
            await together(*(self._tell(charge) for charge in charges))
            refunded, disputed, *_ = self._charges[0]
            self._plant("refund", await self._money.refund(refunded.id, _REFUND), _REFUND)
            dispute = await self._money.dispute(disputed.id)
            self._plant("dispute", dispute, disputed.amount + DISPUTE_FEE)
            new = await self._money.book_unheard_of(_UNHEARD_OF, CURRENCY)
            self._plant("unknown", new, _UNHEARD_OF)
            # Stripe took a fee for it, too, which was booked from Stripe's data in the night.
            await self._tell(self._charges[1][0], fee=0)
            await self._over(2)
            await self._killed()
            night = await self._nights.until_over(self._week.day(2), 1)
            before, after = self.memory.workers or (0, 0)
            scene.told = f"{night}, pid {before} → {after}"

    async def _killed(self) -> None:
        fault = self._stage.outside.fault("stripe", "timeout_after_commit", "GET", TRANSACTIONS)
        async with fault:
            before = await self._lists()
            run = await self._finance.reconcile(self.memory.account, self._week.day(2))
            await until(lambda: self._listed_since(before), "Stripe was not asked")
            killed = self._stage.theatre.kill_worker("reconciliation")
            self.memory.killed = run.id
        self._show.say(
            f"kill -9 {killed.pid}: the worker dies while it reads what Stripe booked. Another one"
            " goes on where it was; what is there is not taken in twice."
        )
        successor = await until(lambda: self._successor(killed), "no worker came after it")
        self.memory.workers = (killed.pid, successor.pid)

    async def _week_end(self) -> None:
        with self._show.scene("week_end") as scene:
            self._show.say(
                "Monday's payout arrives on Thursday, short by a wire fee; Tuesday's is late on"
                " Friday, which it may be. Both nights are caught up, one after the other."
            )
            await self._money.move_to(self._week.at(3, 8))
            first, second = await self._payouts(2)
            self._plant("wire_fee", first, WIRE_FEE)
            await self._money.bank_fails("wire_fee_withheld", transfer=first)
            await self._money.bank_fails("deposit_lost", transfer=second)
            await self._over(4)
            await self._payouts(PAYING)
            days = self._week.day(3), self._week.day(4)
            await self._finance.reconcile_range(self.memory.account, *days)
            came = [await self._nights.until_over(day, 1) for day in days]
            scene.told = ", ".join(came)

    # What they are made of

    async def _paid(self, day: int) -> list[Charge]:
        """Every customer pays on a day; what Stripe took, in the customers' order."""
        await self._money.move_to(self._week.at(day, 8))
        if not self.memory.since:
            self.memory.since = await self._money.now()
        pays = (
            self._money.pay(customer, amount_of(self._stage.run.id, customer, day, nth), CURRENCY)
            for nth in range(_OFTEN)
            for customer in self._customers
        )
        charges = list(await asyncio.gather(*pays))
        self._charges.append(charges)
        self.memory.paid.append((len(charges), sum(charge.amount for charge in charges)))
        return charges

    async def _tell(
        self, charge: Charge, *, more: int = 0, fee: int | None = None, key: str = "once"
    ) -> None:
        """The service tells of a payment, twice under one key: it counts once."""
        self.memory.told += 1
        for _ in range(2):
            await self._finance.tell(
                self.memory.account,
                f"{charge.id}-{key}",
                kind="charge",
                about=charge.id,
                amount=charge.amount + more,
                fee=charge.fee if fee is None else fee,
                at=charge.created,
            )

    async def _booked(self, planted: Key, kind: PaymentKind, at: int) -> None:
        """The service tells of something that Stripe never saw."""
        self.memory.told += 1
        plant = self.memory.planted[planted]
        await self._finance.tell(
            self.memory.account,
            plant.about,
            kind=kind,
            about=plant.about,
            amount=plant.at_risk,
            fee=0,
            at=at,
        )

    def _plant(self, key: Key, about: str, at_risk: int) -> None:
        self.memory.planted[key] = Planted(about, at_risk)

    async def _over(self, day: int) -> None:
        """A day is over: the bank has closed it, and its statements are sent, those before, too."""
        await self._money.move_to(self._week.at(day + 1, 0, 10))
        await until(lambda: self._money.bank_has_closed(self._week.day(day)), "the bank is open")
        for statement in await self._money.statements(self.memory.iban):
            await self._finance.send_statement(await self._money.statement(statement.name))

    async def _reconciled(self, day: int) -> str:
        """Have a day reconciled, and how it came out."""
        begun = await self._finance.reconcile(self.memory.account, self._week.day(day))
        return await self._nights.until_over(begun.business_date, begun.ordinal)

    async def _payouts(self, number: int) -> list[str]:
        """Until Stripe has made so many payouts since the customers pay; their ids."""

        async def made() -> bool:
            self.memory.payouts = tuple(await self._money.payouts(self.memory.since))
            return len(self.memory.payouts) >= number

        await until(made, f"Stripe did not make {number} payouts")
        return [payout.id for payout in self.memory.payouts]

    async def _lists(self) -> int:
        """How often Stripe was asked what it booked."""
        return await self._stage.outside.asked("stripe", "GET", TRANSACTIONS)

    async def _listed_since(self, before: int) -> bool:
        return await self._lists() > before

    async def _successor(self, killed: Mark) -> Mark | None:
        worker = self._stage.theatre.worker("reconciliation")
        return worker if worker != killed else None

    async def _read(self, sentences: float = 1.0) -> None:
        """Leave people the time to read what was said."""
        await asyncio.sleep(self._stage.pace * sentences)

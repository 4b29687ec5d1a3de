"""Lets happen what is due, each thing as of its own moment and in a transaction of its own."""

from collections.abc import Callable

from simulators.stripe.account import Account
from simulators.stripe.money import balance, payouts
from simulators.stripe.money.agenda import Happening

HAPPENINGS: dict[Happening, Callable[[Account, str], None]] = {
    "available": balance.become_available,
    "pay_out": payouts.pay_out,
    "submit": payouts.submit,
    "arrive": payouts.arrive,
    "trace": payouts.trace,
}


def catch_up(account: Account, until: float) -> bool:
    """Do everything that is due by a moment, in its order; whether there was anything."""
    was_due = False
    while due := account.agenda.first(until):
        moment, happening, subject = due
        with account.storage.transaction(), account.standing_at(moment):
            HAPPENINGS[happening](account, subject)
            account.agenda.done(*due)
        was_due = True
    return was_due

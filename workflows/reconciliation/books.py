"""The words of reconciliation: books, legs, what becomes of an item, why one is open.

Signs: positive increases our asset, in every book. Amounts are minor units of one currency and
are never summed over currencies; an amount at risk is absolute.
"""

from typing import Literal

Rhythm = Literal["daily", "weekly", "monthly"]
"""How often a bank sends statements of an account: each day on which it works, or as it says."""

Book = Literal["processor", "bank", "clearing", "in_transit", "cash"]
"""A book of which movements and balances are known.

processor   Stripe's balance: a movement for each component of a balance transaction
bank        booked entries of the bank's statements
clearing    our journal: what the processor holds for us
in_transit  our journal: payouts on their way
cash        our journal: what is at the bank
"""

Leg = Literal["L1", "L2", "L3"]
"""Which two books an item is compared in. An item is matched at most once for each leg.

L1  clearing ↔ processor
L2  the processor's payouts ↔ settlement entries of the bank
L3  cash ↔ bank, all entries
"""

Disposition = Literal["exact", "difference", "contra", "fx_pair", "timing", "break", "out_of_scope"]
"""What became of an item in a leg: exactly one of these.

difference    matched, but not to the same amount: the rest is a break, or within tolerance
contra        a group on one side that sums to zero
fx_pair       matched by presentment amount and currency
timing        not due on the other side yet
out_of_scope  L2 only, by a named rule: no settlement of the processor
"""

Rule = Literal[
    "contra",
    "reference",
    "reference_whichever_kind",
    "reference_differs",
    "presentment",
    "reference_rank",
    "reference_group",
    "reference_group_differs",
    "entry",
    "trace",
    "trace_differs",
    "payout_and_day",
    "arrival_block",
    "consecutive_payouts",
    "short_deposit",
    "taken_back",
    "amount_and_day",
    "nothing",
]
"""What a match rests on.

contra                   equal references of one kind on one side, with opposite amounts
reference                the only ones of a reference and kind, to the same amount
reference_whichever_kind the only ones of a reference and amount, though of another kind
reference_differs        the only ones of a reference and kind, to another amount
presentment              the same, in another currency: one is what the customer saw of the other
reference_rank           of a reference that comes several times, the first with the first, …
reference_group          several of a reference on one side come to the one on the other
reference_group_differs  the same, to another amount
entry                    a line of cash names the bank's entry
trace                    payouts and deposits of one trace id, to the same amount
trace_differs            the same, to another amount
payout_and_day           a payout and a deposit of its amount, around the day, no other like them
arrival_block            all payouts of a day in one deposit
consecutive_payouts      at most seven payouts one after the other in one deposit
short_deposit            a deposit that is short by what a bank may keep, no other like it
taken_back               payouts that the bank never had, and what they brought back; entries of
                         the bank that it took back itself
amount_and_day           no reference: the same amount around the day, no other like them
nothing                  an item of no amount
"""

BreakClass = Literal[
    "missing_ours",
    "missing_processor",
    "missing_bank",
    "missing_cash",
    "amount",
    "currency",
    "fee",
    "duplicate_ours",
    "duplicate_processor",
    "refund_unbooked",
    "dispute_unbooked",
    "payout_unbooked",
    "payout_missing_bank",
    "payout_return_missing",
    "bank_fee",
    "unidentified_deposit",
    "unknown_type",
    "ambiguous",
]
"""Why an item is open and not merely on its way.

missing_ours          at the processor, not in our journal
missing_processor     in our journal, not at the processor, and past its grace
missing_bank          in our cash account, not at the bank, and past its grace
missing_cash          at the bank, not in our cash account
amount, currency      both sides know it, with another amount or currency
fee                   the fee that we booked is not the fee that was taken, or is not booked
duplicate_*           the surplus of one reference on that side
refund_unbooked, dispute_unbooked, payout_unbooked
                      at the processor, of that kind, not in our journal
payout_missing_bank   a payout that the bank should have credited by now
payout_return_missing a payout that failed after the bank's credit, whose return is not at the bank
bank_fee              a settlement that is short by what the bank kept
unidentified_deposit  a settlement at the bank that no payout explains
unknown_type          a reporting category of the processor that we do not know
ambiguous             items of one amount without a reference, on both sides: nobody can say which
                      belong together, so that all of them are one break
"""

Status = Literal["BALANCED", "BREAKS", "PROOF_FAILED", "INCOMPLETE"]
"""How a run came out: the first that applies of INCOMPLETE, PROOF_FAILED, BREAKS, BALANCED.

INCOMPLETE    a control is missing or unequal, a statement unproven, a gap, the journal unsealed:
              breaks are provisional, nothing is posted or closed
PROOF_FAILED  controls hold, but an equation or the roll forward is not zero: a defect of ours
BREAKS        all equations are zero, and a break is open
BALANCED      all equations are zero, no break; timing items are allowed and listed
"""

Evidence = Literal["independent", "derived"]
"""Whether a journal line was made by our own system, or from the other book's data after a run."""

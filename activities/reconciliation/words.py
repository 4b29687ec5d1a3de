"""The words of the report: what stands on paper for a name that our code has."""

from collections.abc import Iterable, Mapping

from workflows.reconciliation.books import Book, BreakClass, Disposition, Leg, Rule, Status
from workflows.reconciliation.certificate import Age, Equation, EquationName, Lack, TermName

STATUS: Mapping[Status, tuple[str, str]] = {
    "BALANCED": ("Balanced", "Every equation is zero, and no break is open."),
    "BREAKS": ("Breaks", "Every equation is zero. What differs is explained by the breaks below."),
    "PROOF_FAILED": (
        "Proof failed",
        "The balances hold, but an equation is not zero. The defect is ours, not the data's.",
    ),
    "INCOMPLETE": (
        "Incomplete",
        "Something is missing or does not hold. Breaks are provisional, nothing is posted.",
    ),
}

BOOK: Mapping[Book, str] = {
    "processor": "Stripe",
    "bank": "Bank",
    "clearing": "Our clearing",
    "in_transit": "Our in transit",
    "cash": "Our cash",
}

LEG: Mapping[Leg, str] = {
    "L1": "Our clearing ↔ Stripe",
    "L2": "Payouts ↔ bank",
    "L3": "Our cash ↔ bank",
}

EQUATION: Mapping[EquationName, str] = {
    "E1": "Our clearing against Stripe",
    "E2": "Payouts against settlements",
    "E3": "Our cash against the bank",
    "E4": "Our in transit against what is truly on its way",
}

# Without signs: the amounts have them, as they are added up.
TERM: Mapping[TermName, str] = {
    "clearing_closing": "Our clearing account at the end",
    "processor_closing": "Stripe's balance at the end",
    "in_transit_closing": "Our account in transit at the end",
    "cash_closing": "Our cash account at the end",
    "bank_closing": "The bank's balance at the end",
    "payouts": "Paid out by Stripe since the beginning",
    "settlements": "Arrived at the bank since the beginning",
    "open_l1": "Open: our clearing ↔ Stripe",
    "open_l2": "Open: payouts ↔ bank",
    "open_l3": "Open: our cash ↔ bank",
    "open_payouts": "Open: our clearing ↔ Stripe, payouts only",
    "open_settlements": "Open: our cash ↔ bank, settlements only",
}

RESIDUAL = "Left over"
BRIDGE = (
    "What two books differ by has to be open between them: without a match, or matched with a "
    "difference. Then each adds up to nothing left over."
)


def nothing_in(equations: Iterable[Equation]) -> str:
    """A line about equations of which every term is zero; empty where there are none."""
    named = (f"{EQUATION[one.name]} ({one.name}, {one.currency})" for one in equations)
    told = "; ".join(named)
    return f"Nothing on either side: {told}." if told else ""


BREAK: Mapping[BreakClass, str] = {
    "missing_ours": "Not in our journal",
    "missing_processor": "Not at Stripe",
    "missing_bank": "Not at the bank",
    "missing_cash": "At the bank, not in our cash",
    "amount": "Another amount",
    "currency": "Another currency",
    "fee": "Fee not as booked",
    "duplicate_ours": "Booked twice",
    "duplicate_processor": "Charged twice",
    "refund_unbooked": "Refund not booked",
    "dispute_unbooked": "Dispute not booked",
    "payout_unbooked": "Payout not booked",
    "payout_missing_bank": "Payout not at the bank",
    "payout_return_missing": "Failed payout not returned",
    "bank_fee": "Bank's fee",
    "unidentified_deposit": "Unidentified deposit",
    "unknown_type": "Unknown type",
    "ambiguous": "Ambiguous",
}

DISPOSITION: Mapping[Disposition, str] = {
    "exact": "exact",
    "difference": "with a difference",
    "contra": "cancels itself",
    "fx_pair": "by the customer's currency",
    "timing": "not due yet",
    "break": "break",
    "out_of_scope": "no settlement",
}

RULE: Mapping[Rule, str] = {
    "contra": "One side's opposites",
    "reference": "Reference",
    "reference_whichever_kind": "Reference, another kind",
    "reference_differs": "Reference",
    "presentment": "What the customer saw",
    "reference_rank": "Reference, one by one",
    "reference_group": "Reference, several",
    "reference_group_differs": "Reference, several",
    "entry": "The bank's entry",
    "trace": "Trace",
    "trace_differs": "Trace",
    "payout_and_day": "Amount and arrival",
    "arrival_block": "All of a day",
    "consecutive_payouts": "Consecutive payouts",
    "short_deposit": "Short deposit",
    "taken_back": "Taken back",
    "amount_and_day": "Amount and day",
    "nothing": "Nothing moved",
}

LACK: Mapping[Lack, str] = {
    "no_opening": "There is no opening balance",
    "no_closing": "There is no closing balance",
    "unequal": "Movements do not come to the balance that the source tells",
    "statement_missing": "A statement is overdue",
    "statement_unproven": "A statement's balances and entries do not add up",
    "statement_unprovable": "A statement names no balance",
    "statement_gap": "A statement before this one is missing",
    "statement_contradicted": "Two statements contradict each other: withdraw the wrong one",
    "report_incomplete": "Stripe's report ends before the day does",
    "payout_members": "A payout is not what its transactions come to",
    "journal_unsealed": "Entries of the day may still be written: run the day again",
    "bad_rows": "Rows of a file could not be read",
}

AGE: Mapping[Age, str] = {
    "0-1": "0–1 days",
    "2-7": "2–7 days",
    "8-30": "8–30 days",
    "31-90": "31–90 days",
    "91+": "over 90 days",
}

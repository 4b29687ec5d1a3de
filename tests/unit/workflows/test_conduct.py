"""What a process makes of a step's failure."""

from __future__ import annotations

from temporalio.exceptions import ApplicationError

from workflows.conduct import reason_of


def test_a_failure_is_told_itself_and_not_what_caused_it() -> None:
    failure = ApplicationError("the card was declined", type="stripe.card", non_retryable=True)
    failure.__cause__ = ApplicationError("status 402", type="CardError")
    told = reason_of(failure)
    assert (told.kind, told.type, told.text) == ("refused", "stripe.card", "the card was declined")

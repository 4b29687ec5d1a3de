"""The currencies that we know are those of ISO 4217."""

from __future__ import annotations

import pycountry

from workflows.reconciliation.currencies import _BEFORE, CURRENCIES


def test_every_currency_of_today_is_there_and_what_was_one_in_the_last_years() -> None:
    today = {one.alpha_3 for one in pycountry.currencies}

    assert today <= CURRENCIES
    assert set(_BEFORE.split()) >= CURRENCIES - today

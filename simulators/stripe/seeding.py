"""Many objects at once, to see how lists bear a million rows."""

import asyncio
import secrets

from simulators.stripe.account import Account, new_id
from simulators.stripe.collection import Document, encode
from simulators.stripe.customers import blank

AT_ONCE = 5_000


async def customers(account: Account, number: int) -> None:
    """Add customers one second apart, the last one now; no events tell of them."""
    begin = account.now() - number
    mark = secrets.token_hex(4)
    for first in range(0, number, AT_ONCE):
        documents = [
            _customer(mark, each, begin + each + 1)
            for each in range(first, min(first + AT_ONCE, number))
        ]
        for document in documents:
            account.conformance.check("customer", encode(document))
        with account.storage.transaction():
            account.customers.add_many(documents)
        await asyncio.sleep(0)  # other requests are answered in between


def _customer(mark: str, number: int, created: int) -> Document:
    return {
        **blank(new_id("cus_"), created),
        "email": f"customer-{mark}-{number}@example.com",
        "metadata": {"seed": f"{mark}-{number}"},
        "name": f"Customer {number}",
    }

"""How a system outside can fail us, in the only three ways that matter to an effect.

Texts name codes, parameters and request ids; never what an applicant told us.
"""

from datetime import timedelta


class ConnectorError(Exception):
    """A call outside that did not succeed. `type` is a code like `stripe.rate_limit`."""

    def __init__(self, type_: str, text: str) -> None:
        super().__init__(text)
        self.type = type_
        self.text = text


class Refused(ConnectorError):
    """A definite no: nothing was done, and the same request would be refused again."""


class Unanswered(ConnectorError):
    """No answer that counts: ask again with the same key, after `retry_after` where given."""

    def __init__(self, type_: str, text: str, retry_after: timedelta | None = None) -> None:
        super().__init__(type_, text)
        self.retry_after = retry_after


class OutcomeLost(ConnectorError):
    """Whether it was done will never be told under this key: it must be looked up."""

"""What must hold of a failure, whichever system it came from."""

from datetime import timedelta

from connectors.errors import ConnectorError, Unanswered

SECRET = "Ada Lovelace ada@example.com"
"""What systems repeat in their own sentences, and no error of ours may."""
LATER = {"Retry-After": "7"}


def must_be(
    error: ConnectorError, kind: type[ConnectorError], code: str, seconds: float | None = None
) -> None:
    """This failure and no other, with that pause; it repeats nobody, and drags no cause along."""
    assert (type(error), error.type) == (kind, code)
    pause = error.retry_after if isinstance(error, Unanswered) else None
    assert pause == (None if seconds is None else timedelta(seconds=seconds))
    for word in ("Ada", "Lovelace", "example.com"):
        assert word not in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None

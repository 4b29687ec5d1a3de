"""What keeps personal data out of log lines: by the name of a field, and by the look of a value."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Mapping, Set
from typing import Any

from pydantic import BaseModel

REDACTED = "[redacted]"
_EMAIL_HERE = "[e-mail]"

# A field is personal when one of these words is part of its name: `applicant_name`, `taxId`.
_PART = frozenset(
    "account_holder address addresses addressee applicant authorization birth birthdate birthday "
    "body bodies city cookie credential dob email firstname fullname iban lastname line1 line2 "
    "mail name nationality passport password payload phone postal_code postcode recipient secret "
    "street surname tax_id taxid token vat zip".split()
)
# And when one of these is all of it.
_WHOLE = frozenset(["company", "content", "letter", "sender", "subject", "text", "to"])
# Names of ours that only sound like it.
_OURS = frozenset(["activity_name", "process_name", "update_name", "signal_name", "query_name"])
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# The local part may be in any script; in addresses (URLs) the sign is written %40.
_EMAIL = re.compile(r"[^\s@<>\"'`,;:()\[\]{}/?=&|]+(?:@|%40)[^\s@<>\"'`,;:()\[\]{}/?=&|]+")
_DEPTH = 12


def redacted(value: Any) -> Any:
    """A copy of `value` without personal data, at any depth; for log lines, never for work."""
    return _redacted(value, 0)


def _redacted(value: Any, depth: int) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return without_emails(value)
        case BaseException():  # its text repeats what was given
            return type(value).__name__
        case _ if depth == _DEPTH:
            return REDACTED
        case BaseModel():
            # Fields only: computed ones may show what the fields hide.
            return _redacted(
                {field: getattr(value, field) for field in type(value).model_fields}, depth
            )
        case Mapping():
            return {
                without_emails(str(key)): REDACTED
                if is_personal(str(key))
                else _redacted(inner, depth + 1)
                for key, inner in value.items()
            }
        case list() | tuple() | Set():
            return [_redacted(inner, depth + 1) for inner in value]
        case bytes() | bytearray() | memoryview():
            return f"[{len(value)} bytes]"
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            return _redacted(fields, depth)
        case _:
            return without_emails(str(value))


def is_personal(field: str) -> bool:
    """Whether a field of this name holds, or may hold, what must not be in a log line."""
    words = _HUMP.sub("_", field).lower().replace("-", "_").replace(" ", "_").replace(".", "_")
    if words in _OURS:
        return False
    parts = words.split("_")
    parts += [f"{first}_{second}" for first, second in itertools.pairwise(parts)]
    return words in _WHOLE or any(
        part in _PART or part.removesuffix("s") in _PART for part in parts
    )


def without_emails(text: str) -> str:
    """The text with everything that looks like an e-mail address masked."""
    return _EMAIL.sub(_EMAIL_HERE, text) if "@" in text or "%40" in text else text

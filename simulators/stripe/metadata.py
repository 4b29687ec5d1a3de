"""Metadata: at most 50 keys of 40 characters with values of 500; an empty string unsets."""

from collections.abc import Mapping

from simulators.stripe.errors import ParameterError

MOST_KEYS = 50
LONGEST_KEY = 40
LONGEST_VALUE = 500


def merged(kept: Mapping[str, str], given: Mapping[str, str] | None) -> dict[str, str]:
    """What is kept after an update; `None` (sent as an empty string) unsets everything."""
    if given is None:
        return {}
    for key, value in given.items():
        if len(key) > LONGEST_KEY:
            raise ParameterError(
                f"Metadata keys must be at most {LONGEST_KEY} characters long.",
                param=f"metadata[{key[:LONGEST_KEY]}]",
            )
        if len(value) > LONGEST_VALUE:
            raise ParameterError(
                f"Metadata values must be at most {LONGEST_VALUE} characters long.",
                param=f"metadata[{key}]",
            )
    both = {**kept, **given}
    left = {key: value for key, value in both.items() if value != ""}
    if len(left) > MOST_KEYS:
        raise ParameterError(f"Metadata may have at most {MOST_KEYS} keys.", param="metadata")
    return left

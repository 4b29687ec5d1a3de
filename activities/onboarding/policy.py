"""Reading the policy that the business keeps in `rules/policy.toml`."""

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from activities.onboarding.business_hours import NoSuchOffice, ReviewHours
from workflows.onboarding.policy import Policy


class BadPolicy(ValueError):
    """The policy file cannot be used; the text names the file and the field."""


def load_policy(file: Path, profile: str) -> Policy:
    """The policy of a profile: what `[production]` says, and over it what the profile says.

    The version is a hash of what holds, so that a decision can name the policy that it was taken
    under. Raises BadPolicy.
    """
    try:
        tables = tomllib.loads(file.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadPolicy(f"{file}: {error}") from error
    if profile not in tables:
        raise BadPolicy(f"{file}: there is no profile [{profile}]; it has {', '.join(tables)}")
    holds = _over(tables.get("production", {}), tables[profile])
    content = json.dumps(holds, sort_keys=True).encode()
    try:
        policy = Policy(version=hashlib.sha256(content).hexdigest()[:12], **holds)
        ReviewHours(policy.review)
    except (ValidationError, TypeError, NoSuchOffice) as error:
        raise BadPolicy(f"{file}, profile [{profile}]: {error}") from error
    return policy


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    nested = {
        name: _over(below[name], value)
        for name, value in above.items()
        if isinstance(value, dict) and isinstance(below.get(name), dict)
    }
    return below | above | nested

"""What the API says of itself is true: whatever is allowed is done, whatever is not is refused."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from gateway.roles import MAY
from tests.house import API_KEYS, House

HERE = Path(__file__).parent / "schemathesis"


BESIDES = ("POST /webhooks/stripe", "GET /healthz", "GET /readyz")
"""What is described besides the operations that take a role."""

PHASES = {
    "admin": "examples,coverage,fuzzing,stateful",
    "senior_reviewer": "examples,coverage,fuzzing",
    "service": "examples,coverage,fuzzing",
    "finance_operator": "examples,coverage,fuzzing",
    "finance_approver": "examples,coverage,fuzzing",
}
"""An admin is asked for everything, and each other one for what they may do and an admin may not.
What is refused to whom, test_roles.py looks at."""


@pytest.mark.slow
@pytest.mark.parametrize("role", PHASES)
async def test_nothing_is_answered_that_the_description_does_not_say(
    served: str, house: House, tmp_path: Path, role: str
) -> None:
    theirs = [op for op, roles in MAY.items() if role in roles and "admin" not in roles]
    async with house.working(max_cached_workflows=100):
        asking = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("schemathesis"),
            *("--config-file", HERE / "schemathesis.toml", "run", f"{served}/openapi.json"),
            *("--header", f"Authorization: Bearer {API_KEYS[role]}", "--no-color"),
            *("--phases", PHASES[role]),
            *(word for operation in theirs for word in ("--include-name", operation)),
            cwd=tmp_path,
            env=os.environ | {"SCHEMATHESIS_HOOKS": str(HERE / "hooks.py")},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        found, _ = await asking.communicate()
    assert asking.returncode == 0, found.decode()
    count = len(MAY) + len(BESIDES)
    assert f"{len(theirs) or count} selected / {count} total" in found.decode()


def test_each_operation_is_asked_for_by_somebody_who_may() -> None:
    assert all(set(roles) & set(PHASES) for roles in MAY.values())

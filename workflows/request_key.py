"""What a request key is: the name of one intended effect on the world.

The key is made in workflow code and is the same over retries, worker crashes, resets and
restarts, so that whoever carries the effect out can tell whether it was done before. It holds no
personal data, no clock, no random value and no attempt number.
"""

import hashlib
import json
import re

from pydantic import BaseModel, ConfigDict

_STEP = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")


class Message(BaseModel):
    """What travels between rooms: frozen, and strict about fields that it does not know.

    Processes outlive releases: only optional fields may be added to a message, none removed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class Request(Message):
    """The input of a step. A process fills `request_key` and `generation`; nobody else does.

    `generation` counts intentions under one key: it is raised when somebody asks again for an
    effect that was refused. `version` is the version of the subject (an application, say) that
    the step works from; a correction by an operator is a new version.
    """

    request_key: str = ""
    generation: int = 1
    version: int = 1


def request_key(workflow_id: str, step: str, part: str = "") -> str:
    """The key of `step` in the process `workflow_id`; `part` tells repeated uses of it apart.

    Raises ValueError for a step or part that could not be told apart in a key.
    """
    if not _STEP.fullmatch(step):
        raise ValueError(f"a step is named like billing.create_customer, not {step!r}")
    if not part:
        return f"{workflow_id}/{step}"
    if not _PART.fullmatch(part):
        raise ValueError(f"a part is a short name without spaces or slashes, not {part!r}")
    return f"{workflow_id}/{step}/{part}"


def outside_key(key: str, generation: int) -> str:
    """The key as the outside sees it: 34 characters that reveal nothing about us."""
    return "prd_" + hashlib.sha256(f"{key}#{generation}".encode()).hexdigest()[:30]


def message_id(key: str, domain: str) -> str:
    """The Message-ID of the one letter that a key stands for, in whichever generation it goes."""
    return f"<{outside_key(key, 1)}@{domain}>"


def content_hash(message: BaseModel, *, without: frozenset[str] = frozenset()) -> str:
    """SHA-256 over the sorted JSON of a message.

    Fields at their default are left out: adding an optional field in a release does not change
    the hash of what was sent before it.
    """
    content = message.model_dump(mode="json", exclude_defaults=True, exclude=set(without))
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def fingerprint(request: Request) -> str:
    """What an effect was asked with: the same key in the same generation must bring the same.

    The version is left out: a process that was reset may ask again from an older one for what it
    had done with a newer, and a correction is a new generation anyway.
    """
    return content_hash(request, without=frozenset({"request_key", "generation", "version"}))

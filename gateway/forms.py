"""What callers may send: forms that are strict where the messages behind them are plain."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from workflows.actor import Why
from workflows.onboarding.confirmation_link import TOKEN_PATTERN
from workflows.onboarding.messages import RefusalCode
from workflows.progress import Choice

_DATE = re.compile(r"\d{4}-\d\d-\d\d[T ]")


def written_out(value: Any) -> Any:
    """What stands for a time, where it is text. Any: what somebody sent. Raises ValueError."""
    # Numbers would be taken for seconds since 1970.
    if isinstance(value, str) and _DATE.match(value):
        return value
    raise ValueError("is not a time of ISO 8601 with its zone, such as 2026-01-31T09:30:00Z")


_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)


def _sayable(at: datetime) -> datetime:
    """The time, or the nearest that can be said in every zone: nothing happened beyond it."""
    return min(max(at, _EARLIEST), _LATEST)


Time = Annotated[AwareDatetime, BeforeValidator(written_out), AfterValidator(_sayable)]
"""A point in time, as text with its zone."""


class Form(BaseModel):
    """What a caller may send: what it does not name is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ReasonForm(Form):
    """Why somebody has done what the path says."""

    reason: Why


class WithdrawalForm(ReasonForm):
    """Why an application is taken back."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "the applicant changed their mind"}]}
    )


class ResendForm(ReasonForm):
    """Why the mail with the link is sent once more."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "the applicant found no mail"}]}
    )


class ConfirmationForm(Form):
    """The token at the end of a link."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"token": f"{'a' * 26}.1.1893456000.{'a' * 52}"}]}
    )

    token: Annotated[str, Field(max_length=200, json_schema_extra={"pattern": TOKEN_PATTERN})]


class FindingForm(ReasonForm):
    """Why an applicant is, or is not, who they say."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "passport seen in a video call"}]}
    )


class JudgementForm(Form):
    """What somebody found out about a hit of a screening."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "verdict": "false_positive",
                    "reason": "born in another year, as the passport shows",
                    "until": "2026-12-31T00:00:00Z",
                }
            ]
        }
    )

    verdict: Literal["false_positive", "confirmed"]
    reason: Why
    until: Time | None = Field(
        default=None,
        description="Until when a false positive is remembered. Left out, it is as long as the "
        "policy allows. Nothing for `confirmed`.",
    )

    @model_validator(mode="after")
    def _only_a_false_positive_is_forgotten(self) -> "JudgementForm":
        if self.verdict == "confirmed" and self.until is not None:
            raise ValueError("until goes with false_positive only: leave it out")
        return self


class RelationForm(Form):
    """How two onboardings are related that may be of one applicant, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"relation": "merge", "reason": "the same person, by the passport"}]
        }
    )

    relation: Literal["merge", "link"] = Field(
        description="merge: the same applicant, and the other one goes on in place of this one, "
        "which is turned down. link: both go on."
    )
    reason: Why


class AppealForm(ReasonForm):
    """Why somebody appeals against a rejection."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "the passport was renewed meanwhile"}]}
    )


class ResolutionForm(Form):
    """What is decided about something on the attention list.

    `step` is left out for a run that was ended from outside: `retry` then lets it go on from where
    it was, `abort` takes it back. It is left out, too, for a run whose code fails: `retry` has it
    go on from its last point.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "workflow_id": "onboarding/example/aaaaaaaaaaaaaaaaaaaaaaaaaa",
                    "step": "billing.create_customer",
                    "action": "retry",
                    "reason": "Stripe is up again",
                }
            ],
        }
    )

    workflow_id: Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
    step: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    action: Choice
    reason: Why
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        default=None, description="A corrected version of the application to retry with."
    )
    since: Time | None = Field(
        default=None,
        description="`since` of the item that you looked at: where the step was decided about and "
        "has parked anew meanwhile, yours is refused.",
    )

    @model_validator(mode="after")
    def _fits_a_lost_run(self) -> "ResolutionForm":
        if self.step is None and (
            self.action == "skip" or self.version is not None or self.since is not None
        ):
            raise ValueError("without a step: only retry or abort, no version and no since")
        return self


class ReopenForm(Form):
    """Which request is to be carried out again on purpose, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "key": "onboarding/example/aaaaaaaaaaaaaaaaaaaaaaaaaa/notice.welcome",
                    "reason": "the mail was lost at the provider",
                }
            ]
        }
    )

    key: Annotated[str, Field(pattern=r"^[!-~]{1,400}$")]
    reason: Why


class RefusalForm(Form):
    """What is wrong with a document: the applicant is told `code`, and never `reason`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"code": "unreadable"}]})

    code: RefusalCode
    reason: Why = "looked at it"


class AcceptanceForm(Form):
    """That a document is what was asked for; `valid_until` is the last day that it is valid."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}, {"valid_until": "2030-01-31"}]})

    reason: Why = "looked at it"
    valid_until: date | None = None

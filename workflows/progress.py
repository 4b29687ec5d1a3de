"""How far a process is, as people and programs read it."""

from datetime import datetime
from typing import Literal

from workflows.request_key import Message
from workflows.step import Kind

Choice = Literal["retry", "skip", "abort"]
StepState = Literal["running", "parked", "succeeded", "skipped", "given up"]

_GAP = "\u2003"
"""An em space at the end of a cell: the Web UI puts nothing between cells."""
_JOINT = "\u00a0"
"""A space at which no line ends: the Web UI's table is narrow."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MARKS: dict[StepState, str] = {
    "running": "⏳",
    "parked": "🛑",
    "succeeded": "✅",
    "skipped": "⏭",
    "given up": "✖",
}


class Reason(Message):
    """Why a step could not be done. `text` holds no personal data.

    refused      a definite no, which another try as it is would only meet again
    out of time  no answer that could be trusted within the step's budget
    """

    kind: Literal["refused", "out of time"]
    type: str
    text: str


class StepProgress(Message):
    """One step: its name, and the part that tells repeated uses of it apart."""

    step: str
    kind: Kind
    summary: str
    state: StepState
    started_at: datetime
    ended_at: datetime | None = None
    reason: Reason | None = None

    def as_row(self) -> str:
        """A row of the table in the Web UI."""
        took = f"{(self.ended_at - self.started_at).total_seconds():.1f} s" if self.ended_at else ""
        state = f"{_MARKS[self.state]} {self.state}".replace(" ", _JOINT)
        started = _clock(self.started_at).replace(" ", _JOINT)
        cells = f"{self.summary}{_GAP} | {state}{_GAP} | {started}{_GAP}"
        return f"| {cells} | {took.replace(' ', _JOINT)} |"


class Attention(Message):
    """A step that waits for somebody: who, since when, why, and what they may choose."""

    step: str
    summary: str
    owner: str
    since: datetime
    reason: Reason
    choices: tuple[Choice, ...]


class Waiting(Message):
    """What a process waits for while nothing is wrong, on whom, and until when."""

    what: str
    who: str
    until: datetime


class Progress(Message):
    """What `progress()` answers, and what the Web UI shows as the current details.

    `version` is the version of the subject (an application, say) that steps work from.
    """

    workflow_id: str
    stage: str
    version: int = 1
    stopping: str | None = None
    waiting: Waiting | None = None
    attention: tuple[Attention, ...] = ()
    steps: tuple[StepProgress, ...] = ()

    def as_markdown(self) -> str:
        """The same for the Web UI's current details: what needs doing first, then the table."""
        stopping = f", {self.stopping}" if self.stopping else ""
        lines = [f"**Stage:** {self.stage}{stopping}"]
        for item in self.attention:
            choices = " or ".join(item.choices)
            lines += [
                "",
                f"### 🛑 {item.summary}",
                f"- **Step:** `{item.step}`, parked since {_clock(item.since)} UTC",
                f"- **Why:** {item.reason.kind} (`{item.reason.type}`): {item.reason.text}",
                f"- **Who must act:** {item.owner}",
                f"- **What can be done:** {choices}, with `perdure attention resolve`",
            ]
        if self.waiting:
            until = _clock(self.waiting.until)
            lines += [
                "",
                f"**Waiting for:** {self.waiting.what} by {self.waiting.who} until {until} UTC",
            ]
        # Our own bookkeeping is of interest only while it hangs.
        shown = [one for one in self.steps if one.kind != "local" or one.state != "succeeded"]
        if shown:
            lines += ["", "| step | state | started (UTC) | took |", "|:--|:--|:--|:--|"]
        lines += [one.as_row() for one in shown]
        return "\n".join(lines)


def _clock(at: datetime) -> str:
    # Not strftime: it imports a module each time, which takes long in the sandbox.
    return f"{at.day:02} {_MONTHS[at.month - 1]} {at.time().isoformat('seconds')}"

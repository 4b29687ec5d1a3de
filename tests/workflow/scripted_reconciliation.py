"""Books that come out as a test says: every step of a reconciliation, scripted."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from tests.workflow.scripted import Scripted, production_policy, signed
from workflows.reconciliation.books import Status
from workflows.reconciliation.messages import (
    ENDS,
    Certified,
    Certify,
    Cut,
    Days,
    ForRun,
    Gathered,
    Matched,
    OfCut,
    OpenDay,
    Opened,
    OpenedNight,
    OpenNight,
    Post,
    Posted,
    Proven,
    RecordStage,
    Run,
    Shadowed,
    TakenUp,
    Tell,
    Withdrawal,
)
from workflows.reconciliation.steps import (
    GatherSteps,
    MatchSteps,
    OpeningSteps,
    PostSteps,
    ProofSteps,
    RunSteps,
    ShadowSteps,
)
from workflows.step import implements


class ScriptedBooks(
    Scripted, RunSteps, OpeningSteps, GatherSteps, MatchSteps, ShadowSteps, ProofSteps, PostSteps
):
    """Every step of reconciliations, done as the script says.

    earlier   how an earlier run of the same inputs came out
    status    how the proof of each run comes out
    due       what is due of each account, by its name: the first day and the last
    open_runs the run of each account that is open
    at_most   how many accounts a part of a night has, where that is less than is asked for
    """

    def __init__(self, status: Status = "BALANCED") -> None:
        super().__init__(production_policy())
        self.status: Status = status
        self.earlier: Status | None = None
        self.due: dict[str, tuple[date, date]] = {}
        self.open_runs: dict[str, Run] = {}
        self.at_most: int | None = None
        self.ordinals: dict[tuple[str, date], int] = {}
        self.ended: list[tuple[str, date, str]] = []
        self.certified: list[Certify] = []
        self.posted: list[Post] = []
        self.told: list[Tell] = []
        self.nights: list[OpenNight] = []

    @implements(RunSteps.take_up)
    async def take_up(self, request: ForRun) -> TakenUp:
        await self._play(RunSteps.take_up, request)
        return TakenUp(budgets=self.policy.budgets, rules_version="1", tenant="acme")

    @implements(RunSteps.record_stage)
    async def record_stage(self, request: RecordStage) -> None:  # type: ignore[override]
        await self._play(RunSteps.record_stage, request)
        if self._first_time(request):
            self.stages.append(request.stage)
            if request.stage in ENDS:
                self.ended.append((request.run.account, request.run.day, request.stage))
                self.open_runs.pop(request.run.account, None)

    @implements(OpeningSteps.open_night)
    async def open_night(self, request: OpenNight) -> OpenedNight:
        await self._play(OpeningSteps.open_night, request)
        self.nights.append(request)
        names = sorted(name for name in self.due if name > (request.after or ""))
        page = names[: self.at_most or request.limit]
        free = [name for name in page if name not in self.open_runs]
        return OpenedNight(
            runs=tuple(
                self._open(name, self.due[name][1])
                for name in free
                if self.due[name][0] == self.due[name][1]
            ),
            ranges=tuple(
                Days(account=name, first=self.due[name][0], last=self.due[name][1])
                for name in free
                if self.due[name][0] != self.due[name][1]
            ),
            busy=len(page) - len(free),
            next=page[-1] if len(names) > len(page) else None,
        )

    @implements(OpeningSteps.open_day)
    async def open_day(self, request: OpenDay) -> Opened:
        await self._play(OpeningSteps.open_day, request)
        if other := self.open_runs.get(request.account):
            return Opened(busy=other.workflow_id)
        return Opened(run=self._open(request.account, request.day))

    def _open(self, account: str, day: date) -> Run:
        ordinal = self.ordinals[account, day] = self.ordinals.get((account, day), 0) + 1
        self.open_runs[account] = Run(account=account, day=day, ordinal=ordinal)
        return self.open_runs[account]

    @implements(GatherSteps.processor)
    async def processor(self, request: ForRun) -> Gathered:
        await self._play(GatherSteps.processor, request)
        return Gathered(new=3)

    @implements(GatherSteps.statements)
    async def statements(self, request: ForRun) -> Gathered:
        await self._play(GatherSteps.statements, request)
        return Gathered(new=2)

    @implements(GatherSteps.journal)
    async def journal(self, request: ForRun) -> Gathered:
        await self._play(GatherSteps.journal, request)
        return Gathered(new=3)

    @implements(MatchSteps.fix)
    async def fix(self, request: ForRun) -> Cut:
        await self._play(MatchSteps.fix, request)
        earlier = "e" * 64 if self.earlier else None
        return Cut(cut_id=7, inputs_hash="h", certificate_id=earlier, status=self.earlier)

    @implements(MatchSteps.match)
    async def match(self, request: OfCut) -> Matched:
        await self._play(MatchSteps.match, request)
        return Matched(matches={"reference": 3}, timing=1)

    @implements(ShadowSteps.compare)
    async def compare(self, request: ForRun) -> Shadowed:
        await self._play(ShadowSteps.compare, request)
        return Shadowed(status=self.status, result_hash="r", matched=3)

    @implements(ProofSteps.prove)
    async def prove(self, request: OfCut) -> Proven:
        await self._play(ProofSteps.prove, request)
        return Proven(status=self.status, result_hash="r")

    @implements(ProofSteps.certify)
    async def certify(self, request: Certify) -> Certified:
        await self._play(ProofSteps.certify, request)
        if self._first_time(request):
            self.certified.append(request)
        return Certified(certificate_id="c" * 32)

    @implements(PostSteps.post)
    async def post(self, request: Post) -> Posted:
        await self._play(PostSteps.post, request)
        self.posted.append(request)
        return Posted(entries=2)

    @implements(PostSteps.tell)
    async def tell(self, request: Tell) -> None:
        await self._play(PostSteps.tell, request)
        self.told.append(request)


def run_withdrawal() -> Withdrawal:
    return Withdrawal(reason="the wrong day", by=signed(str(uuid4())))

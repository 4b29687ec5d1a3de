"""The reconciliation of one account for one business day, told from the sources to the posting."""

from temporalio import workflow

from workflows import search_attributes
from workflows.decisions import Taken
from workflows.process import Process
from workflows.reconciliation.messages import (
    END_OF,
    SHADOW_TRANSITIONS,
    TRANSITIONS,
    Certify,
    Cut,
    ForRun,
    OfCut,
    Post,
    Posted,
    Proven,
    RecordStage,
    Run,
    RunState,
    Shadowed,
    Tell,
    Withdrawal,
)
from workflows.reconciliation.steps import (
    GatherSteps,
    MatchSteps,
    PostSteps,
    ProofSteps,
    RunSteps,
    ShadowSteps,
)


@workflow.defn
class ReconcileAccount(Process[RunState]):
    """Our journal, the processor and the bank, compared for one account."""

    TRANSITIONS = TRANSITIONS
    UNDONE = frozenset()

    @workflow.init
    def __init__(self, run: Run) -> None:
        super().__init__("received", RunState(run=run))

    @workflow.run
    async def run(self, run: Run) -> str:
        """Reconcile, and answer how it came out."""
        return await self.carry_out(self.reconcile)

    async def reconcile(self) -> str:
        """The story."""
        run = self.state.run
        taken_up = await self.step(RunSteps.take_up, ForRun(run=run))
        self.budgets = taken_up.budgets
        workflow.upsert_search_attributes([search_attributes.TENANT.value_set(taken_up.tenant)])

        await self.enter("gathering")
        await self.together(
            self.step(GatherSteps.processor, ForRun(run=run)),
            self.step(GatherSteps.statements, ForRun(run=run)),
            self.step(GatherSteps.journal, ForRun(run=run)),
        )
        cut = await self.step(MatchSteps.fix, ForRun(run=run))
        if cut.certificate_id is None or cut.status is None:
            proven = await self.compare(cut)
            await self.enter("certifying")
            certificate, status = await self.certify(cut, proven), proven.status
        else:
            certificate, status = cut.certificate_id, cut.status

        if status in ("BALANCED", "BREAKS"):
            await self.enter("posting")
            # What is not posted today is due to be posted still, and the next run does it.
            await self.step(
                PostSteps.post,
                Post(run=run, cut_id=cut.cut_id, certificate_id=certificate),
                if_skipped=Posted(entries=0),
            )
        return END_OF[status]

    async def compare(self, cut: Cut) -> Proven:
        """Match what belongs together, say of the rest why it is open, and prove that it is all."""
        inputs = OfCut(run=self.state.run, cut_id=cut.cut_id)
        await self.enter("matching")
        await self.step(MatchSteps.match, inputs)
        await self.enter("proving")
        return await self.step(ProofSteps.prove, inputs)

    async def certify(self, cut: Cut, proven: Proven) -> str:
        """Have it certified, and tell those whom it concerns; answers the certificate's id."""
        run, status = self.state.run, proven.status
        certified = await self.step(
            ProofSteps.certify,
            Certify(run=run, cut_id=cut.cut_id, status=status, result_hash=proven.result_hash),
        )
        certificate = certified.certificate_id
        if status != "BALANCED":
            told = Tell(run=run, cut_id=cut.cut_id, status=status, certificate_id=certificate)
            self.tell(PostSteps.tell, told, part="result")
        return certificate

    async def record_stage(self, stage: str) -> None:
        """Keep the stage where lists are made from."""
        record = RecordStage.model_validate({"run": self.state.run, "stage": stage})
        await self.step(RunSteps.record_stage, record, part=stage)

    @workflow.update(description="Take the run back: possible until it is certified.")
    async def withdraw(self, withdrawal: Withdrawal) -> Taken:
        """Take the run back: nothing is certified or posted. Answers at once."""
        await self.verify(withdrawal, roles=("finance_operator", "operator", "admin"))
        return self.stop_for("withdrawn", withdrawal)

    @withdraw.validator
    def _may_withdraw(self, withdrawal: Withdrawal) -> None:
        self.must_be_able_to_end("withdrawn")


@workflow.defn
class ShadowReconciliation(Process[RunState]):
    """How a day would come out, by the rules of today: it stops after the proof.

    What is gathered are facts that every run shares; matches, breaks and certificates it keeps
    none, and its keys are its own.
    """

    TRANSITIONS = SHADOW_TRANSITIONS
    UNDONE = frozenset()

    @workflow.init
    def __init__(self, run: Run) -> None:
        super().__init__("received", RunState(run=run))
        self.result: Shadowed | None = None

    @workflow.run
    async def run(self, run: Run) -> str:
        """Try it out, and answer how it would come out."""
        return await self.carry_out(self.try_out)

    async def try_out(self) -> str:
        """The story."""
        asked = ForRun(run=self.state.run)
        taken_up = await self.step(RunSteps.take_up, asked)
        self.budgets = taken_up.budgets
        workflow.upsert_search_attributes([search_attributes.TENANT.value_set(taken_up.tenant)])
        await self.enter("gathering")
        await self.together(
            self.step(GatherSteps.processor, asked),
            self.step(GatherSteps.statements, asked),
            self.step(GatherSteps.journal, asked),
        )
        await self.enter("proving")
        self.result = await self.step(ShadowSteps.compare, asked)
        return END_OF[self.result.status]

    @workflow.query
    def found(self) -> Shadowed | None:
        """What was found; None until it is."""
        return self.result

    async def record_stage(self, stage: str) -> None:
        """No list has shadows in it."""

"""What follows from a run: postings, and those told whom it concerns."""

from sqlalchemy.ext.asyncio import AsyncEngine

from activities.heartbeat import heartbeating
from activities.letters import Letters
from database.connection import transaction
from database.journal.posting import post_evidence
from database.reconciliation import accounts
from workflows.reconciliation.messages import Post, Posted, Tell
from workflows.reconciliation.steps import PostSteps
from workflows.step import implements

_SUBJECTS = {
    "BREAKS": "Breaks",
    "INCOMPLETE": "Incomplete",
    "PROOF_FAILED": "Proof failed: a defect of ours",
}


class PostActivities(PostSteps):
    """Postings and notices. `finance` is the address that notices go to; None tells nobody.

    A proof that failed is our own defect: that is told to `operators`.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        letters: Letters,
        *,
        finance: str | None,
        operators: str | None,
    ) -> None:
        self._engine = engine
        self._letters = letters
        self._finance = finance
        self._operators = operators

    @implements(PostSteps.post)
    async def post(self, request: Post) -> Posted:
        """Post what the account has us post, from evidence that is matched and certified."""
        async with heartbeating(), transaction(self._engine) as connection:
            account = await accounts.of_name(connection, request.run.account)
            return Posted(entries=await post_evidence(connection, account))

    @implements(PostSteps.tell)
    async def tell(self, request: Tell) -> None:
        """Send the mail: what came out, and where to read it."""
        to = self._operators if request.status == "PROOF_FAILED" else self._finance
        if to is None:
            return
        run = request.run
        await self._letters.send(
            request,
            to=to,
            subject=f"{_SUBJECTS[request.status]}: {run.account}, {run.day}",
            text=(
                f"{run.workflow_id}: {request.status}\n\n"
                f"Certificate: {request.certificate_id}\n"
                f"  perdure reconcile show {run.account} {run.day}\n"
                f"  perdure breaks list --account {run.account}\n"
            ),
        )

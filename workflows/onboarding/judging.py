"""When people judge documents: those of an applicant, or of a customer."""

from collections.abc import Iterable
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.decisions import Taken
from workflows.onboarding.documents import Document, DocumentSteps, JudgeDocument
from workflows.onboarding.life import is_customer
from workflows.onboarding.messages import DocumentJudgement
from workflows.onboarding.state import Judged
from workflows.process import Process

Subject = TypeVar("Subject", bound=Judged)


class Judging(Process[Subject]):
    """A process whose documents people look at: they accept them, or refuse them."""

    def let_judge(self, found: Iterable[Document]) -> None:
        """Let people judge what is in the archive, where nobody has."""
        judged = {one.document_id for one in self.state.documents.judged}
        self.state.documents.open = [
            one.document_id
            for one in found
            if one.state == "stored" and one.document_id not in judged
        ]

    async def keep_judgements(self) -> None:
        """Keep what people decided: also while the process is being stopped."""
        process = workflow.info().workflow_id
        judged = self.state.documents.judged
        while judged:
            about = JudgeDocument.of(
                judged[0], self.state.application_id, process if is_customer(process) else None
            )
            await self._have_done(
                DocumentSteps.judge, about, part=about.document_id, if_skipped=None
            )
            judged.pop(0)

    @workflow.update(description="Accept a document, or refuse it and have it asked for again.")
    async def judge_document(self, judgement: DocumentJudgement) -> Taken:
        """Accept or refuse a document that nobody has judged. Answers as soon as it is accepted."""
        await self.verify(judgement, roles=("reviewer", "senior_reviewer"))
        # Somebody else may have judged it while the signature was checked.
        self._may_judge(judgement)
        self.state.documents.open.remove(judgement.document_id)
        self.state.documents.judged.append(judgement)
        return self.taken()

    @judge_document.validator
    def _may_judge(self, judgement: DocumentJudgement) -> None:
        if judgement.document_id not in self.state.documents.open:
            raise ApplicationError(
                "there is nothing to judge: the document is judged already, or no longer needed",
                type="NotToJudge",
            )

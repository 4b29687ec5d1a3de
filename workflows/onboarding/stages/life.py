"""What comes after the last stage: somebody watches over the customer."""

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from workflows import search_attributes
from workflows.onboarding.life import (
    CUSTOMER_LIFE,
    Accounts,
    LifeState,
    Made,
    customer_workflow_id,
)
from workflows.onboarding.life_steps import TAKEN_BACK
from workflows.onboarding.messages import (
    tenant_of,
)
from workflows.onboarding.policy import Policy
from workflows.onboarding.screening import HitJudged
from workflows.onboarding.stages.onboarding import Onboarding
from workflows.onboarding.steps import BillingSteps, IdentitySteps
from workflows.step import declaration_of

_IN_BILLING = declaration_of(BillingSteps.delete_customer).name
_CLOSED = declaration_of(BillingSteps.close_customer).name
_SESSION = declaration_of(IdentitySteps.close_session).name


class BeginningLife(Onboarding):
    """An onboarding after which the customer is watched over."""

    async def begin_life(self, policy: Policy, accounts: Accounts) -> None:
        """Start the life of the customer, where there is a policy for it. It outlives us.

        Of whom no table said how risky they are, it is taken to be in the middle.
        """
        if policy.life is None:
            return
        tenant = tenant_of(workflow.info().workflow_id)
        assert tenant is not None, "this is the process of an onboarding"
        now = workflow.now()
        state = LifeState(
            application_id=self.applicant,
            tenant=tenant,
            since=now,
            proved_at=now,
            policy=policy.life,
            budgets=policy.budgets,
            accounts=accounts,
            made=self._taken_back_at_the_end(),
            risk=self.state.risk or "medium",
            screening=policy.screening,
            list_version=self.state.list_version,
            hits_judged=self.state.hits.news,
            version=self.version,
        )
        try:
            life = await workflow.start_child_workflow(
                CUSTOMER_LIFE,
                state,
                id=customer_workflow_id(tenant, self.applicant),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=f"Customer of {tenant}",
                search_attributes=TypedSearchAttributes(
                    [
                        SearchAttributePair(search_attributes.TENANT, tenant),
                        SearchAttributePair(search_attributes.STAGE, state.stage),
                    ]
                ),
            )
        except WorkflowAlreadyStartedError:  # by this onboarding, before it was reset
            return
        if self.state.hits.news and not state.hits_judged:  # while it was being started
            await life.signal("hit_judged", HitJudged(event_id="onboarding"))

    def _taken_back_at_the_end(self) -> list[Made]:
        """What is taken back when the customer leaves. Invoices stay, and so does their customer.

        The identity session stays, too: it proves on what the decision rested.
        """
        made = []
        for one in self._conduct.undos:
            name = declaration_of(one.method).name
            name = _CLOSED if name == _IN_BILLING else name
            if name in TAKEN_BACK and name != _SESSION:
                made.append(Made(undo=name, of=one.of, part=one.part))
        return made

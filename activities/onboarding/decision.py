"""Deciding about an application by the tables of the business."""

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.rules.rulings import Rulings, UnknownVersion
from database import decisions, onboardings
from database.onboardings import Application
from workflows.onboarding.decision import Decide, Decided
from workflows.onboarding.review import ReviewTerms
from workflows.onboarding.rules import (
    DOCUMENTS,
    REVIEW,
    RISK,
    TIER,
    DocumentFacts,
    ReviewFacts,
    RiskFacts,
    RiskRuling,
    TierFacts,
)
from workflows.rules import Answered, AskedWith, Question, Route, RuleVersions, Ruling

_OUTCOMES = {"go_on": "approved", "review": "review", "reject": "rejected"}


class Deliberation:
    """One application before the tables, which are asked in the order of the business.

    What a process does not know is taken for what a person has to look at: nobody screened is a
    possible hit, and a company is not known by owners whom nobody checked.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        rulings: Rulings,
        versions: RuleVersions,
        application: Application,
        request: Decide,
    ) -> None:
        self._connection = connection
        self._rulings = rulings
        self._versions = versions
        self._application = application
        self._form = application.form
        self._request = request

    async def decide(self) -> Decided:
        """Ask every table; the last one has the last word. Raises what `Rulings.decide` raises."""
        form, kind = self._form, self._form["kind"]
        risk = await self._ask(RISK, self._risk_facts())
        tier = await self._ask(
            TIER,
            TierFacts(
                kind=kind,
                risk=risk.risk,
                monthly_volume=self._volume,
                account_manager=bool(form.get("account_manager")),
            ),
        )
        documents = await self._ask(
            DOCUMENTS, DocumentFacts(kind=kind, risk=risk.risk, tier=tier.tier)
        )
        review = await self._ask(
            REVIEW,
            ReviewFacts(
                risk=risk.risk,
                tier=tier.tier,
                risk_route=risk.route,
                tier_route=tier.route,
                documents_route=documents.route,
                appeal=self._application.appeal_of is not None,
            ),
        )
        said = _first_that_says(review.route, risk, tier, documents, review)
        terms = None
        if review.route == "review":
            asking = (one for one in (risk, tier, documents, review) if one.route == "review")
            terms = ReviewTerms(
                **review.model_dump(include=set(ReviewTerms.model_fields)),
                reasons=tuple(f"{one.table}/{one.row}" for one in asking),
            )
        return Decided.model_validate(
            {
                "outcome": _OUTCOMES[review.route],
                "rule": f"{said.table}/{said.row}",
                "rule_version": said.version,
                "codes": _codes(risk) if review.route == "reject" else (),
                "tier": tier.tier,
                "risk": risk.risk,
                "documents": documents.documents,
                "review": terms,
                "excluded": await self._excluded() if terms else (),
            }
        )

    async def _ask(self, question: Question[AskedWith, Answered], facts: AskedWith) -> Answered:
        version = self._versions.get(question.table)
        if version is None:
            raise UnknownVersion(f"the process took up no version of {question.table}")
        return await self._rulings.decide(
            self._connection,
            question,
            facts,
            workflow_id=self._application.workflow_id,
            version=version,
        )

    @property
    def _volume(self) -> int:
        return int(self._form.get("monthly_volume") or 0)

    def _risk_facts(self) -> RiskFacts:
        form, request = self._form, self._request
        of_a_company = form["kind"] == "company"
        named = bool(form.get("owners")) and bool(form.get("signatory"))
        return RiskFacts(
            kind=form["kind"],
            country=form["country"],
            identity=request.identity,
            screening=request.screening or "possible",
            politically_exposed=request.politically_exposed,
            possible_duplicate=request.possible_duplicate,
            owners_checked=not of_a_company or (named and request.screening is not None),
            monthly_volume=self._volume,
        )

    async def _excluded(self) -> tuple[str, ...]:
        """Who looks after the applicant, who wrote the application, and who decided before."""
        who = set(await onboardings.involved(self._connection, self._application))
        if self._application.appeal_of:
            who.update(await decisions.deciders(self._connection, self._application.appeal_of))
        return tuple(sorted(who))


def _first_that_says(route: Route, *rulings: Ruling) -> Ruling:
    """The ruling that the outcome is owed to: the first that says the same as the last."""
    return next(one for one in rulings if one.route == route)


def _codes(risk: RiskRuling) -> tuple[str, ...]:
    """What a rejected applicant is told: something in any case."""
    return risk.codes or ("not_accepted",)

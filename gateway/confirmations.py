"""An applicant confirms their address by the token in their mail, which may be sent once more.

Here that is for programs, as JSON.
"""

from datetime import UTC, datetime

from fastapi import APIRouter

from database import confirmations, inbox, onboardings
from database.confirmations import Asked
from database.connection import statement, transaction
from gateway import examples
from gateway.callers import Allowed, AskedTenant, tenant_to_act_for
from gateway.decisions import Ended, NoProcess, ended_from_outside, send
from gateway.forms import ConfirmationForm, ResendForm
from gateway.onboardings import KnownId
from gateway.openapi import answers, problems
from gateway.options import GatewayOptions, Options
from gateway.problems import Problem, not_found
from workflows.actor import SignedActor
from workflows.events import EMAIL_CONFIRMED, Event
from workflows.onboarding.application import Confirmed, Resent
from workflows.onboarding.confirmation_link import Link, link_of
from workflows.onboarding.messages import ConfirmationResend, workflow_id

router = APIRouter(prefix="/v1")


@router.post(
    "/confirmations",
    tags=["confirmations"],
    response_model=Confirmed,
    responses={
        **answers(Confirmed(id=examples.ID, confirmed_at=examples.AT), description="Confirmed"),
        **problems(400, 401, 403, 404, 410, 413, 415, 503),
    },
    summary="Confirm an address",
)
async def post(form: ConfirmationForm, caller: Allowed, options: Options) -> Confirmed:
    """Confirm an applicant's address by the token at the end of the link in their mail.

    For a page of your own that links lead to. Let a person press a button there: mail programs open
    links by themselves. Asking twice is fine, and gets the same answer.
    """
    link, asked = await look(options, form.token)
    if not caller.may_see(asked.tenant):
        raise _unknown()
    return await confirm(options, link, asked)


async def look(options: GatewayOptions, token: str) -> tuple[Link, Asked]:
    """What a token asks to confirm, and how that stands. Raises Problem (404 or 410)."""
    link = link_of(token)
    if link is None:
        raise _unknown()
    async with statement(options.engine) as connection:
        asked = await confirmations.asked(connection, link)
    if asked is None or not options.link_seals.accept(token, asked.email):
        raise _unknown()
    if asked.changed:
        raise Problem(
            410,
            "address-changed",
            "The address was changed since this mail went out: use the link in the mail that went "
            "to the new one.",
        )
    if asked.confirmed_at is None and asked.ended:
        raise Problem(
            410, "too-late", f"Too late to be confirmed: the onboarding is {asked.stage}."
        )
    if asked.confirmed_at is None and asked.expired:
        raise Problem(
            410, "link-expired", "The link has expired: have the mail sent again and use its link."
        )
    return link, asked


async def confirm(options: GatewayOptions, link: Link, asked: Asked) -> Confirmed:
    """Keep that an address is confirmed, and with it, in one transaction, the news of it.

    The news waits in the inbox like an event from outside: it reaches the process even if Temporal
    is down now.
    """
    id_ = link.application_id
    if asked.confirmed_at is not None:
        return Confirmed(id=id_, confirmed_at=asked.confirmed_at)
    async with transaction(options.engine) as connection:
        confirmed_at = await confirmations.confirm(connection, link, asked.workflow_id)
        if confirmed_at is not None:
            news = Event(
                source="perdure",
                event_id=f"confirmation/{id_}/{link.version}",
                type=EMAIL_CONFIRMED,
                object_id=id_,
                workflow_id=asked.workflow_id,
                happened_at=datetime.now(UTC),
            )
            await inbox.take_in(connection, [news])
    if confirmed_at is None:  # at the same moment by another request
        async with statement(options.engine) as connection:
            again = await confirmations.asked(connection, link)
        assert again is not None
        assert again.confirmed_at is not None
        return Confirmed(id=id_, confirmed_at=again.confirmed_at)
    options.news.set()
    return Confirmed(id=id_, confirmed_at=confirmed_at)


@router.post(
    "/onboardings/{id}/resend-confirmation",
    tags=["onboardings"],
    status_code=202,
    response_model=Resent,
    responses={
        **answers(
            Resent(id=examples.ID, stage="verifying_email"),
            status=202,
            description="Accepted; the mail goes out",
        ),
        **problems(400, 401, 403, 404, 409, 413, 415, 503),
    },
    summary="Send the confirmation mail again",
)
async def resend_confirmation(
    id: KnownId,
    form: ResendForm,
    caller: Allowed,
    options: Options,
    asked_tenant: AskedTenant = None,
) -> Resent:
    """Send the mail with the link once more, to the address that the application names now.

    That is possible while the address waits to be confirmed, so many times and each a pause after
    the last as the policy says. 429 with the code `too-soon` means that a mail has only just gone
    out; `Retry-After` says when the next one may.
    """
    tenant = tenant_to_act_for(caller, asked_tenant)
    process = workflow_id(tenant, id)

    def resend(by: SignedActor) -> ConfirmationResend:
        return ConfirmationResend(reason=form.reason, by=by, on_behalf_of=caller.on_behalf_of)

    signed = options.signer.sign(
        resend, workflow_id=process, update="resend_confirmation", by=caller.actor
    )
    try:
        taken = await send(options.client, process, "resend_confirmation", signed)
    except Ended as ended:
        raise _not_confirming(ended.end) from None
    except NoProcess:
        async with transaction(options.engine) as connection:
            row = await onboardings.one(connection, id, tenant=tenant)
        if row is None:
            raise not_found("onboarding") from None
        raise _not_confirming(row["stage"]) from None
    return Resent(id=id, stage=taken.stage)


def _not_confirming(stage: str | None) -> Problem:
    if stage is None:
        return ended_from_outside()
    return Problem(
        409,
        "not-confirming",
        f"No address waits to be confirmed: the onboarding is {stage}.",
    )


def _unknown() -> Problem:
    return Problem(
        404,
        "link-unknown",
        "This is no link of ours, or it was cut off: use it as it stands in the mail, or have the "
        "mail sent again.",
    )

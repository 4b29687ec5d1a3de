"""Payments come in here, once each, and are booked; here they are found again."""

import hashlib
import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import ConfigDict, field_validator
from sqlalchemy import RowMapping

from database import api_requests
from database.api_requests import Answer, ApiRequest
from database.connection import transaction
from database.journal import payments
from database.journal.payments import BeforeOpening, Told
from gateway import examples
from gateway.callers import Allowed, AskedTenant, tenant_to_see
from gateway.cursors import after, page_of
from gateway.etags import IfNoneMatch, tagged
from gateway.forms import written_out
from gateway.idempotency import IdempotencyKey, taken_once
from gateway.named_accounts import account_of
from gateway.openapi import answers, problems
from gateway.options import Options
from gateway.parameters import Cursor, Limit
from gateway.problems import FieldError, Problem, not_found
from workflows.reconciliation.payments import (
    AccountName,
    NewPayment,
    ObjectId,
    Payment,
    PaymentPage,
    Settlement,
    payment_id,
)
from workflows.request_key import content_hash

router = APIRouter(prefix="/v1/payments", tags=["payments"])

_ID = re.compile(r"[a-z2-7]{26}")
_EXAMPLE = Payment(
    id=examples.ID,
    account="acme",
    entry=f"payment/{examples.ID}",
    kind="charge",
    reference="order-4711",
    object_id="ch_1",
    amount_minor=10_000,
    currency="EUR",
    captured_at=examples.AT,
    fee_minor=350,
    settlement=None,
    effective_on=examples.AT.date(),
    period="2026-01",
    told_by="example-service",
    booked_at=examples.AT,
)


class PaymentForm(NewPayment):
    """A payment of an account. What a customer pays is positive, what goes back is negative."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "account": "acme",
                    "kind": "charge",
                    "reference": "order-4711",
                    "object_id": "ch_1",
                    "amount_minor": 10000,
                    "currency": "EUR",
                    "captured_at": "2026-01-31T09:30:00Z",
                    "fee_minor": 350,
                }
            ]
        }
    )

    account: AccountName

    @field_validator("captured_at", mode="before")
    @classmethod
    def _is_written_out(cls, value: Any) -> Any:  # Any: what somebody sent
        return written_out(value)


def known_id(
    payment: Annotated[str, Path(json_schema_extra={"pattern": f"^{_ID.pattern}$"})],
) -> str:
    """An id that a payment may have. Raises Problem (404)."""
    if not _ID.fullmatch(payment):
        raise not_found("payment")
    return payment


@router.post(
    "",
    status_code=201,
    response_model=Payment,
    responses={
        **answers(_EXAMPLE, status=201, description="Booked"),
        **problems(400, 401, 403, 404, 409, 413, 415, 503),
    },
    summary="Book a payment",
)
async def tell(
    form: PaymentForm, caller: Allowed, options: Options, key: IdempotencyKey
) -> Response:
    """Keep a payment and book it, once for each key.

    The same key with the same body gets the same answer again, with `Idempotent-Replayed: true`.
    """
    with taken_once():
        async with transaction(options.engine) as connection:
            account = await account_of(connection, caller, form.account)
            asked = ApiRequest(
                operation="payments.tell",
                tenant=account.tenant,
                key_hash=hashlib.sha256(key.encode()).hexdigest(),
                fingerprint=content_hash(form),
            )
            before = await api_requests.take(connection, asked)
            if before is not None:
                return _response(before, replayed=True)
            payment = NewPayment.model_validate(form.model_dump(exclude={"account"}))
            told = Told(payment_id(account.tenant, key), payment, caller.name)
            try:
                await payments.book(connection, account, [told])
            except BeforeOpening as early:
                raise _not_now(early) from None
            row = await payments.one(connection, told.id, tenant=account.tenant)
            assert row is not None, "it is there now"
            answer = Answer(201, _payment(row).model_dump(mode="json"))
            await api_requests.answered(connection, asked, answer)
    return _response(answer, replayed=False)


@router.get(
    "",
    response_model=PaymentPage,
    responses={
        **answers(PaymentPage(items=[_EXAMPLE], next=None)),
        **problems(401, 403, 503),
    },
    summary="List payments",
)
async def many(
    caller: Allowed,
    options: Options,
    *,
    asked_tenant: AskedTenant = None,
    account: AccountName | None = None,
    reference: Annotated[
        ObjectId | None, Query(description="What the service that told it calls it.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Payments that were told, those booked last first."""
    async with transaction(options.engine) as connection:
        rows = await payments.many(
            connection,
            tenant=tenant_to_see(caller, asked_tenant),
            account=account,
            reference=reference,
            after=after(cursor, _ID),
            limit=limit + 1,
        )
    page, following = page_of(rows, limit, lambda row: [row["booked_at"], row["id"]])
    answer = PaymentPage(items=[_payment(row) for row in page], next=following)
    return tagged(answer, if_none_match)


@router.get(
    "/{payment}",
    response_model=Payment,
    responses={**answers(_EXAMPLE), **problems(401, 403, 404, 503)},
    summary="Show a payment",
)
async def one(
    id_: Annotated[str, Depends(known_id)],
    caller: Allowed,
    options: Options,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One payment, and by which entry it was booked."""
    async with transaction(options.engine) as connection:
        row = await payments.one(connection, id_, tenant=caller.tenant)
    if row is None:
        raise not_found("payment")
    return tagged(_payment(row), if_none_match)


def _not_now(early: BeforeOpening) -> Problem:
    return Problem(
        422,
        "invalid",
        "1 field cannot be used.",
        errors=[
            FieldError(
                field="captured_at",
                message=f"is before the day that the account begins with: {early}",
            )
        ],
    )


def _response(answer: Answer, *, replayed: bool) -> Response:
    body = Payment.model_validate(answer.body)
    headers = {"Location": f"/v1/payments/{body.id}"}
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(body.model_dump_json(), answer.status, headers, "application/json")


def _payment(row: RowMapping) -> Payment:
    settled = row["settled_currency"]
    told: dict[str, Any] = {  # Any: the columns' own
        **{name: row[name] for name in _AS_THEY_ARE},
        "account": row["account_name"],
        "entry": row["entry_key"],
        "settlement": settled and Settlement(currency=settled, amount_minor=row["settled_minor"]),
    }
    return Payment.model_validate(told)


_AS_THEY_ARE = (
    *("id", "kind", "reference", "object_id", "amount_minor", "currency", "captured_at"),
    *("fee_minor", "effective_on", "period", "told_by", "booked_at"),
)

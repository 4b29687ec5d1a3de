"""Who may do what: one table, by which every request of the API is let in or not.

An operation that is not in it is let nobody in. What a role may do with things of other tenants,
or in a review that is not theirs, is decided further in. What only reviewers and finance may do is
theirs as people: a service's key does none of it, whatever its roles.
"""

from collections.abc import Mapping

from workflows.actor import Role

_OPERATORS: tuple[Role, ...] = ("operator", "admin")
_REVIEWERS: tuple[Role, ...] = ("reviewer", "senior_reviewer")
_FINANCE: tuple[Role, ...] = ("finance_operator", "finance_approver")
_SERVING: tuple[Role, ...] = ("service", "support", *_OPERATORS)
"""Those who act for an applicant."""

MAY: Mapping[str, tuple[Role, ...]] = {
    "POST /v1/onboardings": _SERVING,
    "GET /v1/onboardings": (*_SERVING, *_REVIEWERS),
    "GET /v1/onboardings/{id}": (*_SERVING, *_REVIEWERS),
    "GET /v1/onboardings/{id}/status": ("applicant", *_SERVING),
    "POST /v1/onboardings/{id}/status-token": _SERVING,
    "POST /v1/onboardings/{id}/withdraw": _SERVING,
    "POST /v1/onboardings/{id}/change": ("applicant", *_SERVING),
    "POST /v1/onboardings/{id}/appeal": ("applicant", "service", "support"),
    "POST /v1/onboardings/{id}/corrections": _OPERATORS,
    "POST /v1/onboardings/{id}/resend-confirmation": _SERVING,
    "POST /v1/confirmations": _SERVING,
    "GET /v1/onboardings/{id}/screening": (*_REVIEWERS, "admin"),
    "POST /v1/onboardings/{id}/screening/hits/{hit}/judgement": _REVIEWERS,
    "POST /v1/onboardings/{id}/documents": ("applicant", "service", "support"),
    "GET /v1/onboardings/{id}/documents": ("applicant", *_SERVING, *_REVIEWERS),
    "GET /v1/onboardings/{id}/documents/{document}": ("applicant", *_SERVING, *_REVIEWERS),
    "GET /v1/onboardings/{id}/documents/{document}/content": _REVIEWERS,
    "POST /v1/onboardings/{id}/documents/{document}/refusal": _REVIEWERS,
    "POST /v1/onboardings/{id}/documents/{document}/acceptance": _REVIEWERS,
    "GET /v1/identity-sessions": _REVIEWERS,
    "GET /v1/identity-sessions/{session}": _REVIEWERS,
    "POST /v1/identity-sessions/{session}/verified": _REVIEWERS,
    "POST /v1/identity-sessions/{session}/failed": _REVIEWERS,
    "GET /v1/reviews": (*_REVIEWERS, *_OPERATORS),
    "GET /v1/reviews/{id}": (*_REVIEWERS, *_OPERATORS),
    "POST /v1/reviews/{id}/claim": _REVIEWERS,
    "POST /v1/reviews/{id}/release": _REVIEWERS,
    "POST /v1/reviews/{id}/comments": _REVIEWERS,
    "POST /v1/reviews/{id}/approve": _REVIEWERS,
    "POST /v1/reviews/{id}/reject": _REVIEWERS,
    "GET /v1/reviews/{id}/duplicates": (*_REVIEWERS, *_OPERATORS),
    "POST /v1/reviews/{id}/duplicates/{other}": _REVIEWERS,
    "GET /v1/customers": (*_SERVING, *_REVIEWERS),
    "GET /v1/customers/{id}": (*_SERVING, *_REVIEWERS),
    "POST /v1/customers/{id}/offboard": ("service", *_OPERATORS),
    "POST /v1/customers/{id}/compare": _OPERATORS,
    "POST /v1/payments": ("service", "finance_operator", "admin"),
    "GET /v1/payments": ("service", *_FINANCE, *_OPERATORS),
    "GET /v1/payments/{payment}": ("service", *_FINANCE, *_OPERATORS),
    "POST /v1/accounts/{account}/opening": ("finance_operator",),
    "GET /v1/accounts/{account}/opening": (*_FINANCE, *_OPERATORS),
    "POST /v1/accounts/{account}/opening/approve": ("finance_approver",),
    "POST /v1/accounts/{account}/opening/refuse": ("finance_approver",),
    "GET /v1/accounts/{account}/periods": (*_FINANCE, *_OPERATORS),
    "POST /v1/accounts/{account}/periods/{month}/close": _FINANCE,
    "POST /v1/accounts/{account}/periods/{month}/lock": ("finance_approver",),
    "POST /v1/accounts/{account}/periods/{month}/reopen": ("finance_approver",),
    "GET /v1/accounts/{account}/balances": (*_FINANCE, *_OPERATORS),
    "GET /v1/accounts/{account}/open": (*_FINANCE, *_OPERATORS),
    "POST /v1/accounts": ("finance_operator", "admin"),
    "GET /v1/accounts": (*_FINANCE, *_OPERATORS),
    "GET /v1/accounts/{account}": (*_FINANCE, *_OPERATORS),
    "POST /v1/accounts/{account}/bank-accounts": ("finance_operator", "admin"),
    "POST /v1/reconciliations": ("finance_operator", *_OPERATORS),
    "POST /v1/reconciliations/range": ("finance_operator", *_OPERATORS),
    "POST /v1/reconciliations/shadows": ("finance_operator", *_OPERATORS),
    "GET /v1/reconciliations/shadows/{account}/{day}/{name}": (*_FINANCE, *_OPERATORS),
    "GET /v1/reconciliations": (*_FINANCE, *_OPERATORS),
    "GET /v1/reconciliations/{account}/{day}/{ordinal}": (*_FINANCE, *_OPERATORS),
    "POST /v1/reconciliations/{account}/{day}/{ordinal}/withdraw": (
        "finance_operator",
        *_OPERATORS,
    ),
    "GET /v1/certificates/{id}": (*_FINANCE, *_OPERATORS),
    "GET /v1/certificates/{id}/verification": (*_FINANCE, *_OPERATORS),
    "GET /v1/breaks": (*_FINANCE, *_OPERATORS),
    "GET /v1/breaks/{id}": (*_FINANCE, *_OPERATORS),
    "GET /v1/matches": (*_FINANCE, *_OPERATORS),
    "POST /v1/matches/{id}/unmatch": ("finance_operator",),
    "POST /v1/statements": ("service", "finance_operator", "admin"),
    "GET /v1/statements": (*_FINANCE, *_OPERATORS),
    "GET /v1/statements/{id}": ("service", *_FINANCE, *_OPERATORS),
    "POST /v1/statements/{id}/withdraw": ("finance_approver",),
    "POST /v1/statements/{id}/reinstate": ("finance_approver",),
    "GET /v1/attention": _OPERATORS,
    "POST /v1/attention/resolve": _OPERATORS,
    "POST /v1/attention/retry-all": _OPERATORS,
    "GET /v1/requests": _OPERATORS,
    "GET /v1/requests/show": _OPERATORS,
    "POST /v1/requests/reopen": ("admin",),
}
"""The roles that may use an operation, by its method and path. A key with any of them may."""


def who_may(method: str, path: str) -> tuple[Role, ...]:
    """The roles that may use an operation; nobody where the table does not name it."""
    return MAY.get(f"{method} {path}", ())


def takes_a_person(method: str, path: str) -> bool:
    """Whether a service may not do it: what is done in the name of reviewers or of finance alone.

    What others may do, too, an account or a run, say, is no judgement; and anybody may look.
    """
    roles = who_may(method, path)
    return method != "GET" and bool(roles) and set(roles) <= {*_REVIEWERS, *_FINANCE}


def in_words(roles: tuple[Role, ...]) -> str:
    """`reviewer, operator or admin`."""
    *others, last = roles
    return f"{', '.join(others)} or {last}" if others else last

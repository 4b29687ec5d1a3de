"""Identity: verification sessions, and what the applicant does at the hosted page."""

import json
import secrets
from typing import Any, Literal, NamedTuple

from simulators.stripe import metadata
from simulators.stripe.account import Account, Call, new_id
from simulators.stripe.collection import Document
from simulators.stripe.errors import ExecutionError, ParameterError, no_such
from simulators.stripe.operation import Operation, equal_to, listed

Outcome = Literal["verified", "failed", "processing"]

PAGE = "/_simulator/verify"
LINK_SECONDS = 48 * 3600
"""How long a link to the page lasts; one attempt uses it up before that."""
URL = "/v1/identity/verification_sessions"
EVENT = "identity.verification_session"
SCHEMA = """
CREATE TABLE IF NOT EXISTS stripe_applicants (
    session TEXT PRIMARY KEY,
    return_url TEXT,
    verified_outputs TEXT
);
CREATE TABLE IF NOT EXISTS stripe_verification_links (
    token TEXT PRIMARY KEY,
    session TEXT NOT NULL,
    expires REAL NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
);
"""
NOTHING_VERIFIED = dict.fromkeys(
    (
        "address",
        "dob",
        "email",
        "first_name",
        "id_number",
        "id_number_type",
        "last_name",
        "phone",
        "sex",
        "unparsed_place_of_birth",
        "unparsed_sex",
    )
)


class Link(NamedTuple):
    """A link to a session's page, and why it cannot be used any more: nothing while it can."""

    session: Document
    why_not: Literal["", "used", "expired"]


def create(account: Account, call: Call) -> Document:
    """Open a session, which waits for the applicant at its `url`."""
    given = call.parameters
    flow = given.get("verification_flow")
    if flow is None and "type" not in given:
        raise ParameterError(
            "Missing required param: type.", code="parameter_missing", param="type"
        )
    if given.get("related_customer") is not None:
        _check_customer(account, given["related_customer"])
    session_id = new_id("vs_1", 24)
    session: Document = {
        "id": session_id,
        "object": "identity.verification_session",
        "client_reference_id": given.get("client_reference_id"),
        "client_secret": new_id(f"{session_id}_secret_", 32),
        "created": account.now(),
        "last_error": None,
        "last_verification_report": None,
        "livemode": False,
        "metadata": metadata.merged({}, given.get("metadata", {})),
        "options": _options(given.get("type", "document"), given),
        "provided_details": given.get("provided_details"),
        "redaction": None,
        "related_customer": given.get("related_customer"),
        "related_customer_account": None,
        "status": "requires_input",
        "type": "verification_flow" if flow else given["type"],
        "url": _new_link(account, session_id, call),
    }
    if flow is not None:
        session["verification_flow"] = flow
    account.verification_sessions.add(session)
    account.storage.run(
        "INSERT INTO stripe_applicants VALUES (?, ?, NULL)", (session_id, given.get("return_url"))
    )
    account.emit(f"{EVENT}.created", session, call)
    return session


def retrieve(account: Account, call: Call) -> Document:
    """One session as it is now, with a new link to its page while it has one."""
    session = existing(account, call.path["session"])
    if session["url"] is None:
        return session
    return session | {"url": _new_link(account, session["id"], call)}


def update(account: Account, call: Call) -> Document:
    """Change what is asked of the applicant, while the session waits for input."""
    before = existing(account, call.path["session"])
    _require(before, "requires_input", "updated")
    given = call.parameters
    after = dict(before)
    if "metadata" in given:
        after["metadata"] = metadata.merged(before["metadata"], given["metadata"])
    if "provided_details" in given:
        after["provided_details"] = (before["provided_details"] or {}) | given["provided_details"]
    if "type" in given or "options" in given:
        after["type"] = given.get("type", before["type"])
        after["options"] = _options(after["type"], given)
    account.verification_sessions.replace(after)
    return after


def cancel(account: Account, call: Call) -> Document:
    """End a session that waits for input; it cannot be opened again."""
    session = existing(account, call.path["session"])
    _require(session, "requires_input", "canceled")
    return _turn(account, session, "canceled", call, closed=True)


def redact(account: Account, call: Call) -> Document:
    """Take everything personal out of a session; one that waits for input ends as canceled.

    The real thing takes up to four days; here it is done at once.
    """
    session = existing(account, call.path["session"])
    if session["status"] == "processing":
        raise ExecutionError("A session that is being processed cannot be redacted.")
    if session["redaction"] is not None:
        return session
    if session["status"] == "requires_input":
        session = _turn(account, session, "canceled", call, closed=True)
    session |= {"metadata": {}, "provided_details": None, "redaction": {"status": "redacted"}}
    account.verification_sessions.replace(session)
    account.storage.run(
        "UPDATE stripe_applicants SET verified_outputs = NULL WHERE session = ?", (session["id"],)
    )
    account.emit(f"{EVENT}.redacted", session, call)
    return session


def list_all(account: Account, call: Call) -> str:
    """Sessions, newest first."""
    conditions = equal_to(call, "status", "client_reference_id", "related_customer")
    return listed(
        account.verification_sessions, call, name="session", url=URL, conditions=conditions
    )


def submit(
    account: Account,
    session_id: str,
    outcome: Outcome,
    code: str | None = None,
    verified_outputs: Document | None = None,
) -> Document:
    """What the applicant did: the check passed, failed for a reason, or is still being made."""
    session = existing(account, session_id)
    if session["status"] not in ("requires_input", "processing"):
        raise ExecutionError(f"The session is {session['status']}: nothing can be submitted.")
    if session["status"] == "requires_input":
        session = _turn(account, session, "processing", None, last_error=None)
    if outcome == "processing":
        return session
    report = new_id("vr_1", 24)
    if outcome == "failed":
        error = {"code": code or "document_unverified_other", "reason": "The check did not pass."}
        return _turn(
            account,
            session,
            "requires_input",
            None,
            last_error=error,
            last_verification_report=report,
        )
    account.storage.run(
        "UPDATE stripe_applicants SET verified_outputs = ? WHERE session = ?",
        (json.dumps(NOTHING_VERIFIED | (verified_outputs or {})), session_id),
    )
    return _turn(account, session, "verified", None, closed=True, last_verification_report=report)


def link(account: Account, token: str) -> Link | None:
    """What a token leads to; None if no link ever had it."""
    row = account.storage.row(
        "SELECT session, expires, used FROM stripe_verification_links WHERE token = ?", (token,)
    )
    if row is None:
        return None
    session, expires, used = row
    expired = account.clock.now() >= expires
    return Link(existing(account, session), "used" if used else "expired" if expired else "")


def use_up(account: Account, token: str) -> None:
    """The attempt that a link was for has been made."""
    account.storage.run("UPDATE stripe_verification_links SET used = 1 WHERE token = ?", (token,))


def return_url(account: Account, session_id: str) -> str | None:
    """Where the hosted page sends the applicant afterwards."""
    row = account.storage.row(
        "SELECT return_url FROM stripe_applicants WHERE session = ?", (session_id,)
    )
    return None if row is None else row[0]


def existing(account: Account, session_id: str) -> Document:
    """The session; raises ExecutionError if there is none."""
    session = account.verification_sessions.get(session_id)
    if session is None:
        raise no_such("identity.verification_session", session_id)
    return session


def _new_link(account: Account, session_id: str, call: Call) -> str:
    token = secrets.token_urlsafe(24)
    account.storage.run(
        "INSERT INTO stripe_verification_links (token, session, expires) VALUES (?, ?, ?)",
        (token, session_id, account.clock.now() + LINK_SECONDS),
    )
    return f"{call.base_url}{PAGE}/{token}"


def _turn(
    account: Account,
    session: Document,
    status: str,
    call: Call | None,
    *,
    closed: bool = False,
    **fields: Any,
) -> Document:
    """Bring a session to a status and tell of it; a closed one has no page any more."""
    after = {**session, **fields, "status": status}
    if closed:
        after |= {"client_secret": None, "url": None}
    account.verification_sessions.replace(after)
    account.emit(f"{EVENT}.{status}", after, call)
    return after


def _require(session: Document, status: str, done: str) -> None:
    if session["status"] != status:
        raise ExecutionError(f"A session that is {session['status']} cannot be {done}.")


def _check_customer(account: Account, customer: str) -> None:
    if account.customers.get(customer) is None:
        raise no_such("customer", customer, param="related_customer", status=400)


def _options(session_type: str, given: Document) -> Document:
    if session_type == "id_number":
        return {"id_number": {}}
    return {"document": (given.get("options") or {}).get("document") or {}}


def _verified_outputs(account: Account, session: Document) -> Document | None:
    row = account.storage.row(
        "SELECT verified_outputs FROM stripe_applicants WHERE session = ?", (session["id"],)
    )
    return None if row is None or row[0] is None else json.loads(row[0])


EXPANDABLE = {"verified_outputs": _verified_outputs}
NOT_AT_CREATION = frozenset({"related_customer_account", "related_person"})
NOT_IN_A_LIST = frozenset({"related_customer_account"})
OPERATIONS = (
    Operation("POST", URL, create, EXPANDABLE, NOT_AT_CREATION),
    Operation("GET", URL, list_all, EXPANDABLE, NOT_IN_A_LIST),
    Operation("GET", f"{URL}/{{session}}", retrieve, EXPANDABLE),
    Operation("POST", f"{URL}/{{session}}", update, EXPANDABLE),
    Operation("POST", f"{URL}/{{session}}/cancel", cancel, EXPANDABLE),
    Operation("POST", f"{URL}/{{session}}/redact", redact, EXPANDABLE),
)

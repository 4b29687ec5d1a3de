"""The objects API: create, read, list, upsert and archive records."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.clock import Clock
from simulators.crm.conformance import Conformance
from simulators.crm.errors import MEDIA_TYPE, Refusal, invalid, missing
from simulators.crm.records import ID_PROPERTIES, KNOWN, UNIQUE, Kind, Properties, Record, Records
from simulators.facts import Violation
from simulators.storage import Storage

Body: TypeAlias = dict[str, Any]  # Any: checked by the field facts
Answered: TypeAlias = tuple[int, Body | None]

ROOT = "/crm/v3/objects"
EMAIL = re.compile(r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$")
PLACE = re.compile(r"[0-9]{1,18}")  # of a page; SQLite knows no larger numbers
MOST_IN_A_BATCH = 100
MOST_IN_A_PAGE = 100
USUAL_IN_A_PAGE = 10
NOT_SIMULATED = frozenset({"archived", "associations", "propertiesWithHistory"})
"""What HubSpot takes and the simulator does not: refused, so that nobody believes an answer."""
log = structlog.get_logger("simulators.crm")


class ObjectsApi:
    """The operations on one kind of records."""

    def __init__(
        self, storage: Storage, clock: Clock, records: Records, facts: Conformance, kind: Kind
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._records = records
        self._facts = facts
        self._kind = kind

    def routes(self) -> list[Route]:
        """The routes; the literal path comes before the one with an id."""
        path = f"{ROOT}/{self._kind}"
        number = {"contacts": "contactId", "companies": "companyId"}[self._kind]
        one = f"{path}/{{{number}}}"
        return [
            self._route("POST", f"{path}/batch/upsert", self.upsert),
            self._route("GET", path, self.listed),
            self._route("POST", path, self.create),
            self._route("GET", one, lambda query, _, id_: self.read(query, id_)),
            self._route("DELETE", one, lambda _, __, id_: self.archive(id_)),
        ]

    def create(self, _: Mapping[str, str], body: Body, __: str) -> Answered:
        """Add one record."""
        if body["associations"]:
            raise invalid("The simulator has no associations.")
        record = self._records.create(self._kind, self._checked(body["properties"]))
        return 201, record.shown(KNOWN[self._kind])

    def read(self, query: Mapping[str, str], id_: str) -> Answered:
        """One record, by its number or by a property that is unique."""
        name = query.get("idProperty")
        if name is not None and name not in ID_PROPERTIES[self._kind]:
            raise invalid(f"{name} is not a unique property.")
        found = (
            self._records.by_id(self._kind, id_)
            if name is None
            else self._records.by_property(self._kind, name, id_)
        )
        if found is None:
            raise missing()
        return 200, found.shown(_wanted(query))

    def listed(self, query: Mapping[str, str], _: Body, __: str) -> Answered:
        """A page of the records, oldest first."""
        limit, after = query.get("limit", str(USUAL_IN_A_PAGE)), query.get("after", "0")
        readable = PLACE.fullmatch(limit) and PLACE.fullmatch(after)
        if not readable or not 1 <= int(limit) <= MOST_IN_A_PAGE:
            raise invalid("limit must be between 1 and 100, and after come from a page.")
        found = self._records.page(self._kind, int(limit) + 1, int(after))
        page: Body = {"results": [each.shown(_wanted(query)) for each in found[: int(limit)]]}
        if len(found) > int(limit):
            page["paging"] = {"next": {"after": str(found[int(limit) - 1].id)}}
        return 200, page

    def upsert(self, _: Mapping[str, str], body: Body, __: str) -> Answered:
        """Change or create each record by a unique property.

        Where every input has an `objectWriteTraceId` each stands for itself, and 207 tells which
        failed; otherwise the first that fails fails all.
        """
        inputs = body["inputs"]
        if not 1 <= len(inputs) <= MOST_IN_A_BATCH:
            raise invalid(f"A batch has between 1 and {MOST_IN_A_BATCH} inputs.")
        each_for_itself = all("objectWriteTraceId" in each for each in inputs)
        started = self._now()
        results: list[Body] = []
        errors: list[Body] = []
        for each in inputs:
            try:
                results.append(self._upserted(each))
            except Refusal as refusal:
                if not each_for_itself:
                    raise
                errors.append(_standard_error(refusal, each))
        answer: Body = {
            "status": "COMPLETE",
            "results": results,
            "startedAt": started,
            "completedAt": self._now(),
        }
        if errors:
            answer |= {"errors": errors, "numErrors": len(errors)}
        return 207 if errors else 200, answer

    def archive(self, id_: str) -> Answered:
        """Put a record away. One that is away already stays so."""
        found = self._records.by_id(self._kind, id_)
        if found is not None:
            self._records.archive(found)
        return 204, None

    def _upserted(self, given: Body) -> Body:
        properties = self._checked(given["properties"])
        name = given.get("idProperty")
        if name not in ID_PROPERTIES[self._kind]:
            raise invalid(f"{name} is not a unique property.")
        if not given["id"]:
            raise invalid("An input has no id.")
        key = self._checked({name: given["id"]})
        found = self._records.by_property(self._kind, name, key[name])
        record: Record
        if found is None:
            record = self._records.create(self._kind, properties | key)
        else:
            record = self._records.change(found, properties)
        trace = {name: given[name] for name in ("objectWriteTraceId",) if name in given}
        return {**record.shown(frozenset({*properties, UNIQUE})), "new": found is None, **trace}

    def _checked(self, properties: Properties) -> Properties:
        """The properties as they are kept. Raises Refusal (400)."""
        for name in properties:
            if name not in KNOWN[self._kind]:
                raise invalid(f'Property "{name}" does not exist')
        email = properties.get("email")
        if not email:
            return properties
        if not EMAIL.match(email.strip()):
            raise invalid(f"Email address {email} is invalid")
        return {**properties, "email": email.strip().lower()}

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock.now(), UTC).isoformat(timespec="milliseconds")

    def _route(
        self, method: str, path: str, run: Callable[[Mapping[str, str], Body, str], Answered]
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            text = (await request.body()).decode(errors="replace") or "null"
            try:
                status, body = self._run(f"{method} {path}", request, text, run)
            except Refusal as refusal:
                self._facts.check_error(refusal.body)
                return Response(refusal.body, refusal.status, media_type=MEDIA_TYPE)
            return Response(body, status, media_type=MEDIA_TYPE if body else None)

        return Route(path, endpoint, methods=[method])

    def _run(
        self,
        operation: str,
        request: Request,
        text: str,
        run: Callable[[Mapping[str, str], Body, str], Answered],
    ) -> tuple[int, str]:
        if unknown := request.query_params.keys() - self._facts.query(operation):
            raise invalid(f"There is no parameter {', '.join(sorted(unknown))}.")
        if beyond := request.query_params.keys() & NOT_SIMULATED:
            raise invalid(f"The simulator does not have {', '.join(sorted(beyond))}.")
        try:
            self._facts.check_body(operation, text)
        except Violation as violation:
            raise invalid(f"Invalid input JSON: {violation}") from None
        id_ = next(iter(request.path_params.values()), "")
        with self._storage.transaction():
            status, answer = run(request.query_params, json.loads(text), id_)
            body = "" if answer is None else json.dumps(answer, ensure_ascii=False)
            try:
                self._facts.check_answer(operation, status, body)
            except Violation as violation:
                log.error(  # noqa: TRY400 - the text says all
                    "the answer breaks the field facts", violation=str(violation)
                )
                text = f"The simulator's own defect, against the field facts: {violation}"
                raise Refusal(500, "INTERNAL_ERROR", text) from None
        return status, body


def _wanted(query: Mapping[str, str]) -> frozenset[str]:
    return frozenset(query.get("properties", "").split(","))


def _standard_error(refusal: Refusal, given: Body) -> Body:
    return {
        "status": "error",
        "category": refusal.category,
        "message": str(refusal),
        "context": {"objectWriteTraceId": [given["objectWriteTraceId"]]},
        "errors": [],
        "links": {},
    }

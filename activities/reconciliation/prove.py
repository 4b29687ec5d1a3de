"""Proving what was matched, and certifying it."""

from itertools import islice

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.heartbeat import heartbeating
from activities.reconciliation import page, report
from database.connection import transaction
from database.reconciliation import certificates, reports, results
from workflows.reconciliation.break_list import BreakLine
from workflows.reconciliation.messages import Certified, Certify, OfCut, Proven
from workflows.reconciliation.steps import ProofSteps
from workflows.step import implements


class ProofActivities(ProofSteps):
    """Proof and certificate, from what a run left in our database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @implements(ProofSteps.prove)
    async def prove(self, request: OfCut) -> Proven:
        """Prove the bridge on what is matched now."""
        async with heartbeating(), transaction(self._engine) as connection:
            found = await certificates.draft(connection, request.cut_id)
        missing = tuple(dict.fromkeys(one.lack for one in found.missing))
        return Proven(status=found.status, result_hash=found.result_hash, missing=missing)

    @implements(ProofSteps.certify)
    async def certify(self, request: Certify) -> Certified:
        """Keep the certificate and what it reads like: as a file, as a page, its list of breaks."""
        async with heartbeating(), transaction(self._engine) as connection:
            id_ = await certificates.certify(connection, request.cut_id)
            if not await reports.are_there(connection, id_):
                await self._write(connection, id_)
        return Certified(certificate_id=id_)

    async def _write(self, connection: AsyncConnection, id_: str) -> None:
        certificate = await certificates.read(connection, id_)
        breaks: list[BreakLine] = [line async for line in results.break_lines(connection)]
        listed = "".join(report.break_list(certificate, breaks)).encode()
        printed = page.page(certificate, islice(breaks, page.LARGEST)).encode()
        await reports.keep(connection, id_, "json", report.as_json(certificate))
        await reports.keep(connection, id_, "csv", listed)
        await reports.keep(connection, id_, "html", printed)

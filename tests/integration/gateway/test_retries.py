"""Many parked steps are retried at once, each by a decision of its own; none holds up another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from gateway.attention import running_page
from tests.documents import PDF, spool_of, take_in
from tests.house import House
from tests.integration.gateway.conftest import Gateway, problem, until
from tests.integration.gateway.test_attention import waiting
from tests.integration.gateway.test_callers_tools import Perdure, out, perdure
from tests.integration.gateway.test_documents import asked_for, collecting, path_of
from workflows.onboarding.documents import DocumentsChanged
from workflows.onboarding.stages.documents import CollectingDocuments

__all__ = ["perdure"]

PATH = "/v1/attention/retry-all"
TYPE = "archive.not_in_spool"
FILTER = {"step": "documents.store", "reason_type": TYPE, "reason": "the spool is back"}


@asynccontextmanager
async def three_parked(gateway: Gateway) -> AsyncIterator[dict[str, str]]:
    """Three onboardings whose documents are not in the spool: the documents by workflow id."""
    house = gateway.house
    ids = [await house.apply() for _ in range(3)]
    async with collecting(house, *ids):
        documents = {}
        for id_ in ids:
            await asked_for(gateway, id_)
            document = await take_in(house, id_)
            spool_of(house).drop(document)
            process = f"onboarding/acme/{id_}"
            documents[process] = document
            handle: WorkflowHandle[Any, str] = house.client.get_workflow_handle(process)
            hint = DocumentsChanged(event_id=document)
            await handle.signal(CollectingDocuments.documents_changed, hint)
        await until(lambda: waiting(gateway), lambda items: len(items) == 3)
        yield documents


def put_back(house: House, *documents: str) -> None:
    for document in documents:
        part = spool_of(house).begin()
        part.write(PDF)
        part.keep(document)
        part.close()


async def stored(gateway: Gateway, process: str, document: str) -> None:
    path = path_of(process.rsplit("/", 1)[1], document)

    async def state() -> str:
        return str((await gateway.operator.get(path)).json()["state"])

    await until(state, lambda found: found == "stored")


async def test_all_that_fit_are_retried_and_each_says_what_came_of_it(
    gateway: Gateway, house: House
) -> None:
    async with three_parked(gateway) as documents:
        looked = (await gateway.operator.post(PATH, FILTER)).json()
        assert looked["dry_run"] is True, "whoever says nothing looks first"
        assert {one["outcome"] for one in looked["items"]} == {"fits"}
        assert {one["workflow_id"] for one in looked["items"]} == set(documents)
        assert await house.rows("SELECT * FROM decisions WHERE kind = 'resolve'") == []

        back = list(documents.values())[:2]
        put_back(house, *back)
        answer = await gateway.operator.post(PATH, FILTER | {"dry_run": False})
        assert answer.status_code == 200, answer.text
        assert [one["outcome"] for one in answer.json()["items"]] == ["taken"] * 3
        for process, document in documents.items():
            if document in back:
                await stored(gateway, process, document)
        # What is not mended parks anew: another parking, which another retry finds.
        (left,) = await until(lambda: waiting(gateway), lambda items: len(items) == 1)
        put_back(house, documents[left["workflow_id"]])
        again = (await gateway.operator.post(PATH, FILTER | {"dry_run": False})).json()["items"]
        assert [(one["workflow_id"], one["outcome"]) for one in again] == [
            (left["workflow_id"], "taken")
        ]
        await stored(gateway, left["workflow_id"], documents[left["workflow_id"]])
    decided = await house.rows("SELECT * FROM decisions WHERE kind = 'resolve'")
    assert len(decided) == 4
    assert {(one["actor"], one["reason"]) for one in decided} == {
        ("test-operator", "the spool is back")
    }
    assert all(one["signature"] for one in decided)


async def test_a_filter_takes_only_what_fits_and_somebody_quicker_is_told(
    gateway: Gateway, perdure: Perdure, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with three_parked(gateway) as documents:
        for other in (
            {"step": "documents.erase"},
            {"reason_type": "archive.folder"},
            {"reason_kind": "out of time"},
            {"owner": "reviewer"},
            {"step": "documents.store", "tenant": "other"},
        ):
            answer = await gateway.operator.post(PATH, {"reason": "looked"} | other)
            assert answer.json()["items"] == [], other
        (process, document), *_ = documents.items()
        alone = FILTER | {"step": f"documents.store/{document}"}
        assert len((await gateway.operator.post(PATH, alone)).json()["items"]) == 1
        paged = (await gateway.operator.post(PATH, FILTER | {"limit": 2})).json()
        rest = (await gateway.operator.post(PATH, FILTER | {"cursor": paged["next"]})).json()
        assert len(paged["items"]) + len(rest["items"]) == 3

        retry = ("attention", "retry", "--step", "documents.store", "--reason", "looked")
        shown = out(await perdure(*retry, "--reason-type", TYPE, "--dry-run", "--json"))
        assert [one["outcome"] for one in shown["items"]] == ["fits"] * 3
        assert "Nothing fits" in (await perdure(*retry, "--reason-kind", "out of time")).stdout

        put_back(gateway.house, *documents.values())

        async def after_somebody_else(*given: Any) -> Any:
            found, following = await looking(*given)
            body = {"workflow_id": process, "action": "retry", "reason": "quicker"}
            step = f"documents.store/{document}"
            await gateway.operator.post("/v1/attention/resolve", body | {"step": step})
            return found, following

        looking = running_page
        with monkeypatch.context() as patch:
            patch.setattr("gateway.retries.running_page", after_somebody_else)
            answer = await gateway.operator.post(PATH, FILTER | {"dry_run": False})
        outcomes = {one["workflow_id"]: one for one in answer.json()["items"]}
        assert outcomes.pop(process)["code"] == "not-parked"
        assert {one["outcome"] for one in outcomes.values()} == {"taken"}
        for each, its in documents.items():
            await stored(gateway, each, its)


async def test_a_retry_of_everything_or_by_others_is_refused(gateway: Gateway) -> None:
    everything = await gateway.operator.post(PATH, {"reason": "looked", "dry_run": False})
    problem(everything, 422, "invalid")
    for door in (gateway.service, gateway.reviewer):
        problem(await door.post(PATH, FILTER), 403, "role-missing")
    wrong = FILTER | {"cursor": "AAAA"}
    assert (await gateway.operator.post(PATH, wrong)).status_code in (400, 422)

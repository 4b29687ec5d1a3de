"""Documents come in at the door: whole, once, only what was asked for, and whatever dies."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from activities.failures import FailureInterceptor
from database.connection import DatabaseDown
from database.spool import Part
from tests.documents import JPEG, KIND, PDF, PNG, ask, in_archive, in_spool, row_of
from tests.house import API_KEYS, TENANT, House
from tests.integration.gateway.conftest import Door, Gateway, gateway_of, problem, until
from tests.integration.gateway.test_callers_tools import Perdure, out, perdure, refused
from tests.patience import SOON
from tests.s3 import running_s3
from tests.workflow.scripted_documents import OnlyDocuments
from workers import onboarding
from workers.temporal_worker import worker
from workflows.client import PerdureClient
from workflows.onboarding.messages import TASK_QUEUE, Start

SMALL = 200_000
__all__ = ["perdure"]


@pytest.fixture
async def waiting(gateway: Gateway) -> str:
    """An onboarding that waits for a document."""
    id_ = await gateway.house.apply()
    await ask(gateway.house, id_)
    return id_


def path_of(id_: str, document: str = "") -> str:
    return f"/v1/onboardings/{id_}/documents" + (f"/{document}" if document else "")


async def upload(
    door: Door, id_: str, content: object = PDF, kind: str = KIND, **headers: str
) -> httpx.Response:
    given = {"Content-Type": "application/octet-stream"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return await door.send(
        "POST", path_of(id_), headers=given, params={"kind": kind}, content=content
    )


async def test_a_document_is_taken_in_and_waits_in_the_spool(
    gateway: Gateway, waiting: str
) -> None:
    answer = await upload(gateway.service, waiting)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert (told["state"], told["size"]) == ("received", len(PDF))
    assert (told["media_type"], told["uploaded_by"]) == ("application/pdf", "test-service")
    assert answer.headers["location"] == path_of(waiting, told["id"])
    assert in_spool(gateway.house) == [told["id"]]
    (event,) = await gateway.house.rows("SELECT * FROM inbox")
    assert (event["type"], event["object_id"]) == ("document.received", told["id"])
    assert (await gateway.service.get(path_of(waiting, told["id"]))).json() == told
    listed = (await gateway.service.get(path_of(waiting))).json()
    assert listed == {"missing": [], "items": [told]}


async def test_what_a_file_is_is_looked_up_in_it(gateway: Gateway, waiting: str) -> None:
    for content, type_ in ((PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")):
        answer = await upload(gateway.service, waiting, content, Content_Type="image/png")
        assert answer.json()["media_type"] == type_


async def test_what_is_no_document_is_refused_whatever_it_says(
    gateway: Gateway, waiting: str
) -> None:
    beginnings = [b"<html><script>alert(1)</script></html>", b"PK\x03\x04", b"MZ", b"GIF89a"]
    for content in [b"hello", b"\x00", *(beginning + bytes(40) for beginning in beginnings)]:
        answer = await upload(gateway.service, waiting, content, Content_Type="application/pdf")
        problem(answer, 415, "unsupported-media-type")
    assert in_spool(gateway.house) == []


async def test_a_body_that_says_it_is_something_else_is_refused_unread(
    gateway: Gateway, waiting: str
) -> None:
    for type_ in ("application/json", "multipart/form-data; boundary=x", "text/html"):
        answer = await upload(gateway.service, waiting, Content_Type=type_)
        problem(answer, 415, "unsupported-media-type")
    packed = await upload(gateway.service, waiting, Content_Encoding="gzip")
    problem(packed, 415, "unsupported-media-type")


async def test_an_empty_file_is_refused(gateway: Gateway, waiting: str) -> None:
    assert problem(await upload(gateway.service, waiting, b""), 422, "invalid")["errors"]
    assert in_spool(gateway.house) == []


async def test_a_file_that_is_too_large_is_refused_announced_or_not(house: House) -> None:
    house = replace(house, settings=house.settings.model_copy(update={"upload_limit": SMALL}))
    id_ = await house.apply()
    await ask(house, id_)
    async with gateway_of(house) as gateway:
        fits = PDF + bytes(SMALL - len(PDF))
        problem(await upload(gateway.service, id_, fits + b"1"), 413, "too-large")

        async def unannounced() -> AsyncIterator[bytes]:
            yield PDF
            for _ in range(20):
                yield bytes(SMALL // 10)

        problem(await upload(gateway.service, id_, unannounced()), 413, "too-large")
        assert in_spool(house) == []
        assert (await upload(gateway.service, id_, fits)).status_code == 201


async def test_the_name_of_a_file_goes_nowhere(gateway: Gateway, waiting: str) -> None:
    names = ["../../etc/passwd", "a\\..\\passwd.pdf", 'passwd"; x=', "Paßwd von Ada.pdf"]
    for name in names:
        answer = await gateway.service.send(
            "POST",
            path_of(waiting),
            headers={
                "Content-Type": "application/pdf",
                "Content-Disposition": f'attachment; filename="{name}"'.encode(),
            },
            params={"kind": KIND},
            content=PDF,
        )
        assert answer.status_code == 201
        assert in_spool(gateway.house) == [answer.json()["id"]]
    known = await gateway.house.rows(
        "SELECT d::text FROM documents d UNION SELECT i::text FROM inbox i"
        " UNION SELECT a::text FROM audit a"
    )
    assert "passwd" not in str(known)
    assert "Ada" not in str(known)


async def test_a_kind_that_there_is_not_is_refused(gateway: Gateway, waiting: str) -> None:
    for kind in ("passport", "../proof_of_address", "", "proof_of_address\x00"):
        problem(await upload(gateway.service, waiting, kind=kind), 422, "invalid")


async def test_only_what_was_asked_for_is_taken_in(gateway: Gateway, waiting: str) -> None:
    other = await upload(gateway.service, waiting, kind="source_of_funds")
    problem(other, 409, "not-asked-for")
    await gateway.house.rows("UPDATE onboardings SET stage = 'provisioning'")
    problem(await upload(gateway.service, waiting), 409, "not-asked-for")
    problem(await upload(gateway.service, "a" * 26), 404, "not-found")
    assert in_spool(gateway.house) == []


async def test_the_same_content_again_and_at_once_is_one_document(
    gateway: Gateway, waiting: str
) -> None:
    answers = await asyncio.gather(*(upload(gateway.service, waiting) for _ in range(6)))
    assert {one.status_code for one in answers} == {201}
    assert len({json.dumps(one.json()) for one in answers}) == 1
    replayed = [one for one in answers if one.headers.get("idempotent-replayed") == "true"]
    assert len(replayed) == 5
    assert in_spool(gateway.house) == [answers[0].json()["id"]]


async def test_only_so_many_of_a_kind_are_taken_in(gateway: Gateway, waiting: str) -> None:
    files = [PDF + bytes([number]) for number in range(5)]
    answers = await asyncio.gather(*(upload(gateway.service, waiting, one) for one in files))
    assert sorted(one.status_code for one in answers) == [201, 201, 201, 409, 409]
    assert len(in_spool(gateway.house)) == 3


async def test_a_refused_document_is_not_taken_in_again(gateway: Gateway, waiting: str) -> None:
    await upload(gateway.service, waiting)
    await gateway.house.rows("UPDATE documents SET state = 'refused', code = 'unreadable'")
    problem(await upload(gateway.service, waiting), 409, "refused-before")


async def test_another_tenants_documents_are_not_there(gateway: Gateway, waiting: str) -> None:
    told = (await upload(gateway.service, waiting)).json()
    await gateway.house.rows("UPDATE onboardings SET tenant = 'other'")
    problem(await upload(gateway.service, waiting), 404, "not-found")
    for path in (path_of(waiting), path_of(waiting, told["id"])):
        problem(await gateway.service.get(path), 404, "not-found")
    assert (await gateway.reviewer.get(path_of(waiting, told["id"]))).status_code == 200


async def test_who_may_do_what(gateway: Gateway, waiting: str) -> None:
    told = (await upload(gateway.service, waiting)).json()
    for door in (gateway.reviewer, gateway.operator, gateway.admin):
        problem(await upload(door, waiting), 403, "role-missing")
        assert (await door.get(path_of(waiting))).status_code == 200
    for door in (gateway.service, gateway.operator, gateway.admin):
        problem(await door.get(path_of(waiting, f"{told['id']}/content")), 403, "role-missing")
        for verdict in ("refusal", "acceptance"):
            path = path_of(waiting, f"{told['id']}/{verdict}")
            problem(await door.post(path, {"code": "unreadable"}), 403, "role-missing")


async def test_whoever_looks_after_an_applicant_does_not_judge_their_documents(
    gateway: Gateway,
) -> None:
    id_ = await gateway.house.apply(account_manager="test-reviewer")
    await ask(gateway.house, id_)
    document = (await upload(gateway.service, id_)).json()["id"]
    for verdict, body in (("refusal", {"code": "unreadable"}), ("acceptance", {})):
        path = path_of(id_, f"{document}/{verdict}")
        problem(await gateway.reviewer.post(path, body), 403, "excluded")
        # Nobody else is kept from it: there is only no process here that would take it.
        problem(await gateway.senior.post(path, body), 404, "not-found")


async def test_a_database_that_is_down_leaves_nothing_half_taken_in(
    gateway: Gateway, waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object) -> None:
        raise DatabaseDown

    with monkeypatch.context() as patch:
        patch.setattr("database.documents.take_in", dies)
        problem(await upload(gateway.service, waiting), 503, "unavailable")
    assert in_spool(gateway.house) == []
    assert (await upload(gateway.service, waiting)).status_code == 201


async def test_a_gateway_that_dies_before_its_commit_leaves_a_file_that_nobody_wants(
    gateway: Gateway, waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("database.spool.Part.keep", _kept_then_died)
        problem(await upload(gateway.service, waiting), 500, "defect")
    (orphan,) = in_spool(gateway.house)
    assert await gateway.house.rows("SELECT * FROM documents") == []
    told = (await upload(gateway.service, waiting)).json()
    assert in_spool(gateway.house) == sorted([orphan, told["id"]])


def _kept_then_died(part: Part, id_: str) -> None:
    part._path.replace(part._spool / id_)
    raise RuntimeError("the process is gone")


async def test_an_upload_that_is_cut_off_leaves_nothing(reached: Gateway, house: House) -> None:
    id_ = await house.apply()
    await ask(house, id_)
    address = reached.http.base_url
    _, writer = await asyncio.open_connection(address.host, address.port)
    head = (
        f"POST {path_of(id_)}?kind={KIND} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
        f"Content-Type: application/pdf\r\nAuthorization: Bearer key-of-a-service\r\n\r\n"
    )
    writer.write(head.encode() + PDF)
    await writer.drain()

    async def spooled() -> list[str]:
        return in_spool(house)

    await until(spooled, bool)
    writer.close()
    await until(spooled, lambda found: found == [])
    assert await house.rows("SELECT * FROM documents") == []


async def test_a_file_far_too_large_is_refused_over_a_real_connection(
    reached: Gateway, house: House
) -> None:
    id_ = await house.apply()
    await ask(house, id_)
    problem(await upload(reached.service, id_, PDF + bytes(25_000_000)), 413, "too-large")


async def test_a_large_file_is_never_in_memory_as_a_whole(reached: Gateway, house: House) -> None:
    id_ = await house.apply()
    await ask(house, id_)
    pieces = [PDF, *([bytes(65536)] * 200)]

    async def slowly() -> AsyncIterator[bytes]:
        for number, piece in enumerate(pieces):
            if number == 150:
                (part,) = (house.settings.spool / ".parts").iterdir()
                async with asyncio.timeout(SOON):
                    while part.stat().st_size < 100 * 65536:
                        await asyncio.sleep(0.02)
            yield piece

    answer = await upload(reached.service, id_, slowly())
    assert answer.json()["sha256"] == hashlib.sha256(b"".join(pieces)).hexdigest()


@asynccontextmanager
async def collecting(house: House, *ids: str) -> AsyncIterator[str]:
    """Processes that wait for two documents, with our own activities; the first's workflow id."""
    processes = [f"onboarding/{TENANT}/{id_}" for id_ in ids]
    async with (
        onboarding.activities(house.settings, house.client) as steps,
        worker(
            house.client,
            task_queue=TASK_QUEUE,
            workflows=[OnlyDocuments],
            activities=steps,
            interceptors=[FailureInterceptor()],
            max_cached_workflows=100,
        ),
    ):
        for id_, process in zip(ids, processes, strict=True):
            await house.client.start_workflow(
                OnlyDocuments.run,
                Start(application_id=id_, tenant=TENANT),
                id=process,
                task_queue=TASK_QUEUE,
            )
        yield processes[0]


async def asked_for(gateway: Gateway, id_: str) -> list[str]:
    """Wait until an onboarding asks for documents; the kinds."""

    async def missing() -> list[str]:
        return list((await gateway.service.get(path_of(id_))).json()["missing"])

    return await until(missing, bool, 30)


async def test_a_document_goes_from_the_door_to_the_archive_and_is_judged(
    gateway: Gateway, house: House
) -> None:
    id_ = await house.apply()
    async with collecting(house, id_) as process:
        assert await asked_for(gateway, id_) == ["proof_of_address", "source_of_funds"]
        first = (await upload(gateway.service, id_)).json()["id"]

        async def state() -> str:
            return str((await gateway.service.get(path_of(id_, first))).json()["state"])

        assert await until(state, lambda found: found == "stored")

        async def spooled() -> list[str]:
            return in_spool(house)

        await until(spooled, lambda there: not there)
        assert in_archive(house) == 1
        content = await gateway.reviewer.get(path_of(id_, f"{first}/content"))
        assert content.content == PDF
        assert content.headers["content-disposition"].startswith("attachment; filename=")
        assert content.headers["x-content-type-options"] == "nosniff"
        assert content.headers["cache-control"] == "private, no-store"
        refusal = path_of(id_, f"{first}/refusal")
        refused = await gateway.reviewer.post(refusal, {"code": "unreadable"})
        assert refused.status_code == 202, refused.text
        await until(state, lambda found: found == "refused")
        problem(await gateway.reviewer.post(refusal, {"code": "unreadable"}), 409, "not-to-judge")
        problem(await upload(gateway.service, id_), 409, "refused-before")
        others = [
            (await upload(gateway.service, id_, content, kind)).json()["id"]
            for content, kind in ((PNG, "proof_of_address"), (JPEG, "source_of_funds"))
        ]
        for other in others:
            accept = path_of(id_, f"{other}/acceptance")

            async def judged(accept: str = accept) -> int:
                return (await gateway.reviewer.post(accept, {})).status_code

            await until(judged, lambda status: status == 202)
        assert await house.client.get_workflow_handle(process).result() == "active"
    decided = await house.rows("SELECT * FROM decisions WHERE kind = 'judge_document'")
    assert {one["actor"] for one in decided} == {"test-reviewer"}
    assert sorted(one["content"]["verdict"] for one in decided) == [
        "accepted",
        "accepted",
        "refused",
    ]
    letters = await house.outside.messages(to=f"{id_}@example.com")
    assert any("it cannot be read" in letter.text for letter in letters)
    history = await house.client.get_workflow_handle(process).fetch_history()
    assert "example.com" not in history.to_json()
    problem(await gateway.reviewer.post(refusal, {"code": "unreadable"}), 409, "too-late")


async def test_documents_of_an_onboarding_that_was_withdrawn_are_erased(
    gateway: Gateway, house: House
) -> None:
    id_ = await house.apply()
    async with collecting(house, id_) as process:
        await asked_for(gateway, id_)
        document = (await upload(gateway.service, id_)).json()["id"]
        handle = house.client.get_workflow_handle(process)
        await until(lambda: row_of(house, document), lambda row: row["state"] == "stored")
        await handle.cancel()
        assert await handle.result() == "withdrawn"
    assert (await row_of(house, document))["state"] == "gone"
    assert in_archive(house) == 0
    gone = await gateway.reviewer.get(path_of(id_, f"{document}/content"))
    problem(gone, 409, "not-stored")


async def test_commands_and_services_deliver_list_and_judge(
    perdure: Perdure, served: str, house: House, tmp_path: Path
) -> None:
    id_ = await house.apply()
    (tmp_path / "bill of Ada.pdf").write_bytes(PDF)
    (tmp_path / "photo").write_bytes(JPEG)
    async with collecting(house, id_) as process:
        async with PerdureClient(served, API_KEYS["service"]) as service:

            async def missing() -> list[str]:
                return [*(await service.documents(id_)).missing]

            await until(missing, lambda kinds: len(kinds) == 2)
            delivered = await service.upload(id_, tmp_path / "photo", kind="source_of_funds")
            again = await service.upload(id_, tmp_path / "photo", kind="source_of_funds")
            assert (delivered.id, delivered.media_type) == (again.id, "image/jpeg")
        sending = ("documents", "upload", id_, str(tmp_path / "bill of Ada.pdf"), "--kind")
        first = out(await perdure(*sending, "proof_of_address", "--json"))["id"]
        assert "does not wait" in refused(await perdure(*sending, "register_extract"), 1)
        listing = ("documents", "list", id_)

        async def states() -> dict[str, str]:
            return {
                one["id"]: one["state"] for one in out(await perdure(*listing, "--json"))["items"]
            }

        await until(states, lambda found: set(found.values()) == {"stored"})
        assert (await perdure("documents", "refuse", id_, first, "unreadable")).exit_code == 0
        await until(states, lambda found: found[first] == "refused")
        shown = (await perdure(*listing)).stdout
        assert "missing: proof_of_address" in shown
        assert "unreadable" in shown
        again_refused = await perdure("documents", "refuse", id_, first, "unreadable")
        assert "nothing to judge" in refused(again_refused, 1)
        (tmp_path / "bill of Ada.pdf").write_bytes(PNG)
        second = out(await perdure(*sending, "proof_of_address", "--json"))["id"]
        await until(states, lambda found: found[second] == "stored")
        for document in (delivered.id, second):
            accepted = await perdure("documents", "accept", id_, document)
            assert accepted.exit_code == 0, accepted.exception
        assert await house.client.get_workflow_handle(process).result() == "active"


async def test_a_bucket_in_the_place_of_the_folder_is_a_setting(house: House) -> None:
    with running_s3() as s3:
        bucket = s3.new_bucket()
        given = {
            "archive": "s3",
            "archive_bucket": bucket,
            "archive_endpoint": s3.url,
            "archive_access_key": SecretStr("a-key"),
            "archive_secret_key": SecretStr("a-secret"),
        }
        swapped = replace(house, settings=house.settings.model_copy(update=given))
        id_ = await house.apply()
        async with gateway_of(swapped) as gateway, collecting(swapped, id_) as process:
            await asked_for(gateway, id_)
            document = (await upload(gateway.service, id_)).json()["id"]
            await until(lambda: row_of(house, document), lambda row: row["state"] == "stored")
            assert s3.objects(bucket) == 1
            content = await gateway.reviewer.get(path_of(id_, f"{document}/content"))
            assert (content.content, in_archive(house)) == (PDF, 0)
            handle = house.client.get_workflow_handle(process)
            await handle.cancel()
            assert await handle.result() == "withdrawn"
            assert s3.objects(bucket) == 0

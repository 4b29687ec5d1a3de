"""An applicant is asked for documents: delivers, is reminded, is refused, or is too late."""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from tests.workflow.conftest import Begin, Onboarding
from tests.workflow.scripted import refused, resolution, withdrawal
from tests.workflow.scripted_documents import KINDS, OnlyDocuments, ScriptedDocuments, judgement
from workflows.onboarding.documents import DocumentsChanged, DocumentSteps
from workflows.onboarding.messages import RefusalCode
from workflows.progress import Progress

DAY = timedelta(days=1)
ADDRESS, FUNDS = KINDS


async def hint(one: Onboarding, event: str) -> None:
    await one.handle.signal(OnlyDocuments.documents_changed, DocumentsChanged(event_id=event))


async def asked(world: ScriptedDocuments, one: Onboarding) -> None:
    await one.until(waits_for("documents: "))
    assert len(world.letters) >= 1


async def judge(one: Onboarding, document: str, code: RefusalCode | None = None) -> None:
    await one.decide(OnlyDocuments.judge_document, judgement(document, code))


def waits_for(what: str):  # type: ignore[no-untyped-def]
    def waits(progress: Progress) -> bool:
        return progress.waiting is not None and progress.waiting.what.startswith(what)

    return waits


async def stored(one: Onboarding) -> None:
    await one.until(waits_for("a look"))


async def test_documents_that_are_there_already_are_not_asked_for(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    for kind in KINDS:
        world.deliver(kind)
    async with onboarding(world, story=OnlyDocuments, skip_time=True) as one:
        assert await one.handle.result() == "active"
    assert world.letters == []
    assert world.states() == ["stored", "stored"]


async def test_documents_delivered_at_once_go_on_after_the_time_to_look(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    async with onboarding(world, story=OnlyDocuments) as one:
        await asked(world, one)
        assert [letter.kinds for letter in world.letters] == [KINDS]
        world.deliver(FUNDS)
        await hint(one, "2")
        await one.until(waits_for("documents: proof_of_address"))
        world.deliver(ADDRESS)
        await hint(one, "1")  # late, twice and out of order: it only says when to look
        await hint(one, "1")
        await stored(one)
        await one.pass_time(1.1 * DAY)
        assert await one.handle.result() == "active"
    assert len(world.letters) == 1


async def test_the_time_to_look_is_that_of_whoever_looks(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    world.takes = DAY  # eight hours of business, of which some days have none
    async with onboarding(world, story=OnlyDocuments) as one:
        await asked(world, one)
        for kind in KINDS:
            world.deliver(kind)
        await hint(one, "1")
        await stored(one)
        await one.pass_time(7.5 * DAY)
        assert waits_for("a look")(await one.progress())
        await one.pass_time(1 * DAY)
        assert await one.handle.result() == "active"


async def test_what_began_with_a_time_by_the_calendar_keeps_it(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    documents = world.policy.documents
    assert documents is not None
    by_the_calendar = documents.model_copy(update={"look_hours": None, "look_within": DAY})
    world.policy = world.policy.model_copy(update={"documents": by_the_calendar})
    async with onboarding(world, story=OnlyDocuments) as one:
        await asked(world, one)
        for kind in KINDS:
            world.deliver(kind)
        await hint(one, "1")
        await stored(one)
        await one.pass_time(1.1 * DAY)
        assert await one.handle.result() == "active"
    assert "documents.time_to_look" not in world.calls


async def test_accepted_documents_go_on_at_once(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    async with onboarding(world, story=OnlyDocuments) as one:
        await asked(world, one)
        ids = [world.deliver(kind) for kind in KINDS]
        await hint(one, "1")
        await stored(one)
        for id_ in ids:
            await judge(one, id_)
        assert await one.handle.result() == "active"
    assert world.states() == ["accepted", "accepted"]
    assert [kept.decision.by.actor.name for kept in world.judged] == ["olga-operator"] * 2


async def test_an_applicant_is_reminded_and_then_delivers(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    async with onboarding(world, story=OnlyDocuments) as one:
        await asked(world, one)
        world.deliver(FUNDS)
        await one.pass_time(10.5 * DAY)  # the hint was lost
        assert [(letter.occasion, letter.kinds) for letter in world.letters] == [
            ("asked", KINDS),
            ("reminder", (ADDRESS,)),
            ("reminder", (ADDRESS,)),
        ]
        world.deliver(ADDRESS)
        await hint(one, "1")
        await stored(one)
        await one.pass_time(1.1 * DAY)
        assert await one.handle.result() == "active"


async def test_documents_that_never_come_expire_after_two_reminders(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    async with onboarding(world, story=OnlyDocuments, skip_time=True) as one:
        assert await one.handle.result() == "expired"
    assert [letter.occasion for letter in world.letters] == ["asked", "reminder", "reminder"]


async def test_what_was_delivered_too_late_to_be_heard_is_found(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    async with onboarding(world, story=OnlyDocuments) as one:
        await asked(world, one)
        await one.pass_time(13.5 * DAY)
        for kind in KINDS:
            world.deliver(kind)
        await one.pass_time(3 * DAY)
        assert await one.handle.result() == "active"


async def test_a_refused_document_is_asked_for_again(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    async with onboarding(world, story=OnlyDocuments) as one:
        await asked(world, one)
        first, funds = world.deliver(ADDRESS), world.deliver(FUNDS)
        await hint(one, "1")
        await stored(one)
        await one.pass_time(0.2 * DAY)
        await judge(one, first, "unreadable")
        await one.until(waits_for("documents: proof_of_address"))
        again = world.letters[-1]
        assert (again.occasion, again.kinds) == ("asked", (ADDRESS,))
        assert [(one.kind, one.code) for one in again.refused] == [(ADDRESS, "unreadable")]
        assert again.until > world.letters[0].until
        second = world.deliver(ADDRESS)
        await hint(one, "2")
        await stored(one)
        await judge(one, second)
        await judge(one, funds)
        assert await one.handle.result() == "active"
    assert world.states() == ["refused", "accepted", "accepted"]


async def test_a_kind_is_refused_only_so_often(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    async with onboarding(world, story=OnlyDocuments) as one:
        await asked(world, one)
        for times in range(3):
            id_ = world.deliver(ADDRESS)
            await hint(one, str(times))
            await one.until(waits_for("documents: source_of_funds"))
            await judge(one, id_, "out_of_date")
            if times < 2:
                await one.until(waits_for("documents: proof_of_address"))
        assert await one.handle.result() == "expired"
    assert world.made == {}


async def test_a_document_is_judged_once(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    async with onboarding(world, story=OnlyDocuments) as one:
        await asked(world, one)
        id_ = world.deliver(ADDRESS)
        with pytest.raises(WorkflowUpdateFailedError):  # nobody has it yet
            await judge(one, id_, "unreadable")
        await hint(one, "1")
        await one.until(waits_for("documents: source_of_funds"))
        await judge(one, id_)
        with pytest.raises(WorkflowUpdateFailedError) as twice:
            await judge(one, id_, "unreadable")
        assert isinstance(twice.value.cause, ApplicationError)
        assert twice.value.cause.type == "NotToJudge"
    assert len(world.judged) == 1


async def test_withdrawn_while_waiting_everything_is_erased(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    async with onboarding(world, story=OnlyDocuments) as one:
        await asked(world, one)
        world.deliver(FUNDS)
        await hint(one, "1")
        await one.until(waits_for("documents: proof_of_address"))
        assert len(world.made) == 1
        await one.decide(OnlyDocuments.withdraw, withdrawal())
        assert await one.handle.result() == "withdrawn"
    assert world.made == {}


async def test_a_judgement_is_kept_though_the_process_is_stopped(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    async with onboarding(world, story=OnlyDocuments) as one:
        await asked(world, one)
        id_ = world.deliver(FUNDS)
        await hint(one, "1")
        await one.until(waits_for("documents: proof_of_address"))
        looking = world.hold(DocumentSteps.look)
        world.reached[DocumentSteps.look.__step__.name].clear()  # type: ignore[attr-defined]
        await hint(one, "2")
        await world.reached["documents.look"].wait()
        await judge(one, id_, "incomplete")
        await one.decide(OnlyDocuments.withdraw, withdrawal())
        looking.set()
        assert await one.handle.result() == "withdrawn"
    assert [kept.code for kept in world.judged] == ["incomplete"]


async def test_an_archive_that_refuses_parks_the_document_and_nothing_else(
    onboarding: Begin,
) -> None:
    world = ScriptedDocuments()
    world.fail(DocumentSteps.store, refused("archive.forbidden"))
    async with onboarding(world, story=OnlyDocuments) as one:
        await asked(world, one)
        id_ = world.deliver(ADDRESS)
        await hint(one, "1")
        await one.until(lambda progress: progress.attention)
        await one.decide(OnlyDocuments.resolve, resolution(DocumentSteps.store, "retry", part=id_))
        await one.until(waits_for("documents: source_of_funds"))
    assert world.states() == ["stored"]


async def test_a_document_that_was_lost_may_be_sent_again(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    world.fail(DocumentSteps.store, refused("archive.not_in_spool"))
    async with onboarding(world, story=OnlyDocuments) as one:
        await asked(world, one)
        lost = world.deliver(ADDRESS)
        await hint(one, "1")
        await one.until(lambda progress: progress.attention)
        await one.decide(OnlyDocuments.resolve, resolution(DocumentSteps.store, "skip", part=lost))
        await one.until(waits_for("documents: proof_of_address, source_of_funds"))
        for kind in KINDS:
            world.deliver(kind)
        await hint(one, "2")
        await stored(one)
    assert world.states() == ["gone", "stored", "stored"]


async def test_a_letter_that_cannot_be_sent_can_be_done_without(onboarding: Begin) -> None:
    world = ScriptedDocuments()
    world.fail(DocumentSteps.write, refused("mail.address"))
    async with onboarding(world, story=OnlyDocuments) as one:
        await one.until(lambda progress: progress.attention)
        await one.decide(OnlyDocuments.resolve, resolution(DocumentSteps.write, "skip", part="1-1"))
        await one.until(waits_for("documents: "))
    assert world.letters == []


async def test_all_that_may_happen_keeps_the_history_short(onboarding: Begin) -> None:
    """Every file that the door lets through, each refused, each outage met, all reminders."""
    world = ScriptedDocuments()
    async with onboarding(world, story=OnlyDocuments) as one:
        await asked(world, one)
        for times in range(6):
            for kind in KINDS:
                world.deliver(kind)
                await hint(one, f"{kind}-{times}")
            await one.pass_time(0.01 * DAY)
        await one.pass_time(2 * DAY)
        assert await one.handle.result() == "active"
        described = await one.handle.describe()
    assert described.history_length < 500

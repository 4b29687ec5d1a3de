"""Parts of a story at the same time: what they come to, and which failure is told."""

import asyncio

import pytest

from workflows.process import Process, Stopped
from workflows.progress import Waiting


class Story(Process[Waiting]):
    """Only to have the method; a process proper lives in a worker."""

    def __init__(self) -> None:
        """Nothing is shown to anybody."""

    async def record_stage(self, stage: str) -> None:
        """There are no lists."""


async def after(seconds: float, end: str | BaseException) -> str:
    await asyncio.sleep(seconds)
    if isinstance(end, BaseException):
        raise end
    return end


async def test_any_number_of_parts_is_answered_in_their_order() -> None:
    story = Story()
    assert await story.together(after(0.02, "one"), after(0, "two")) == ("one", "two")
    assert await story.together(after(0.02, "one"), after(0.01, "two"), after(0, "three")) == (
        "one",
        "two",
        "three",
    )
    many = await story.together(*(after(0.01 / number, str(number)) for number in range(1, 8)))
    assert many == tuple("1234567")


@pytest.mark.parametrize("place", range(4))
async def test_a_defect_is_told_before_a_stop_once_all_have_settled(place: int) -> None:
    settled: list[int] = []

    async def part(number: int) -> str:
        try:
            defect = ValueError("a defect")
            return await after(0.01 * number, defect if number == place else Stopped())
        finally:
            settled.append(number)

    with pytest.raises(ValueError, match="a defect"):
        await Story().together(*(part(number) for number in range(4)))
    assert sorted(settled) == [0, 1, 2, 3]


async def test_a_stop_ends_all_parts_once_they_have_settled() -> None:
    with pytest.raises(Stopped):
        await Story().together(after(0, Stopped()), after(0.01, "made"), after(0.02, "made"))

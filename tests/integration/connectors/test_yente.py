"""Screening by yente: what is asked, and what its failures become."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from connectors.capabilities import Party
from connectors.errors import Refused, Unanswered
from connectors.http_api import HttpApi
from connectors.yente.screening import YenteScreening
from simulators.front import ApiFaultKind
from tests.integration.connectors.conftest import IMPATIENT_SECONDS, connection
from tests.simulated import SimulatorHandle

VASKO = Party("person", "Vasko Drenov", "BG", date(1961, 4, 17))


@pytest.mark.parametrize(
    ("kind", "type_", "pause"),
    [
        ("error_500", "screening.server", None),
        ("error_503", "screening.server", None),
        ("rate_limit_429", "screening.rate_limit", timedelta(seconds=7)),
        ("drop_before", "screening.connection", None),
        ("drop_after_commit", "screening.connection", None),
        ("timeout_after_commit", "screening.connection", None),
    ],
)
@pytest.mark.parametrize("path", ["/catalog", "/match/default"])
async def test_what_may_pass_is_no_refusal_and_clears_nobody(
    world: SimulatorHandle,
    kind: ApiFaultKind,
    type_: str,
    pause: timedelta | None,
    path: str,
) -> None:
    await world.yente.fault(kind, path=path, seconds=7)
    async with connection(world.yente, timeout=IMPATIENT_SECONDS) as http:
        yente = YenteScreening(http, "default")
        with pytest.raises(Unanswered) as failed:
            await yente.screen([VASKO], threshold=85)
        assert (failed.value.type, failed.value.retry_after) == (type_, pause)
        assert "Drenov" not in failed.value.text
    async with connection(world.yente) as http:
        (hits,) = (await YenteScreening(http, "default").screen([VASKO], threshold=85)).hits
    assert [hit.entry for hit in hits] == ["inv-001"]


@pytest.mark.parametrize(
    ("key", "base", "dataset", "type_"),
    [
        ("wrong", "", "default", "screening.auth"),
        (None, "", "default", "screening.auth"),
        ("right", "/nowhere", "default", "screening.dataset"),
        ("right", "", "no_such_list", "screening.dataset"),
    ],
)
async def test_a_wrong_key_address_or_dataset_is_a_refusal(
    world: SimulatorHandle, key: str | None, base: str, dataset: str, type_: str
) -> None:
    token = world.yente.token if key == "right" else key
    http = HttpApi("screening.connection", world.yente.url + base, token, scheme="ApiKey")
    with pytest.raises(Refused) as refused:
        await YenteScreening(http, dataset).screen([VASKO], threshold=85)
    assert refused.value.type == type_
    await http.close()


async def test_a_screening_is_two_requests_however_many_are_screened(
    world: SimulatorHandle,
) -> None:
    async with connection(world.yente) as http:
        await YenteScreening(http, "default").screen([VASKO] * 20, threshold=85)
    counters = await world.yente.counters()
    assert counters.executed("GET", "/catalog") == 1
    assert counters.executed("POST", "/match/{dataset}") == 1

"""What finance people do about statements at the command line, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.house import House
from tests.integration.gateway.conftest import give_key
from tests.integration.gateway.test_callers_tools import Perdure, out, perdure, refused
from tests.integration.gateway.test_statements import CSV, intake_of
from workers.cli import app as command_line
from workers.ports import free_port

__all__ = ["perdure"]

WHY = ("--reason", "the bank sent a corrected one")
SEVERAL = CSV + b"2026-03-02,4.00,USD,STRIPE\n"
Somebody = Callable[[], None]


@pytest.fixture
def another(house: House, monkeypatch: pytest.MonkeyPatch) -> Somebody:
    """Has another approver, who is an admin, too, at the command line from then on.

    Asked for before the gateway is: it knows the keys that are there when it starts.
    """
    give_key(house, "another", kind="person", tenant=None)

    def comes() -> None:
        for role in ("FINANCE_APPROVER", "ADMIN"):
            monkeypatch.setenv(f"PERDURE_API_KEY_{role}", "another")

    return comes


async def sent(perdure: Perdure, house: House, tmp_path: Path, content: bytes, role: str) -> str:
    """A file that somebody sent, and that was read; its id."""
    file = tmp_path / "statement.csv"
    file.write_bytes(content)
    send = ("import", "statement", str(file), "--bank-account", "DE00EXAMPLE", "--wait", "0")
    told: dict[str, str] = out(await perdure(*send, "--as", role, "--json"))
    await intake_of(house, tmp_path).read_waiting()
    return told["id"]


async def test_a_statement_is_listed_withdrawn_and_reinstated(
    another: Somebody, perdure: Perdure, house: House, tmp_path: Path
) -> None:
    file = await sent(perdure, house, tmp_path, SEVERAL, "finance-operator")
    listed = out(await perdure("statements", "list", "--json"))
    [of_file] = listed["items"]
    euro, dollar = (one["number"] for one in of_file["statements"])
    shown = (await perdure("statements", "list", "--state", "unknown_account")).stdout
    for part in (file, str(euro), str(dollar), "DE00EXAMPLE", "2026-03-02", "unknown_account"):
        assert part in shown

    withdraw = ("statements", "withdraw", file, *WHY, "--statement", str(dollar))
    told = await perdure(*withdraw)
    assert told.stdout == f"A statement of {file} is withdrawn.\n", told.exception
    states = {
        one["number"]: one["state"] for one in out(await perdure(*withdraw, "--json"))["statements"]
    }
    assert states == {euro: "unknown_account", dollar: "withdrawn"}
    assert file in (await perdure("statements", "list", "--state", "withdrawn")).stdout

    reinstate = ("statements", "reinstate", *withdraw[2:])
    assert "somebody else" in refused(await perdure(*reinstate), 1)
    another()
    told = await perdure(*reinstate)
    assert told.stdout == f"A statement of {file} is decided anew.\n", told.exception
    assert out(await perdure(*reinstate, "--json"))["state"] == "received"
    none = (await perdure("statements", "list", "--state", "withdrawn")).stdout
    assert none == "No statements.\n"


async def test_a_long_list_goes_on_where_a_page_ended(
    perdure: Perdure, house: House, tmp_path: Path
) -> None:
    files = [
        await sent(perdure, house, tmp_path, CSV.replace(b"-02,", day), "finance-operator")
        for day in (b"-02,", b"-03,", b"-04,")
    ]
    first = (await perdure("statements", "list", "--limit", "2")).stdout
    assert [one in first for one in files] == [False, True, True]
    cursor = first.rpartition("more: --cursor ")[2].strip()
    second = (await perdure("statements", "list", "--limit", "2", "--cursor", cursor)).stdout
    assert [one in second for one in files] == [True, False, False]
    assert "more:" not in second


async def test_the_command_line_says_why_not(
    another: Somebody,
    perdure: Perdure,
    house: House,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = await sent(perdure, house, tmp_path, SEVERAL, "finance-operator")
    withdraw = ("statements", "withdraw", file, *WHY)
    assert "statement: must name one of this file's 2" in refused(await perdure(*withdraw), 1)
    said = refused(await perdure(*withdraw, "--statement", "999999"), 1)
    assert "statement: is none of this file's" in said
    as_operator = await perdure(*withdraw, "--as", "finance-operator")
    assert "role finance_approver" in refused(as_operator, 1)
    for nowhere in ("0" * 32, "nonsense"):
        for what in ("withdraw", "reinstate"):
            none = await perdure("statements", what, nowhere, *WHY)
            assert "no such statement file" in refused(none, 1)
    assert "state" in refused(await perdure("statements", "list", "--state", "lost"), 1)

    copy = await sent(perdure, house, tmp_path, CSV, "finance-operator")
    nothing = await perdure("statements", "withdraw", copy, *WHY)
    assert "counts for nothing" in refused(nothing, 1)
    another()
    other = CSV.replace(b"10.50", b"11.50")
    await sent(perdure, house, tmp_path, other, "admin")
    [euro, _] = out(await perdure("statements", "list", "--json"))["items"][-1]["statements"]
    own = await perdure(*withdraw, "--statement", str(euro["number"]))
    assert "it takes somebody else" in refused(own, 1)

    for wrong in (
        ("statements", "withdraw", file),
        ("statements", "reinstate", *WHY),
        ("statements", "withdraw", file, *WHY, "--statement", "0"),
        ("statements", "list", "--limit", "101"),
    ):
        assert (await perdure(*wrong)).exit_code == 2
    monkeypatch.setenv("PERDURE_GATEWAY_URL", f"http://127.0.0.1:{free_port()}")
    for asked in (("statements", "list"), withdraw):
        assert "does not answer" in refused(await perdure(*asked), 3)
    monkeypatch.delenv("PERDURE_API_KEY_FINANCE_APPROVER")
    assert "PERDURE_API_KEY_FINANCE_APPROVER" in refused(await perdure(*withdraw), 2)


@pytest.mark.parametrize("command", ["list", "withdraw", "reinstate"])
def test_every_command_about_statements_explains_itself(command: str) -> None:
    told = CliRunner().invoke(command_line, ["statements", command, "--help"])
    assert told.exit_code == 0
    for part in ("Example:", "Exit codes:", "--json", "--as"):
        assert part in told.stdout

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from workers.cli import app, gateway_call
from workers.cli.gateway_call import show_json, show_table
from workers.terminal import say, visible

STEERS = ["\x1b[31m", "\x07", "\r", "\t", "\x7f", "\x9b31m", "\u202e", "\u2066", "\u2028", "\ud800"]
ID = "3d6f0a52-8c1e-5b7a-9a51-7f5d8a2b9c10"
ITEM = {
    "book": "processor", "source_id": "txn_1MiN3gLkdIwHu7ixxapQrznl", "component": "gross",
    "kind": "charge", "currency": "EUR", "amount_minor": 123_450, "effective_on": "2026-01-31",
    "reference": "order-4711",
}  # fmt: skip
RUN = {
    "id": "reconciliation/acme/2026-01-31/1", "account": "acme", "business_date": "2026-01-31",
    "ordinal": 1, "stage": "incomplete", "status": "INCOMPLETE", "certificate_id": "9f" * 32,
    "begun_at": "2026-02-01T06:00:00Z", "ended_at": "2026-02-01T06:00:01Z",
}  # fmt: skip
BREAK = {
    "id": 17, "account": "acme", "break_class": "missing_ours", "leg": "L1", "currency": "EUR",
    "at_risk_minor": 10_000, "material": True, "subject": [ITEM["source_id"]], "days": 1,
    "provisional": False,
}  # fmt: skip
WAITS = {
    "workflow_id": "onboarding/example/aaaaaaaaaaaaaaaaaaaaaaaaaa", "kind": "parked",
    "step": "billing.create_customer", "owner": "operator", "since": "2026-02-01T06:00:00Z",
    "why": {"kind": "refused", "type": "stripe.connection", "text": "nobody answers"},
    "choices": ["retry", "skip", "abort"],
}  # fmt: skip
FILE = {
    "id": "7d9f0c2b5e6a4f1c8b3d2a1e0f9c8b7a", "state": "read",
    "statements": [
        {
            "number": 1, "bank_account": "DE02120300000000202051", "statement_id": "2026-031",
            "closing_on": "2026-01-31", "entries": 0, "proof": "proven", "state": "contradicted",
            "same_as": 2, "same_as_file": "8d9f0c2b5e6a4f1c8b3d2a1e0f9c8b7a",
        }
    ],
}  # fmt: skip
MATCH = {
    "id": ID, "account": "acme", "leg": "L1", "rule": "processor_reference",
    "disposition": "tolerated", "items": [ITEM, ITEM | {"amount_minor": 5}],
}  # fmt: skip
OPEN = ITEM | {"leg": "L1", "break_class": "missing_ours", "disposition": "open"}
OPENED = {
    "run": RUN["id"], "status": "BREAKS", "known_since": "2026-02-01T06:00:00Z", "totals": [],
}  # fmt: skip


@pytest.mark.parametrize("steers", STEERS, ids=ascii)
def test_nothing_that_steers_a_terminal_is_printed(
    steers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"before{steers}after"
    show_table(("reference", "amount"), [(text, 1)])
    show_json({text: [text]})
    say(text)
    say(text, err=True)
    said = capsys.readouterr()
    for printed in (said.out, said.err):
        assert steers[0] not in printed
        assert f"before\\u{ord(steers[0]):04x}{steers[1:]}after" in printed.replace(
            "\\t", "\\u0009"
        ).replace("\\r", "\\u000d")


def test_json_says_the_same_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    told = {"reference": "a\u202eb\x9bc\nd", "name": "Żółta 有限公司"}
    show_json(told)
    said = capsys.readouterr().out
    assert json.loads(said) == told
    assert "Żółta 有限公司" in said


def test_lines_stay_lines_but_not_within_a_cell(capsys: pytest.CaptureFixture[str]) -> None:
    assert visible("one\ntwo") == "one\ntwo"
    show_table(("text", "other"), [("one\ntwo", "three")])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_amounts_and_counts_are_flush_right_and_nothing_is_not_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [("a", "1,234.50 EUR", 0, None), ("b", "-5.00 EUR", 10, None)]
    show_table(("what", "amount", "entries", "never"), rows)
    head, first, second = capsys.readouterr().out.splitlines()
    assert [len(line.rstrip()) for line in (head, first, second)] == [len(head.rstrip())] * 3
    assert first.split() == ["a", "1,234.50", "EUR", "0"]
    assert "never" not in head


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("breaks list", {"items": [BREAK]}),
        ("matches list", {"items": [MATCH]}),
        ("reconcile list", {"items": [RUN]}),
        ("reconcile open acme", OPENED | {"items": [OPEN]}),
        ("statements list", {"items": [FILE]}),
        ("attention list", {"items": [WAITS]}),
    ],
)
def test_lists_fit_a_terminal_of_a_hundred_columns(
    command: str, answer: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_call, "call", lambda *_, **__: {"next": None} | answer)
    shown = CliRunner().invoke(app, command.split())
    assert shown.exit_code == 0, shown.output
    assert max(len(line.rstrip()) for line in shown.stdout.splitlines()) <= 100, shown.stdout

"""ISO 20022 statements: every kind of balance and entry, and files that mean harm."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date
from io import RawIOBase
from time import process_time

import pytest

from connectors.statements import camt053
from connectors.statements.statement import Balance, Entry
from tests.unit.connectors.statements.reading import refused, statements

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


def balance(code: str, amount: str, *, currency: str = "EUR", on: str = "2026-03-02") -> str:
    sign, digits = ("DBIT", amount[1:]) if amount.startswith("-") else ("CRDT", amount)
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{digits}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'
        f"<Dt><Dt>{on}</Dt></Dt></Bal>"
    )


def entry(amount: str, *, currency: str = "EUR", status: str = "BOOK", more: str = "") -> str:
    sign, digits = ("DBIT", amount[1:]) if amount.startswith("-") else ("CRDT", amount)
    return (
        f'<Ntry><Amt Ccy="{currency}">{digits}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'
        f"<Sts><Cd>{status}</Cd></Sts><BookgDt><Dt>2026-03-02</Dt></BookgDt>"
        f"<ValDt><DtTm>2026-03-03T00:00:00+01:00</DtTm></ValDt>{more}</Ntry>"
    )


def statement(*content: str, currency: str = "EUR", id_: str = "S-1") -> str:
    account = f"<Acct><Id><IBAN>DE00EXAMPLE</IBAN></Id><Ccy>{currency}</Ccy></Acct>"
    return f"<Stmt><Id>{id_}</Id>{account}{''.join(content)}</Stmt>"


def document(*content: str, namespace: str = NAMESPACE) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{namespace}"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>M</MsgId></GrpHdr>{''.join(content)}</BkToCstmrStmt></Document>"
    )


def test_a_statement_is_read_and_proven() -> None:
    more = (
        "<AcctSvcrRef>BANK-7</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd>"
        "<SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls><TxDtls><Refs>"
        "<EndToEndId>E2E-7</EndToEndId></Refs><RmtInf><Ustrd>Payout of Monday</Ustrd></RmtInf>"
        "</TxDtls></NtryDtls>"
    )
    (read,) = statements(
        document(
            statement(
                balance("OPBD", "100.00", on="2026-03-01"),
                balance("CLBD", "90.50"),
                entry("10.5", more=more),
                entry("-20.00"),
            )
        )
    )
    assert (read.opened.format, read.opened.account) == ("camt.053", "DE00EXAMPLE")
    assert (read.opened.currency, read.opened.statement_id) == ("EUR", "S-1")
    assert read.entries[0] == Entry(
        date(2026, 3, 2), date(2026, 3, 3), 1050, "EUR", "BANK-7", "E2E-7", "Payout of Monday",
        "PMNT-RCDT-ESCT",
    )  # fmt: skip
    assert read.closed.opening == Balance(date(2026, 3, 1), 10000)
    assert (read.proven.proof, read.proven.difference_minor) == ("proven", 0)


def test_what_does_not_add_up_is_unproven_by_the_difference() -> None:
    (read,) = statements(
        document(statement(balance("OPBD", "-1.00"), balance("CLBD", "5.00"), entry("5.50")))
    )
    assert (read.proven.proof, read.proven.difference_minor) == ("unproven", 50)


@pytest.mark.parametrize("missing", ["OPBD", "CLBD"])
def test_without_a_balance_nothing_is_proven(missing: str) -> None:
    there = "CLBD" if missing == "OPBD" else "OPBD"
    (read,) = statements(document(statement(balance(there, "5.00"), entry("5.00"))))
    assert (read.proven.proof, read.proven.difference_minor) == ("unprovable", None)


def test_only_booked_balances_of_the_accounts_currency_are_opening_and_closing() -> None:
    codes = ("CLAV", "FWAV", "INFO", "ITAV", "OPAV", "XPCD")
    others = [balance(code, "999.00") for code in codes]
    wrong = balance("CLBD", "777.00", currency="SEK")
    told = (*others, wrong, balance("OPBD", "1.00"), balance("CLBD", "3.00"))
    (read,) = statements(document(statement(*told, entry("2.00"))))
    assert read.proven.proof == "proven"


def test_the_close_of_the_day_before_and_intermediate_balances_stand_in() -> None:
    (read,) = statements(
        document(statement(balance("PRCD", "1.00"), balance("CLBD", "3.00"), entry("2.00")))
    )
    assert read.proven.proof == "proven"
    pages = (balance("ITBD", "1.00"), balance("ITBD", "3.00"))
    (page,) = statements(document(statement(*pages, entry("2.00"))))
    assert page.proven.proof == "proven"


@pytest.mark.parametrize("status", ["PDNG", "INFO", "FUTR"])
def test_what_is_not_booked_does_not_count(status: str) -> None:
    waiting = entry("7.00", status=status, currency="SEK")
    (read,) = statements(document(statement(entry("1.00"), waiting)))
    assert read.amounts == [100]


def test_the_status_is_read_in_its_older_form() -> None:
    old = entry("7.00").replace("<Sts><Cd>BOOK</Cd></Sts>", "<Sts>PDNG</Sts>")
    (read,) = statements(document(statement(entry("1.00"), old)))
    assert read.amounts == [100]


def test_a_reversal_goes_the_way_that_it_says() -> None:
    (read,) = statements(document(statement(entry("-4.00", more="<RvslInd>true</RvslInd>"))))
    assert read.amounts == [-400]


def test_a_batch_is_one_entry_and_names_none_of_its_payments() -> None:
    payments = "".join(
        f"<TxDtls><Refs><EndToEndId>E-{n}</EndToEndId></Refs><Amt Ccy='EUR'>3.00</Amt></TxDtls>"
        for n in range(2)
    )
    (read,) = statements(
        document(statement(entry("6.00", more=f"<NtryDtls>{payments}</NtryDtls>")))
    )
    assert read.amounts == [600]
    assert read.entries[0].end_to_end_id is None


@pytest.mark.parametrize(
    ("currency", "written", "minor"),
    [("JPY", "1200", 1200), ("KWD", "1.234", 1234), ("EUR", "8.850", 885), ("EUR", "8.", 800)],
)
def test_minor_units_are_the_currencys(currency: str, written: str, minor: int) -> None:
    (read,) = statements(document(statement(entry(written, currency=currency), currency=currency)))
    assert read.amounts == [minor]


def test_several_statements_and_any_prefix_or_version() -> None:
    two = (statement(entry("1.00"), id_="A"), statement(entry("2.00"), id_="B"))
    plain = document(*two, namespace=NAMESPACE.replace("08", "02"))
    assert [one.opened.statement_id for one in statements(plain)] == ["A", "B"]
    prefixed = plain.replace("<", "<n:").replace("<n:/", "</n:").replace("<n:?xml", "<?xml")
    prefixed = prefixed.replace("xmlns=", "xmlns:n=")
    assert [one.amounts for one in statements(prefixed)] == [[100], [200]]


def test_a_file_in_utf_16_is_read() -> None:
    text = document(statement(entry("1.00"))).replace("UTF-8", "UTF-16")
    assert [one.amounts for one in statements(text.encode("utf-16"))] == [[100]]


HARMFUL = {
    "bomb": '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>',
    "outside": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
    "type": "<!DOCTYPE Document>",
}


@pytest.mark.parametrize("prolog", HARMFUL.values(), ids=HARMFUL)
def test_document_types_and_entities_are_refused_unread(prolog: str) -> None:
    text = document(statement(entry("1.00"))).replace("?><", f"?>{prolog}<", 1)
    assert refused(text).error == "forbidden"


def test_what_is_cut_off_or_broken_is_refused_with_its_place() -> None:
    text = document(statement(entry("1.00"), entry("2.00")))
    for cut in (len(text) // 2, len(text) - 3):
        no = refused(text[:cut])
        assert no.error == "not_well_formed"
        assert no.position is not None
        assert no.position.startswith("line 1, column ")


@pytest.mark.parametrize(
    ("content", "error", "position"),
    [
        ("", "no_statement", "Document"),
        (statement(entry("1.00"), entry("2.00", currency="SEK")), "mixed_currencies", "entry 2"),
        (statement(entry("1.005")), "bad_amount", "entry 1"),
        (statement(entry("1e3")), "bad_amount", "entry 1"),
        (statement(entry("NaN")), "bad_amount", "entry 1"),
        (statement(entry("1.00").replace("CRDT", "UP")), "bad_amount", "entry 1"),
        (statement(entry("1.00").replace("2026-03-02", "2026-02-30")), "bad_date", "entry 1"),
        (statement(entry("1.00", currency="eur")), "bad_currency", "entry 1"),
        (statement(balance("OPBD", "1,00")), "bad_amount", "balance 1"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    content: str, error: str, position: str
) -> None:
    no = refused(document(content))
    assert no.error == error
    assert position in str(no.position)


@pytest.mark.parametrize("where", ["balance", "entry"])
def test_an_amount_is_never_negative_since_its_direction_says_so(where: str) -> None:
    told = {"balance": balance("OPBD", "0.00"), "entry": entry("5.00")}
    told[where] = told[where].replace('EUR">', 'EUR">-')

    error = refused(document(statement(*told.values(), balance("CLBD", "5.00"))))
    assert (error.error, error.position) == ("bad_amount", f"statement 1, {where} 1")


def test_a_currency_that_there_is_not_is_refused() -> None:
    error = refused(document(statement(entry("5.00", currency="XXQ"), currency="XXQ")))
    assert (error.error, error.position) == ("bad_currency", "statement 1, account")


def test_other_messages_are_named() -> None:
    no = refused(document(statement(entry("1.00")), namespace=NAMESPACE.replace("053", "052")))
    assert (no.error, no.detail) == ("not_a_statement", "This is camt.052, not a statement.")


class Endless(RawIOBase):
    """A statement of so many entries that is made while it is read."""

    def __init__(self, entries: int) -> None:
        head, tail = document(statement("|")).split("|")
        self._pieces = self._made(head, entry("1.00").encode() * 1000, entries // 1000, tail)
        self._left = b""

    @staticmethod
    def _made(head: str, thousand: bytes, times: int, tail: str) -> Iterator[bytes]:
        yield head.encode()
        for _ in range(times):
            yield thousand
        yield tail.encode()

    def read(self, size: int = -1) -> bytes:
        while len(self._left) < size and (piece := next(self._pieces, None)) is not None:
            self._left += piece
        taken, self._left = self._left[:size], self._left[size:]
        return taken


def test_a_long_statement_needs_no_more_memory_than_a_short_one() -> None:
    peaks = []
    for entries in (1_000, 4_000):
        tracemalloc.start()
        total = 0
        for part in camt053.read(Endless(entries)):  # type: ignore[arg-type]  # it reads
            total += part.amount_minor if isinstance(part, Entry) else 0
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert total == entries * 100
    assert peaks[1] < peaks[0] * 1.5, peaks


@pytest.mark.parametrize(
    "where", [document, lambda deep: document(statement(entry("1", more=deep)))]
)
def test_elements_too_deep_within_each_other_are_refused_at_once(
    where: Callable[[str], str],
) -> None:
    began = process_time()
    assert refused(where("<a>" * 300_000 + "</a>" * 300_000)).error == "too_deep"
    assert process_time() - began < 5


def test_elements_as_deep_as_banks_write_them_are_read() -> None:
    deep = "<a>" * 40 + "</a>" * 40
    assert statements(document(statement(balance("OPBD", "0"), entry("1", more=deep))))

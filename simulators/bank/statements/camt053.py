"""ISO 20022 bank-to-customer statements, camt.053.001.08."""

from collections.abc import Sequence
from datetime import date
from typing import TextIO
from xml.sax.saxutils import escape

from simulators.bank.money import major
from simulators.bank.statement import Entry, Page, Statement, pages

_BEGIN = """\
<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
<BkToCstmrStmt>
<GrpHdr><MsgId>{id}</MsgId><CreDtTm>{on}T23:00:00Z</CreDtTm></GrpHdr>
"""
_END = "</BkToCstmrStmt>\n</Document>\n"
_CREDIT = "<Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn>"
_DEBIT = "<Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn>"


def write(file: TextIO, statements: Sequence[Statement], most: int | None = None) -> None:
    """One document with all statements; the pages of one have balances between them."""
    last = statements[-1]
    file.write(_BEGIN.format(id=f"{last.currency}-{last.number}", on=last.day))
    for statement in statements:
        for page in pages(statement, most):
            file.write(_head(page))
            file.writelines(_entry(entry) for entry in page.entries)
            file.write("</Stmt>\n")
    file.write(_END)


def _head(page: Page) -> str:
    its = page.statement
    whole = page.opens and page.closes
    id_ = f"{its.currency}-{its.number:06d}" + ("" if whole else f"-{page.number}")
    last = str(page.closes).lower()
    pagination = (
        ""
        if whole
        else (f"<StmtPgntn><PgNb>{page.number}</PgNb><LastPgInd>{last}</LastPgInd></StmtPgntn>")
    )
    return (
        f"<Stmt><Id>{id_}</Id>{pagination}<ElctrncSeqNb>{its.number}</ElctrncSeqNb>"
        f"<CreDtTm>{its.day}T23:00:00Z</CreDtTm>"
        f"<Acct><Id><IBAN>{its.account}</IBAN></Id><Ccy>{its.currency}</Ccy></Acct>\n"
        f"{_balance('OPBD' if page.opens else 'ITBD', page.opening, its.currency, its.day)}"
        f"{_balance('CLBD' if page.closes else 'ITBD', page.closing, its.currency, its.day)}"
    )


def _balance(code: str, amount: int, currency: str, day: date) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(amount, currency)}"
        f"<Dt><Dt>{day}</Dt></Dt></Bal>\n"
    )


def _amount(amount: int, currency: str) -> str:
    return (
        f'<Amt Ccy="{currency}">{major(abs(amount), currency)}</Amt>'
        f"<CdtDbtInd>{'DBIT' if amount < 0 else 'CRDT'}</CdtDbtInd>"
    )


def _entry(entry: Entry) -> str:
    return (
        f"<Ntry>{_amount(entry.amount, entry.currency)}<Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{entry.booked_on}</Dt></BookgDt><ValDt><Dt>{entry.value_on}</Dt></ValDt>"
        f"<AcctSvcrRef>{entry.reference}</AcctSvcrRef>"
        f"<BkTxCd>{_DEBIT if entry.amount < 0 else _CREDIT}</BkTxCd>"
        f"<NtryDtls><TxDtls><Refs><EndToEndId>{entry.trace or 'NOTPROVIDED'}</EndToEndId></Refs>"
        f"<RmtInf><Ustrd>{escape(entry.description)}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n"
    )

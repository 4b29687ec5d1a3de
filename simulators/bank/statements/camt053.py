"""ISO 20022 bank-to-customer statements, camt.053.001.08."""

from collections.abc import Sequence
from datetime import date
from typing import TextIO
from xml.sax.saxutils import escape

from simulators.world.money import major
from simulators.world.rows import Entry, Statement

_BEGIN = """\
<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
<BkToCstmrStmt>
<GrpHdr><MsgId>{id}</MsgId><CreDtTm>{on}T23:00:00Z</CreDtTm></GrpHdr>
"""
_END = "</BkToCstmrStmt>\n</Document>\n"
_CREDIT = "<Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn>"
_DEBIT = "<Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn>"


def write(file: TextIO, statements: Sequence[Statement]) -> None:
    """One document with all statements."""
    last = statements[-1]
    file.write(_BEGIN.format(id=f"{last.currency}-{last.number}", on=last.day))
    for statement in statements:
        file.write(_head(statement))
        file.writelines(_entry(entry) for entry in statement.entries)
        file.write("</Stmt>\n")
    file.write(_END)


def _head(statement: Statement) -> str:
    of = statement.currency
    return (
        f"<Stmt><Id>{of}-{statement.number:06d}</Id>"
        f"<ElctrncSeqNb>{statement.number}</ElctrncSeqNb>"
        f"<CreDtTm>{statement.day}T23:00:00Z</CreDtTm>"
        f"<Acct><Id><IBAN>{statement.account}</IBAN></Id><Ccy>{of}</Ccy></Acct>\n"
        f"{_balance('OPBD', statement.opening, of, statement.day)}"
        f"{_balance('CLBD', statement.closing, of, statement.day)}"
    )


def _balance(code: str, amount: int, currency: str, day: date) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(amount, currency)}"
        f"<Dt><Dt>{day}</Dt></Dt></Bal>\n"
    )


def _amount(amount: int, currency: str) -> str:
    direction = "DBIT" if amount < 0 else "CRDT"
    return (
        f'<Amt Ccy="{currency}">{major(abs(amount), currency)}</Amt>'
        f"<CdtDbtInd>{direction}</CdtDbtInd>"
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

"""Deciding by the tables, in the version that a process keeps, and keeping what was decided."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.rules.book import RuleBook, answer, read_for, told_to
from activities.rules.table import Table
from database import rules
from workflows.rules import Answered, AskedWith, Question, RuleVersions


class UnknownVersion(LookupError):
    """No table of this version was ever used here."""


class Rulings:
    """What activities decide with. Everything happens in the transaction that they are given.

    1. The step that takes a process up calls `take_up`, and the process keeps the versions.
    2. Each later step gives the version that the process keeps to `decide`. A table that has
       changed since is read from our database as it was then.
    """

    def __init__(self, book: RuleBook) -> None:
        self._book = book
        self._past: dict[tuple[str, str], Table] = {}
        self._kept = False

    async def take_up(self, connection: AsyncConnection) -> RuleVersions:
        """The versions that hold now, kept so that they can be asked for as long as we live."""
        if not self._kept:
            # Only what others can see is known to be kept: our own transaction may yet fail.
            self._kept = await rules.are_kept(connection, self._book.versions)
        if not self._kept:
            for table in self._book.tables.values():
                await rules.keep_version(
                    connection, table=table.name, version=table.version, content=table.text
                )
        return self._book.versions

    async def decide(
        self,
        connection: AsyncConnection,
        question: Question[AskedWith, Answered],
        facts: AskedWith,
        *,
        workflow_id: str,
        version: str,
    ) -> Answered:
        """Ask a table in a version that was taken up, and keep what it said as a decision.

        Raises UnknownVersion; WrongFacts or BadRules where today's processes no longer tell or
        take what that version needs.
        """
        table = await self.table(connection, question, version)
        ruled = answer(table, question, facts)
        told = told_to(table, facts)
        await rules.keep_ruling(connection, workflow_id=workflow_id, told=told, ruling=ruled)
        return ruled

    async def table(
        self, connection: AsyncConnection, question: Question[Any, Any], version: str
    ) -> Table:
        """A table in a version. Raises UnknownVersion or BadRules."""
        name = question.table
        current = self._book.tables[name]
        if version == current.version:
            return current
        if (name, version) not in self._past:
            text = await rules.content_of(connection, name, version)
            if text is None:
                raise UnknownVersion(f"{name} was never used in version {version}")
            file = f"{name} in version {version}"
            self._past[name, version] = read_for(question, text, file=file, past=True)
        return self._past[name, version]

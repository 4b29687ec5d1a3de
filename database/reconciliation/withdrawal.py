"""Items that their source tells otherwise since: what they were matched with is open again."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from database.reconciliation.scope import IN_CUT, Scope
from database.reconciliation.taking_apart import note_parted, open_parted, take_apart

_WITHDRAWN = text(f"""
    CREATE TEMP TABLE withdrawn ON COMMIT DROP AS
    SELECT old.id AS item
    FROM (
        SELECT i.book, i.source_id, max(i.version) AS version FROM items i
        WHERE i.version > 1 AND {IN_CUT}
        GROUP BY i.book, i.source_id
    ) AS told
    JOIN items old ON old.account = :account AND old.book = told.book
                  AND old.source_id = told.source_id AND old.version < told.version
""")
_PARTED = text("""
    INSERT INTO parted
    SELECT DISTINCT mi.match FROM withdrawn w JOIN match_items mi USING (item)
""")
_CLOSE = text("""
    WITH gone AS (
        DELETE FROM open_items o USING withdrawn w WHERE o.item = w.item RETURNING o.*
    )
    INSERT INTO closed_items (leg, item, opened_in, closed_in, account, amount_minor, effective_on,
                              book, currency)
    SELECT leg, item, opened_in, :run, account, amount_minor, effective_on, book, currency
    FROM gone WHERE opened_in < :run
""")


async def withdraw(connection: AsyncConnection, scope: Scope) -> None:
    """Take out of what is matched and open all versions but the latest of the cut."""
    await connection.execute(_WITHDRAWN, scope.values())
    await note_parted(connection)
    if (await connection.execute(_PARTED)).rowcount:
        await open_parted(connection, opened_in=scope.run)
        await take_apart(
            connection, until_run=scope.run - 1, by="perdure", reason="told otherwise since"
        )
    await connection.execute(_CLOSE, {"run": scope.run})

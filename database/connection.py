"""Connections to our Postgres, and how we know that it does not answer."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from database import tls

CONNECT_TIMEOUT = 5.0
"""Seconds until a server that does not answer counts as down."""

_ENDING = asyncpg.InternalClientError
"""What the driver says of a session that the server has ended, until it has noticed."""


class DatabaseDown(Exception):
    """Our own database did not answer. Nothing is known about what was asked of it."""

    def __init__(self) -> None:
        super().__init__("our database does not answer")


def engine_for(
    url: str, *, application: str = "perdure", size: int = 10, patience: float | None = None
) -> AsyncEngine:
    """A pool of connections to `postgresql://user:password@host:port/name`.

    They are encrypted where the URL says so (`database.tls`), whatever the environment says.
    They are used through `transaction` and `statement`: by themselves they begin no transaction.
    `patience` is how many seconds a connection or a statement may take before the server counts as
    down; without it a connection has 5 and a statement has no limit.
    """
    to_connect = min(patience or CONNECT_TIMEOUT, CONNECT_TIMEOUT)
    told = make_url(url).set(drivername="postgresql+asyncpg")
    return create_async_engine(
        told.difference_update_query([tls.MODE, tls.AUTHORITIES]),
        pool_size=size,
        max_overflow=size,
        pool_timeout=to_connect,
        pool_recycle=1800,
        isolation_level="AUTOCOMMIT",  # `transaction` begins one, on the driver's own connection
        hide_parameters=True,  # parameters hold personal data, and errors end up in logs
        connect_args={
            "ssl": tls.told(told.query),
            "timeout": to_connect,
            "command_timeout": patience,
            "server_settings": {"application_name": application, "timezone": "UTC"},
        },
    )


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction: committed at the end, rolled back by an exception.

    Raises DatabaseDown where the server cannot be reached or goes away meanwhile.
    """
    async with statement(engine) as connection:
        driver = driver_of(connection)
        begun = driver.transaction()
        await begun.start()
        try:
            yield connection
        except Exception:
            if not driver.is_closed():
                await begun.rollback()
            raise
        await begun.commit()


@asynccontextmanager
async def statement(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """For one statement, which is a transaction by itself: a third of the way to and fro.

    Raises DatabaseDown as `transaction` does.
    """
    with _our_outage():
        async with engine.connect() as connection:
            driver = driver_of(connection)
            try:
                yield connection
            except BaseException as error:
                # Cancelled: the answer is still to come, and a transaction perhaps open.
                lost = not isinstance(error, Exception) or isinstance(error, _ENDING)
                if lost or driver.is_closed():
                    await connection.invalidate()
                raise


def driver_of(connection: AsyncConnection) -> Any:
    """The driver's own connection, for what it does best. Any: it ships no types."""
    assert connection.sync_connection is not None, "it is connected"
    return connection.sync_connection.connection.driver_connection


@contextmanager
def _our_outage() -> Iterator[None]:
    try:
        yield
    except (
        OperationalError,
        InterfaceError,
        PoolTimeoutError,
        asyncpg.InterfaceError,
        _ENDING,
        TimeoutError,
        OSError,
    ) as error:
        raise DatabaseDown from error
    except DBAPIError as error:
        if error.connection_invalidated or _is_going_or_coming(error.orig):
            raise DatabaseDown from error
        raise
    except asyncpg.PostgresError as error:
        if _is_going_or_coming(error):
            raise DatabaseDown from error
        raise


def _is_going_or_coming(error: BaseException | None) -> bool:
    """Whether the server said that it starts, stops or has no connection left.

    SQLSTATE class 08, 57P01 to 57P03 and 53300: the driver counts none as a lost connection.
    """
    state = str(getattr(error, "sqlstate", "") or "")
    return state.startswith(("08", "57P0")) or state == "53300"

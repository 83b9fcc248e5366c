"""What errors of PostgreSQL mean."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from crawler.errors import TargetError, TargetUnfit
from crawler.words import one_line

# SQLSTATEs that pass: connection, transaction state and rollback, login, catalogue, schema, rights,
# no such table (without rights on its schema there is none; opened anew it is found out),
# resources, locks, operator, system. All else is wrong with the tables, or with what is written.
_PASSES = ("08", "25", "28", "3D", "3F", "40", "42501", "42P01", "53", "55", "57", "58")
_FINAL = (
    asyncpg.exceptions.ClientConfigurationError,
    asyncpg.exceptions.UnsupportedClientFeatureError,
    asyncpg.exceptions.UnsupportedServerFeatureError,
    asyncpg.exceptions.DataError,
)
ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,  # also of TLS, of names, and `TimeoutError`
)


def said(error: BaseException) -> TargetError:
    """Return what an error of asyncpg's, or of the connection, means."""
    text = one_line(str(error)) or type(error).__name__
    if isinstance(error, TimeoutError):
        return TargetError("does not answer")
    if isinstance(error, ConnectionRefusedError):
        return TargetError("no server listens there")
    if isinstance(error, socket.gaierror):
        return TargetError("the name of its host does not resolve")
    if isinstance(error, asyncpg.PostgresError):
        state = str(getattr(error, "sqlstate", None) or "")
        is_stale = isinstance(error, asyncpg.exceptions.InvalidCachedStatementError)
        passes = state.startswith(_PASSES) or is_stale
        return (TargetError if passes else TargetUnfit)(text)
    return (TargetUnfit if isinstance(error, _FINAL) else TargetError)(text)


@contextmanager
def saying() -> Iterator[None]:
    """Raise what errors in the block mean: a `TargetError`."""
    try:
        yield
    except ERRORS as error:
        raise said(error) from None

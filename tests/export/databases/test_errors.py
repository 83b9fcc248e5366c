"""What each library may raise, and what becomes of it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
import duckdb
import pytest

from crawler.errors import TargetError, TargetUnfit
from crawler.export.databases import duck, postgres_errors, sqlite


def below(kind: type[duckdb.Error]) -> Iterator[type[duckdb.Error]]:
    yield kind
    for each in kind.__subclasses__():
        yield from below(each)


def passes(error: TargetError) -> bool:
    return not isinstance(error, TargetUnfit)


def test_every_error_of_asyncpg_is_one_of_ours() -> None:
    raised = [
        kind
        for kind in vars(asyncpg.exceptions).values()
        if isinstance(kind, type)
        and issubclass(kind, Exception)
        and not issubclass(kind, Warning)
        and kind.__module__.startswith("asyncpg")
        and kind.__name__ not in ("PostgresLogMessage", "PostgresMessage", "InterfaceMessage")
    ]
    assert len(raised) > 200
    for kind in raised:
        assert issubclass(kind, (*postgres_errors.ERRORS, asyncpg.PostgresError)), kind
        assert "words" in str(postgres_errors.said(kind("words")))


@pytest.mark.parametrize(
    ("kind", "waits"),
    [
        (asyncpg.exceptions.AdminShutdownError, True),
        (asyncpg.exceptions.CannotConnectNowError, True),
        (asyncpg.exceptions.ConnectionDoesNotExistError, True),
        (asyncpg.exceptions.DiskFullError, True),
        (asyncpg.exceptions.TooManyConnectionsError, True),
        (asyncpg.exceptions.LockNotAvailableError, True),
        (asyncpg.exceptions.DeadlockDetectedError, True),
        (asyncpg.exceptions.InvalidPasswordError, True),
        (asyncpg.exceptions.ReadOnlySQLTransactionError, True),
        (asyncpg.exceptions.InvalidCachedStatementError, True),
        (asyncpg.exceptions.OutdatedSchemaCacheError, True),
        (asyncpg.exceptions.InterfaceError, True),
        (ConnectionResetError, True),
        (TimeoutError, True),
        (asyncpg.exceptions.InsufficientPrivilegeError, True),
        (asyncpg.exceptions.UndefinedTableError, True),
        (asyncpg.exceptions.TooManyColumnsError, False),
        (asyncpg.exceptions.UniqueViolationError, False),
        (asyncpg.exceptions.ClientConfigurationError, False),
    ],
)
def test_what_passes_is_waited_for(kind: type[Exception], waits: bool) -> None:
    assert passes(postgres_errors.said(kind("words"))) == waits


def test_every_error_of_duckdb_is_one_of_ours() -> None:
    kinds: list[type[duckdb.Error]] = list(below(duckdb.Error))
    waits = {kind.__name__ for kind in kinds if passes(duck.said(kind("words")))}
    assert waits == {
        "IOException", "HTTPException", "OutOfMemoryException", "TransactionException",
        "ConnectionException", "InterruptException", "FatalException", "InternalException",
    }  # fmt: skip


def test_a_locked_and_a_full_sqlite_file_are_waited_for(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as one:
        one.execute("CREATE TABLE t (a)")
        one.execute("PRAGMA max_page_count = 3")
        one.execute("BEGIN EXCLUSIVE")
        with closing(sqlite3.connect(tmp_path / "x.db", timeout=0)) as other:
            with pytest.raises(sqlite3.Error) as locked:
                other.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(sqlite3.Error) as full:
            one.execute("INSERT INTO t VALUES (randomblob(100000))")
    assert str(sqlite.said(locked.value)) == "another program has locked it"
    assert str(sqlite.said(full.value)) == "no space left on the disk"
    assert passes(sqlite.said(locked.value))
    assert passes(sqlite.said(full.value))


def test_what_is_wrong_with_an_sqlite_file_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"no database at all" * 100)
    with closing(sqlite3.connect(tmp_path / "x.db")) as one:
        with pytest.raises(sqlite3.Error) as caught:
            one.execute("SELECT * FROM t")
    assert not passes(sqlite.said(caught.value))
    with closing(sqlite3.connect(":memory:")) as one:
        with pytest.raises(sqlite3.Error) as caught:
            one.execute("SELECT * FROM t")
    assert not passes(sqlite.said(caught.value))

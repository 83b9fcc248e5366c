"""SQLite."""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from crawler.errors import TargetError, TargetUnfit
from crawler.export.databases.files import make_room
from crawler.export.databases.names import listed, quoted
from crawler.export.databases.sqlite_types import ROW, SqliteDialect
from crawler.export.databases.table import Change, Column, Dialect, Table
from crawler.export.databases.target import (
    CURSORS,
    DatabaseTarget,
    Found,
    Place,
    Rows,
    check_tables,
    named,
)
from crawler.export.databases.wanted import Wanted
from crawler.file_thread import FileThread
from crawler.outcome import Mark

_PATIENCE = 10.0
"""Seconds that another program's transaction is waited for at once."""

# What passes: all else is wrong with the file, or with what is to be written.
_PASSES = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_ABORT, sqlite3.SQLITE_NOLFS,
}  # fmt: skip
_WORDS = {
    sqlite3.SQLITE_FULL: "no space left on the disk",
    sqlite3.SQLITE_BUSY: "another program has locked it",
    sqlite3.SQLITE_LOCKED: "another program has locked it",
}


def said(error: sqlite3.Error) -> TargetError:
    """Return what an error of SQLite's means."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without what extends it
    kind = TargetError if code in _PASSES else TargetUnfit
    return kind(_WORDS.get(code) or str(error))


@contextmanager
def _saying() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise said(error) from None


class SqliteSession:
    """A connection that only its own thread touches."""

    def __init__(self, path: str, *, durable: bool = False, keeps: bool = True) -> None:
        self.dialect: Dialect = SqliteDialect()
        self._path = path
        self._durable = durable
        self._keeps = keeps
        self._connection: sqlite3.Connection | None = None
        self._thread = FileThread("sqlite")

    @classmethod
    async def open(cls, wanted: Wanted, *, keeps: bool = True) -> "SqliteSession":
        """Open a file, or make it; one that `keeps` it leaves it in the mode it is in.

        Raises `TargetError`.
        """
        session = cls(wanted.where, durable=wanted.durable, keeps=keeps)
        try:
            await session._thread.run(session._open)
        except BaseException:
            await session.aclose()
            raise
        return session

    async def tables(self, names: Sequence[str]) -> Found:
        """See `Session`."""
        return await self._thread.run(self._tables, names)

    async def cursor(self, run: str, target: str) -> int | None:
        """See `Session`."""
        return await self._thread.run(self._cursor, run, target)

    async def begin(self, place: Place, *, drop: Sequence[str]) -> None:
        """See `Session`."""
        await self._thread.run(self._begin, place, drop)

    async def prepare(self, table: Table, *, exists: bool) -> None:
        """See `Session`."""
        await self._thread.run(self._prepare, table, exists=exists)

    async def alter(self, table: Table, change: Change) -> Column:
        """See `Session`."""
        if change.was is None:
            await self._thread.run(self._add, table, [change.column])
        return change.column

    async def write(self, rows: Sequence[Rows], place: Place) -> bool:
        """See `Session`."""
        return await self._thread.run(self._write, rows, place)

    async def finish(self) -> None:
        """Have everything be in the one file, unless others read it now."""
        await self._thread.run(self._finish)

    async def aclose(self) -> None:
        """See `Session`."""
        try:
            await self._thread.run(self._close)
        finally:
            self._thread.close()

    def _open(self) -> None:
        with _saying():
            self._connection = sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None)
            self._run("SELECT count(*) FROM sqlite_master")  # it is a database
            if not self._keeps:
                self._run("PRAGMA journal_mode=WAL")  # so that others may read it meanwhile
            self._run(f"PRAGMA synchronous={'FULL' if self._durable else 'NORMAL'}")

    def _run(self, sql: str, *values: object) -> list[Any]:
        assert self._connection is not None, "the connection is open"
        return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _saying():
            self._run("BEGIN IMMEDIATE")
            try:
                yield
                self._run("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # some errors have rolled it back
                    self._run("ROLLBACK")
                raise

    def _tables(self, names: Sequence[str]) -> Found:
        with _saying():
            found = {name: self._columns(name) for name in names}
        return {name: columns for name, columns in found.items() if columns}

    def _columns(self, name: str) -> Mapping[str, str]:
        rows = self._run("SELECT name, type FROM pragma_table_info(?)", name)
        return {column: kind.upper() for column, kind in rows}

    def _cursor(self, run: str, target: str) -> int | None:
        with _saying():
            if not self._columns(CURSORS):
                return None
            rows = self._run(
                f"SELECT cursor FROM {CURSORS} WHERE run = ? AND target = ?", run, target
            )
        return rows[0][0] if rows else None

    def _begin(self, place: Place, drop: Sequence[str]) -> None:
        with self._transaction():
            for name in drop:
                self._run(f"DROP TABLE {quoted(name)}")
            self._run(
                f"CREATE TABLE IF NOT EXISTS {CURSORS} (run TEXT NOT NULL, target TEXT NOT NULL, "
                "cursor INTEGER NOT NULL, PRIMARY KEY (run, target))"
            )
            self._run(
                f"INSERT INTO {CURSORS} VALUES (?, ?, ?)", place.run, place.target, place.cursor
            )

    def _prepare(self, table: Table, *, exists: bool) -> None:
        if exists:
            self._add(table, table.missing)
        else:
            with self._transaction():
                columns = [_declared(column) for column in table.columns.values()]
                # A table without columns cannot be: one of untyped items has a number a row.
                columns = columns or [f"{ROW} INTEGER PRIMARY KEY"]
                self._run(f"CREATE TABLE {quoted(table.name)} ({', '.join(columns)})")
        if table.key:
            name = quoted(f"{table.name}_{'_'.join(table.key)}_key")
            with self._transaction():
                self._run(
                    f"CREATE UNIQUE INDEX IF NOT EXISTS {name} "
                    f"ON {quoted(table.name)} ({listed(table.key)})"
                )

    def _add(self, table: Table, columns: Sequence[Column]) -> None:
        with self._transaction():
            there = self._columns(table.name)  # another run may have been faster
            for column in columns:
                if column.name not in there:
                    self._run(f"ALTER TABLE {quoted(table.name)} ADD COLUMN {_declared(column)}")

    def _write(self, rows: Sequence[Rows], place: Place) -> bool:
        moved = (place.cursor, place.run, place.target, place.was)
        with self._transaction():
            found = self._run(
                f"UPDATE {CURSORS} SET cursor = ? WHERE run = ? AND target = ? AND cursor = ? "
                "RETURNING 1",
                *moved,
            )
            for some in rows if found else ():
                self._insert(some)
        return bool(found)

    def _insert(self, rows: Rows) -> None:
        assert self._connection is not None, "the connection is open"
        sql = _insertion(rows.table)
        values = zip(*rows.columns, strict=True) if rows.columns else [()] * rows.count
        self._connection.executemany(sql, values)

    def _finish(self) -> None:
        if self._keeps:
            return
        with suppress(sqlite3.OperationalError):  # others read it: they have the -wal as well
            self._run("PRAGMA wal_checkpoint(TRUNCATE)")
            self._run("PRAGMA journal_mode=DELETE")

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with _saying():
                connection.close()


def _declared(column: Column) -> str:
    return f"{quoted(column.name)} {column.type}".rstrip()


def _insertion(table: Table) -> str:
    """Return the SQL that adds a row, or puts it in the place of the one with its key."""
    if not table.names:
        return f"INSERT INTO {quoted(table.name)} DEFAULT VALUES"
    marks = ", ".join("?" * len(table.names))
    sql = f"INSERT INTO {quoted(table.name)} ({listed(table.names)}) VALUES ({marks})"
    if not table.key:
        return sql
    rest = [quoted(name) for name in table.names if name not in table.key]
    changed = ", ".join(f"{name} = excluded.{name}" for name in rest)
    action = f"UPDATE SET {changed}" if rest else "NOTHING"
    return f"{sql} ON CONFLICT ({listed(table.key)}) DO {action}"


async def open(wanted: Wanted, mark: Mark | None) -> DatabaseTarget:  # noqa: A001
    """Open a file of SQLite's. Raises `TargetError`."""
    try:
        if wanted.mode == "overwrite" and mark is None:
            await make_room(wanted, SqliteSession.open)
        session = await SqliteSession.open(wanted, keeps=wanted.mode == "append")
    except TargetError as error:
        raise named(wanted, error) from None
    return await DatabaseTarget.open(session, wanted, mark=mark)


def check(wanted: Wanted) -> None:
    """Raise `OutputError` if a run could not add to a file."""
    if wanted.mode == "append" and os.path.exists(wanted.where):
        check_tables(SqliteSession.open, wanted)

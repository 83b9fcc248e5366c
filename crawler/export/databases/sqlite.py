"""SQLite."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial

from crawler.errors import TargetError, TargetUnfit
from crawler.export.databases.embedded import Embedded
from crawler.export.databases.files import check_file, open_file
from crawler.export.databases.in_thread import InThread
from crawler.export.databases.names import listed, quoted
from crawler.export.databases.sqlite_types import ROW, SqliteDialect
from crawler.export.databases.table import Change, Column, Dialect, Table
from crawler.export.databases.target import DatabaseTarget, Found, Rows
from crawler.export.databases.wanted import Wanted
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


class SqliteSession(Embedded):
    """A connection; a file that it `keeps` is left in the journal mode that it is in."""

    begins = "BEGIN IMMEDIATE"
    cursors = (
        "run TEXT NOT NULL, target TEXT NOT NULL, cursor INTEGER NOT NULL, "
        "PRIMARY KEY (run, target)"
    )

    def __init__(self, path: str, *, durable: bool = False, keeps: bool = True) -> None:
        self.dialect: Dialect = SqliteDialect()
        self._keeps = keeps
        with _saying():
            connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        super().__init__(connection, saying=_saying, errors=sqlite3.Error)
        try:
            with _saying():
                self._run("SELECT count(*) FROM sqlite_master")  # it is a database
                if not keeps:
                    self._run("PRAGMA journal_mode=WAL")  # so that others may read it meanwhile
                self._run(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        except BaseException:
            connection.close()
            raise

    def tables(self, names: Sequence[str]) -> Found:
        """See `Session`."""
        with _saying():
            found = {name: self._columns(name) for name in names}
        return {name: columns for name, columns in found.items() if columns}

    def _columns(self, name: str) -> Mapping[str, str]:
        rows = self._run("SELECT name, type FROM pragma_table_info(?)", name)
        return {column: kind.upper() for column, kind in rows}

    def prepare(self, table: Table, *, exists: bool) -> None:
        """See `Session`."""
        if exists:
            self._add(table, table.missing)
        else:
            with self._transaction():
                columns = [_declared(column) for column in table.columns.values()]
                # A table without columns cannot be: this one goes when there are others.
                columns = columns or [ROW]
                self._run(f"CREATE TABLE {quoted(table.name)} ({', '.join(columns)})")
        if table.key:
            name = quoted(f"{table.name}_{'_'.join(table.key)}_key")
            with self._transaction():
                self._run(
                    f"CREATE UNIQUE INDEX IF NOT EXISTS {name} "
                    f"ON {quoted(table.name)} ({listed(table.key)})"
                )

    def alter(self, table: Table, changes: Sequence[Change]) -> list[Column]:
        """See `Session`."""
        if new := [change.column for change in changes if change.was is None]:
            self._add(table, new)
        return [change.column for change in changes]

    def _add(self, table: Table, columns: Sequence[Column]) -> None:
        with self._transaction():
            there = self._columns(table.name)  # another run may have been faster
            for column in columns:
                if column.name not in there:
                    self._run(f"ALTER TABLE {quoted(table.name)} ADD COLUMN {_declared(column)}")
            if columns and ROW in there:
                self._run(f"ALTER TABLE {quoted(table.name)} DROP COLUMN {ROW}")

    def _insert(self, rows: Rows) -> None:
        sql = _insertion(rows.table)
        values = zip(*rows.columns, strict=True) if rows.columns else [()] * rows.count
        self._connection.executemany(sql, values)

    def finish(self) -> None:
        """Have everything be in the one file, unless others read it now."""
        if self._keeps:
            return
        with suppress(sqlite3.OperationalError):  # others read it: they have the -wal as well
            self._run("PRAGMA wal_checkpoint(TRUNCATE)")
            self._run("PRAGMA journal_mode=DELETE")


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
    return await open_file(_open, wanted, mark)


def check(wanted: Wanted) -> None:
    """Raise `OutputError` if a run could not add to a file."""
    check_file(_open, wanted)


async def _open(wanted: Wanted) -> InThread:
    keeps = wanted.mode == "append"
    opener = partial(SqliteSession, wanted.where, durable=wanted.durable, keeps=keeps)
    return await InThread.open(opener)

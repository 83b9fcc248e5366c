"""DuckDB."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import compress

import duckdb
import pyarrow as pa

from crawler.errors import TargetError, TargetUnfit
from crawler.export.databases.duck_types import ROW, DuckDialect
from crawler.export.databases.embedded import Embedded
from crawler.export.databases.files import check_file, open_file
from crawler.export.databases.in_thread import InThread
from crawler.export.databases.kinds import EXACT
from crawler.export.databases.names import listed, quoted
from crawler.export.databases.table import Change, Column, Dialect, Table
from crawler.export.databases.target import DatabaseTarget, Found, Rows
from crawler.export.databases.wanted import Wanted
from crawler.export.rows import is_last
from crawler.outcome import Mark
from crawler.words import one_line

# What passes, be it that the file is opened anew: all else is wrong with it, or with what is
# written.
_PASSES = (
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.TransactionException,
    duckdb.ConnectionException,
    duckdb.InterruptException,
    duckdb.FatalException,
    duckdb.InternalException,
)
_NO_DATABASE = "not a valid DuckDB database"
_NEW = "crawler_new"


def said(error: duckdb.Error) -> TargetError:
    """Return what an error of DuckDB's means."""
    text = one_line(str(error))
    passes = isinstance(error, _PASSES) and _NO_DATABASE not in text
    return (TargetError if passes else TargetUnfit)(text)


@contextmanager
def _saying() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise said(error) from None


class DuckSession(Embedded):
    """A connection. No other program can open the file meanwhile: so DuckDB has it."""

    begins = "BEGIN"
    cursors = "run VARCHAR, target VARCHAR, cursor BIGINT"

    def __init__(self, path: str) -> None:
        self.dialect: Dialect = DuckDialect()
        with _saying():
            super().__init__(duckdb.connect(path), saying=_saying, errors=duckdb.Error)

    def tables(self, names: Sequence[str]) -> Found:
        """See `Session`."""
        with _saying():
            rows = self._run(
                "SELECT table_name, column_name, data_type FROM duckdb_columns() "
                "WHERE database_name = current_database() AND schema_name = current_schema() "
                "AND list_contains(?, table_name) ORDER BY column_index",
                list(names),
            )
        found: dict[str, dict[str, str]] = {}
        for name, column, kind in rows:
            found.setdefault(name, {})[column] = kind
        return found

    def prepare(self, table: Table, *, exists: bool) -> None:
        """See `Session`. No index: they make DuckDB slow, and tables that cannot be altered."""
        with _saying():
            if not exists:
                columns = [_declared(column) for column in table.columns.values()]
                # A table without columns cannot be.
                columns = columns or [f"{ROW} BIGINT"]
                self._run(f"CREATE TABLE {quoted(table.name)} ({', '.join(columns)})")
            for column in table.missing if exists else ():
                self._run(f"ALTER TABLE {quoted(table.name)} ADD COLUMN {_declared(column)}")

    def alter(self, table: Table, changes: Sequence[Change]) -> list[Column]:
        """See `Session`."""
        with self._transaction():
            return [self._altered(quoted(table.name), change) for change in changes]

    def finish(self) -> None:
        """Have everything be in the one file."""
        with _saying():
            self._run("CHECKPOINT")

    def _altered(self, name: str, change: Change) -> Column:
        column, key = change.column, quoted(change.column.name)
        if change.was is None:
            self._run(f"ALTER TABLE {name} ADD COLUMN IF NOT EXISTS {_declared(column)}")
            self._run(f"ALTER TABLE {name} DROP COLUMN IF EXISTS {ROW}")
            return column
        if change.instead is not None and self._run(
            f"SELECT 1 FROM {name} WHERE {key} NOT BETWEEN {-EXACT} AND {EXACT} LIMIT 1"
        ):
            column = change.instead
        value = f"to_json({key})" if column.kind == "any" else f"{key}::{column.type}"
        self._run(f"ALTER TABLE {name} ALTER {key} SET DATA TYPE {column.type} USING {value}")
        return column

    def _insert(self, rows: Rows) -> None:
        table = rows.table
        if not table.names:
            self._run(f"INSERT INTO {quoted(table.name)} SELECT NULL FROM range({rows.count})")
            return
        names = [f"c{number}" for number in range(len(table.names))]
        new = pa.table(list(rows.columns), names=names)
        if table.key:
            keys = [new[table.names.index(name)].to_pylist() for name in table.key]
            if (last := is_last(keys)) is not None:
                new = new.take(list(compress(range(rows.count), last)))
        self._connection.register(_NEW, new)
        try:
            self._run(_insertion(table))
        finally:
            self._connection.unregister(_NEW)


def _declared(column: Column) -> str:
    return f"{quoted(column.name)} {column.type}"


def _insertion(table: Table) -> str:
    """Return the SQL that adds rows, or puts them in the place of those with their keys."""
    values = ", ".join(
        f"c{number}::{column.type} AS {quoted(column.name)}"
        for number, column in enumerate(table.columns.values())
    )
    new = f"SELECT {values} FROM {_NEW}"
    name, names = quoted(table.name), listed(table.names)
    if not table.key:
        return f"INSERT INTO {name} ({names}) {new}"
    same = " AND ".join(f"old.{quoted(key)} = new.{quoted(key)}" for key in table.key)
    rest = [quoted(each) for each in table.names if each not in table.key]
    changed = ", ".join(f"{each} = new.{each}" for each in rest)
    matched = f"WHEN MATCHED THEN UPDATE SET {changed} " if rest else ""
    added = ", ".join(f"new.{quoted(each)}" for each in table.names)
    return (
        f"MERGE INTO {name} AS old USING ({new}) AS new ON ({same}) {matched}"
        f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({added})"
    )


async def open(wanted: Wanted, mark: Mark | None) -> DatabaseTarget:  # noqa: A001
    """Open a file of DuckDB's. Raises `TargetError`."""
    return await open_file(_open, wanted, mark)


def check(wanted: Wanted) -> None:
    """Raise `OutputError` if a run could not add to a file."""
    check_file(_open, wanted)


async def _open(wanted: Wanted) -> InThread:
    return await InThread.open(partial(DuckSession, wanted.where))

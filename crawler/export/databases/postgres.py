"""PostgreSQL."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import compress
from typing import Any
from zlib import crc32

import asyncpg

from crawler.errors import TargetError, TargetUnfit
from crawler.export.databases.kinds import EXACT
from crawler.export.databases.names import listed, quoted
from crawler.export.databases.postgres_errors import ERRORS, saying
from crawler.export.databases.postgres_types import PostgresDialect
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
from crawler.export.databases.urls import for_server
from crawler.export.databases.wanted import Wanted
from crawler.export.rows import is_last
from crawler.outcome import Mark
from crawler.words import one_line

_CONNECT_SECONDS = 10.0
_SECONDS = 60.0
"""So long may a statement take before the connection counts as dead."""
_ALTER_SECONDS = 3600.0
_CLOSE_SECONDS = 2.0
_LOCK = 0x637261776C  # "crawl": two runs do not make the same tables at once
_SETTINGS = {"application_name": "crawl", "timezone": "UTC", "lock_timeout": "30s"}


class PostgresSession:
    """A connection to a server."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.dialect: Dialect = PostgresDialect()
        self._connection = connection

    @classmethod
    async def open(cls, wanted: Wanted) -> "PostgresSession":
        """Connect. Raises `TargetError`."""
        try:
            with saying():
                connection = await asyncpg.connect(
                    for_server(wanted.where),
                    timeout=_CONNECT_SECONDS,
                    command_timeout=_SECONDS,
                    statement_cache_size=0,  # tables are altered; poolers keep none either
                    server_settings=_SETTINGS,
                )
        except ValueError as error:  # of a port, or a setting in the URL
            raise TargetUnfit(f"cannot be connected to: {one_line(str(error))}") from None
        return cls(connection)

    async def tables(self, names: Sequence[str]) -> Found:
        """See `Session`."""
        with saying():
            if await self._connection.fetchval("SELECT current_schema() IS NULL"):
                raise TargetError("no schema of its search_path is there, or open to this user")
            rows = await self._connection.fetch(
                "SELECT c.relname::text AS name, a.attname::text AS key, "
                "format_type(a.atttypid, a.atttypmod) AS type "
                "FROM unnest($1::text[]) n JOIN pg_class c ON c.oid = to_regclass(quote_ident(n)) "
                "LEFT JOIN pg_attribute a "
                "ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
                "ORDER BY a.attnum",
                list(names),
            )
        found: dict[str, dict[str, str]] = {}
        for row in rows:
            columns = found.setdefault(row["name"], {})
            if row["key"] is not None:
                columns[row["key"]] = row["type"]
        return found

    async def cursor(self, run: str, target: str) -> int | None:
        """See `Session`."""
        if CURSORS not in await self.tables([CURSORS]):
            return None
        with saying():
            cursor: int | None = await self._connection.fetchval(
                f"SELECT cursor FROM {CURSORS} WHERE run = $1 AND target = $2", run, target
            )
        return cursor

    async def begin(self, place: Place, *, drop: Sequence[str]) -> None:
        """See `Session`."""
        with saying():
            async with self._connection.transaction():
                await self._connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
                for name in drop:
                    await self._connection.execute(f"DROP TABLE {quoted(name)}")
                if CURSORS not in await self.tables([CURSORS]):
                    await self._connection.execute(
                        f"CREATE TABLE {CURSORS} (run text, target text, cursor bigint NOT NULL, "
                        "PRIMARY KEY (run, target))"
                    )
                done = await self._connection.fetchval(
                    f"INSERT INTO {CURSORS} VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1",
                    place.run,
                    place.target,
                    place.cursor,
                )
                if not done:
                    raise TargetError("another process began this run just now")

    async def prepare(self, table: Table, *, exists: bool) -> None:
        """See `Session`."""
        name, missing = quoted(table.name), table.missing
        with saying():
            async with self._connection.transaction():
                if not exists:
                    columns = ", ".join(map(_declared, table.columns.values()))
                    await self._alter(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
                elif missing:
                    added = ", ".join(map(_addition, missing))
                    await self._alter(f"ALTER TABLE {name} {added}")
                if table.key and not await self._has_index(table):
                    await self._alter(f"CREATE UNIQUE INDEX ON {name} ({listed(table.key)})")

    async def alter(self, table: Table, changes: Sequence[Change]) -> list[Column]:
        """See `Session`."""
        with saying():
            async with self._connection.transaction():
                columns = [await self._settled(table, change) for change in changes]
                done = ", ".join(
                    _widening(column)
                    if change.was
                    else f"ADD COLUMN IF NOT EXISTS {_declared(column)}"
                    for change, column in zip(changes, columns, strict=True)
                )
                await self._alter(f"ALTER TABLE {quoted(table.name)} {done}")
        return columns

    async def write(self, rows: Sequence[Rows], place: Place) -> bool:
        """See `Session`."""
        with saying():
            async with self._connection.transaction():
                # Waits for one of ours that the server has not ended yet, though we lost it.
                moved = await self._connection.fetchval(
                    f"UPDATE {CURSORS} SET cursor = $1 "
                    "WHERE run = $2 AND target = $3 AND cursor = $4 RETURNING 1",
                    place.cursor,
                    place.run,
                    place.target,
                    place.was,
                )
                for some in rows if moved else ():
                    await self._insert(some)
        return bool(moved)

    async def finish(self) -> None:
        """Do nothing: what is committed is complete."""

    async def aclose(self) -> None:
        """See `Session`."""
        with suppress(*ERRORS):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._connection.close()
        self._connection.terminate()

    async def _settled(self, table: Table, change: Change) -> Column:
        """Return what a column becomes: what it holds may decide."""
        if change.instead is not None and await self._connection.fetchval(
            f"SELECT 1 FROM {quoted(table.name)} WHERE {quoted(change.column.name)} "
            f"NOT BETWEEN {-EXACT} AND {EXACT} LIMIT 1"
        ):
            return change.instead
        return change.column

    async def _alter(self, sql: str) -> None:
        await self._connection.execute(sql, timeout=_ALTER_SECONDS)

    async def _has_index(self, table: Table) -> bool:
        """True if something tells rows apart by the table's key already."""
        return bool(
            await self._connection.fetchval(
                "SELECT 1 FROM pg_index i WHERE i.indrelid = to_regclass($1) AND i.indisunique "
                "AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL "
                "AND i.indnatts = i.indnkeyatts AND $2::text[] = (SELECT array_agg("
                'a.attname::text ORDER BY a.attname::text COLLATE "C") FROM unnest(i.indkey) k '
                "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k)",
                quoted(table.name),
                sorted(table.key),
            )
        )

    async def _insert(self, rows: Rows) -> None:
        table = rows.table
        if not table.names:
            await self._connection.executemany(
                f"INSERT INTO {quoted(table.name)} DEFAULT VALUES", [()] * rows.count
            )
        elif table.key:
            await self._upsert(rows)
        else:
            await self._copy(rows.columns, table.name, names=table.names)

    async def _upsert(self, rows: Rows) -> None:
        """Add rows, or put them in the place of those with their keys, in the order of the keys.

        So two runs never wait for each other.
        """
        table, columns = rows.table, rows.columns
        keys = [columns[table.names.index(name)] for name in table.key]
        if (last := is_last(keys)) is not None:
            columns = [list(compress(values, last)) for values in columns]
        declared = ", ".join(map(_declared, table.columns.values()))
        # A pooler's connection may have one of another process already, with these columns.
        new = f"crawler_new_{crc32(f'{table.name} {declared}'.encode()):08x}"
        await self._connection.execute(
            f"CREATE TEMP TABLE IF NOT EXISTS {new} ({declared}) ON COMMIT DELETE ROWS"
        )
        await self._copy(columns, new, names=table.names, schema="pg_temp")
        names, key = listed(table.names), listed(table.key)
        rest = [quoted(name) for name in table.names if name not in table.key]
        changed = ", ".join(f"{name} = EXCLUDED.{name}" for name in rest)
        await self._connection.execute(
            f"INSERT INTO {quoted(table.name)} ({names}) "
            f"SELECT {names} FROM pg_temp.{new} ORDER BY {key} "
            f"ON CONFLICT ({key}) DO {f'UPDATE SET {changed}' if rest else 'NOTHING'}"
        )

    async def _copy(
        self,
        columns: Sequence[Sequence[Any]],
        table: str,
        *,
        names: Sequence[str],
        schema: str | None = None,
    ) -> None:
        await self._connection.copy_records_to_table(
            table,
            records=zip(*columns, strict=True),
            columns=names,
            schema_name=schema,
            timeout=_SECONDS,
        )


_USING = {"jsonb": "to_jsonb({})", "numeric": "{}::text::numeric"}
"""How a column gets another type, where a cast would lose something."""


def _addition(column: Column) -> str:
    return f"ADD COLUMN IF NOT EXISTS {_declared(column)}"


def _widening(column: Column) -> str:
    name = quoted(column.name)
    value = _USING.get(column.type, f"{{}}::{column.type}").format(name)
    return f"ALTER COLUMN {name} TYPE {column.type} USING {value}"


def _declared(column: Column) -> str:
    return f"{quoted(column.name)} {column.type}"


async def open(wanted: Wanted, mark: Mark | None) -> DatabaseTarget:  # noqa: A001
    """Connect to a database. Raises `TargetError`."""
    try:
        session = await PostgresSession.open(wanted)
    except TargetError as error:
        raise named(wanted, error) from None
    return await DatabaseTarget.open(session, wanted, mark=mark)


def check(wanted: Wanted) -> None:
    """Connect, and raise `OutputError` if a run could not begin with what is there."""
    check_tables(PostgresSession.open, wanted)

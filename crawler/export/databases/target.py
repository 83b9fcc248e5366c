"""A database as a follower: rows and cursor in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from msgspec import Struct

from crawler.errors import OutputError, TargetError, TargetUnfit
from crawler.export.databases.names import table_for
from crawler.export.databases.table import Change, Column, Dialect, Table
from crawler.export.databases.wanted import Wanted
from crawler.export.naming import filled, whole
from crawler.export.rows import Misfit
from crawler.file_thread import FileThread
from crawler.outcome import Mark

CURSORS = "crawler_cursors"
"""The table that says how far each run is."""

_MOST_ROUNDS = 20
"""Times that lines may be learned from, before it is plain that nothing comes of it."""

Found = Mapping[str, Mapping[str, str]]
"""The types of columns by name, by table."""


class Place(Struct, frozen=True):
    """Whose cursor it is, and from where to where it moves."""

    run: str
    target: str
    was: int
    cursor: int


class Rows(Struct, frozen=True):
    """Values for a table: one sequence a column, in its order, and how many rows they are."""

    table: Table
    columns: Sequence[Sequence[Any]]
    count: int


class Session(Protocol):
    """A connection to a database; all methods raise `TargetError`."""

    dialect: Dialect

    async def tables(self, names: Sequence[str]) -> Found:
        """Return what is there of some tables."""

    async def cursor(self, run: str, target: str) -> int | None:
        """Return where a run is; None if it never began here."""

    async def begin(self, place: Place, *, drop: Sequence[str]) -> None:
        """Have the table of cursors, with one for a run that begins, and drop tables, at once."""

    async def prepare(self, table: Table, *, exists: bool) -> None:
        """Have a table with the columns that are missing, and an index of its key."""

    async def alter(self, table: Table, changes: Sequence[Change]) -> list[Column]:
        """Make or widen columns; return what they are now."""

    async def write(self, rows: Sequence[Rows], place: Place) -> bool:
        """Add rows and move the cursor, all or nothing; False if the cursor is not where it was."""

    async def finish(self) -> None:
        """Leave the database complete."""

    async def aclose(self) -> None:
        """Close the connection."""


class DatabaseTarget:
    """Writes items to tables, one a type. The mark is what the database says."""

    def __init__(
        self, session: Session, wanted: Wanted, tables: Mapping[str, Table], *, mark: Mark
    ) -> None:
        self.mark = mark
        self._session = session
        self._wanted = wanted
        self._tables = tables
        self._thread = FileThread("rows")

    @classmethod
    async def open(cls, session: Session, wanted: Wanted, *, mark: Mark | None) -> "DatabaseTarget":
        """Take up where the database says the run is, or begin; closes the session on errors.

        Raises `TargetError`.
        """
        try:
            names = names_of(wanted, session.dialect)
            cursor = await session.cursor(wanted.run, wanted.table)
            found = await session.tables(list(names.values()))
            if cursor is None:
                drop = _replaced(wanted, found, mark)
                cursor = wanted.begin
                place = Place(wanted.run, wanted.table, cursor, cursor)
                await session.begin(place, drop=drop)
                found = {name: columns for name, columns in found.items() if name not in drop}
            elif gone := [name for name in names.values() if name not in found]:
                raise TargetUnfit(f"table {gone[0]} is gone, which had items of this run")
            tables = tables_of(wanted, session.dialect, found)
            for table in tables.values():
                await session.prepare(table, exists=table.name in found)
                table.bind((await session.tables([table.name])).get(table.name, {}))
        except BaseException as error:
            await session.aclose()
            if isinstance(error, TargetError):
                raise named(wanted, error) from None
            raise
        return cls(session, wanted, tables, mark=Mark(cursor))

    async def follow(self, lines: Sequence[bytes], cursor: int) -> None:
        """Write each line to the table it belongs to."""
        try:
            sorted_out = await self._thread.run(self._sorted, lines)
            rows = [
                Rows(self._tables[stream], await self._read(self._tables[stream], some), len(some))
                for stream, some in sorted_out.items()
            ]
            place = Place(self._wanted.run, self._wanted.table, self.mark.cursor, cursor)
            if not await self._session.write(rows, place):
                raise TargetError("another process added items of this run")
        except TargetError as error:
            raise named(self._wanted, error) from None
        self.mark = Mark(cursor)

    async def flush(self) -> None:
        """Do nothing: nothing is held back."""

    async def finish(self) -> None:
        """Leave the database complete."""
        try:
            await self._session.finish()
        except TargetError as error:
            raise named(self._wanted, error) from None

    async def aclose(self) -> None:
        """Close the connection; what is not committed was never there."""
        self._thread.close()
        await self._session.aclose()

    async def _read(self, table: Table, lines: Sequence[bytes]) -> Sequence[Sequence[Any]]:
        """Read lines, after the table has room for them."""
        for _ in range(_MOST_ROUNDS):
            try:
                return await self._thread.run(table.read, lines)
            except Misfit:
                changes = await self._thread.run(table.learn, lines)
            if changes:
                changed = await self._session.alter(table, changes)
                there = (await self._session.tables([table.name])).get(table.name, {})
                await self._thread.run(table.bind, there, changed=changed)
        raise TargetUnfit(f"table {table.name}: has no room for an item, whatever its columns are")

    def _sorted(self, lines: Sequence[bytes]) -> dict[str, list[bytes]]:
        sorted_out: dict[str, list[bytes]] = {}
        for line in self._session.dialect.cleaned(lines):
            try:
                stream, item = self._wanted.streams.split(line)
            except ValueError as error:
                raise TargetUnfit(f"no item that fits a table: {error}") from None
            if stream not in self._tables:
                raise TargetUnfit(f"no table for items of type {stream!r}")
            sorted_out.setdefault(stream, []).append(item)
        return {stream: sorted_out[stream] for stream in sorted(sorted_out)}


def check_tables(opener: Callable[[Wanted], Awaitable[Session]], wanted: Wanted) -> None:
    """Raise `OutputError` if a run could not begin with what is in a database.

    Blocks for as long as it takes to connect; where a loop runs, the looking needs another one.
    """
    with ThreadPoolExecutor(1) as thread:
        try:
            thread.submit(asyncio.run, _check(opener, wanted)).result()
        except TargetError as error:
            raise OutputError(str(named(wanted, error))) from None


async def _check(opener: Callable[[Wanted], Awaitable[Session]], wanted: Wanted) -> None:
    session = await opener(wanted)
    try:
        found = await session.tables(list(names_of(wanted, session.dialect).values()))
        if not _replaced(wanted, found, None):
            tables_of(wanted, session.dialect, found)
    finally:
        await session.aclose()


def named(wanted: Wanted, error: TargetError) -> TargetError:
    """Return an error that says which database it is about."""
    return type(error)(f"{wanted.name}: {error}")


def names_of(wanted: Wanted, dialect: Dialect) -> Mapping[str, str]:
    """Return the names of the tables, by stream."""
    names = {
        stream: table_for(whole(filled(wanted.table, item=stream)), dialect.names)
        for stream in wanted.streams.fields
    }
    if len({name.casefold() for name in names.values()}) < len(names):
        raise TargetUnfit(f"two types of items have one table: {', '.join(names)}")
    return names


def tables_of(wanted: Wanted, dialect: Dialect, found: Found) -> dict[str, Table]:
    """Return the tables by stream. Raises `TargetUnfit` for columns that do not fit."""
    return {
        stream: Table(
            name,
            fields=wanted.streams.fields[stream],
            key=wanted.streams.keys.get(stream, ()),
            dialect=dialect,
            there=found.get(name),
        )
        for stream, name in names_of(wanted, dialect).items()
    }


def _replaced(wanted: Wanted, found: Found, mark: Mark | None) -> list[str]:
    """Return the tables that a run which begins has to drop. Raises `TargetUnfit`."""
    first = next(iter(found), None)
    if first is None or (mark is None and wanted.mode == "append"):
        return []
    if mark is not None:
        raise TargetUnfit(f"table {first} has nothing of this run any more; was it replaced?")
    if wanted.mode == "new":
        raise TargetUnfit(f"table {first} exists; use --overwrite or --append")
    return list(found)

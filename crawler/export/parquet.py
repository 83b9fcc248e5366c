"""Parquet."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from msgspec import Struct

from crawler.errors import TargetUnfit
from crawler.export.columns import (
    array_of,
    objects,
    refitted_fields,
    storable,
    type_of,
    values_of,
)
from crawler.export.row_groups import GROUP_BYTES, GROUP_ROWS, RowGroups
from crawler.export.rows import Misfit, Reader, Reading
from crawler.export.sheet import Sheet
from crawler.fields import Field
from crawler.oserrors import refused
from crawler.owned import beside, fresh

# Each new key of untyped items rewrites the file, so a site that invents keys must not go on.
_MOST_COLUMNS = 1000


class ParquetFile:
    """A Parquet file, compressed with zstd, that can be read after every flush.

    Its columns are the item's fields, lists and objects as such. What has no type in common, or in
    Parquet, is JSON text: integers beyond 64 bits, a list in one item and text in the other. Values
    that do not fit make their column wider: the file is rewritten beside itself, and replaced.
    """

    def __init__(self, sheet: Sheet) -> None:
        self._path = sheet.path
        self._durable = sheet.settings.durable == "full"
        state = msgspec.json.decode(sheet.state, type=_State) if sheet.state is not None else None
        self._fields = state.fields if state else tuple(map(storable, sheet.fields or ()))
        self._groups = RowGroups(
            sheet.path, schema=_schema(self._fields), state=state.file if state else None
        )
        self._reader = _reader(self._fields)
        self._held: list[Any] = []

    def write(self, lines: Sequence[bytes]) -> None:
        """Add a row for each object, after making its columns wide enough."""
        if not lines:
            return
        if _is_full(self._held):
            self._put()
        try:
            try:
                arrays = self._arrays(lines)
            except Misfit:
                self._widen(objects(lines))
                arrays = self._arrays(lines)
        except (Misfit, ValueError) as error:  # Misfit: an integer that only msgspec reads
            raise TargetUnfit(f"{self._path}: no item that fits a table: {error}") from None
        if arrays:  # else nothing but empty objects so far
            self._held.append(pa.Table.from_arrays(arrays, schema=_schema(self._fields)))

    def _arrays(self, lines: Sequence[bytes]) -> list[Any]:
        return list(map(array_of, self._fields, self._reader.read(lines)))

    def flush(self) -> bytes:
        """Return the state to go on from: the file, and its columns."""
        self._put()
        return msgspec.json.encode(_State(self._groups.flush(durable=self._durable), self._fields))

    def close(self) -> None:
        """Close the file as it is."""
        self._groups.close()

    def _put(self) -> None:
        if self._held:
            self._groups.append(pa.concat_tables(self._held))
            self._held = []

    def _widen(self, rows: Sequence[dict[str, Any]]) -> None:
        """Have columns that all of the rows fit in."""
        is_fresh = not self._held and not self._groups.count
        fields = refitted_fields(self._fields, rows, fresh=is_fresh)
        if len(fields) > _MOST_COLUMNS:
            raise TargetUnfit(f"{self._path}: more than {_MOST_COLUMNS:,} columns")
        while True:
            try:
                held = [_recast(table, self._fields, fields) for table in self._held]
                self._rewrite(fields)
            except _TooNarrow as error:
                fields = tuple(
                    Field(field.name) if field.name == error.column else field for field in fields
                )
            else:
                break
        self._fields, self._held = fields, held
        self._reader = _reader(fields)

    def _rewrite(self, fields: Sequence[Field]) -> None:
        """Replace the file by one with other columns."""
        # The file itself: `replace` would put a file in the place of a link that -o names.
        path = Path(os.path.realpath(self._path))
        made = beside(path)
        wider = RowGroups(made, schema=_schema(fields), opener=fresh)
        try:
            for table in _gathered(self._recast_groups(fields)):
                wider.append(table)
            state = wider.flush(durable=self._durable)
            made.replace(path)
        except BaseException as error:
            made.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise refused(path, error) from None
            raise
        finally:
            wider.close()
        self._groups.close()
        self._groups = RowGroups(self._path, schema=_schema(fields), state=state)

    def _recast_groups(self, fields: Sequence[Field]) -> Iterator[Any]:
        for group in range(self._groups.count):
            yield _recast(self._groups.read(group), self._fields, fields)


class _State(Struct, frozen=True):
    file: bytes
    fields: tuple[Field, ...]


class _TooNarrow(Exception):
    """A column has values that its wider type cannot hold."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


def _reader(fields: Sequence[Field]) -> Reader:
    return Reader({field.name: Reading(Any) for field in fields})


def _schema(fields: Sequence[Field]) -> Any:
    return pa.schema([(field.name, type_of(field)) for field in fields])


def _is_full(tables: Sequence[Any]) -> bool:
    size = sum(table.nbytes for table in tables)
    return bool(size >= GROUP_BYTES or sum(table.num_rows for table in tables) >= GROUP_ROWS)


def _gathered(tables: Iterator[Any]) -> Iterator[Any]:
    """Join tables to ones that fill a row group."""
    some: list[Any] = []
    for table in tables:
        some.append(table)
        if _is_full(some):
            yield pa.concat_tables(some)
            some = []
    if some:
        yield pa.concat_tables(some)


def _recast(table: Any, old: Sequence[Field], new: Sequence[Field]) -> Any:
    """Return a table with other columns, which are the old ones or wider, and further ones."""
    columns = []
    for index, field in enumerate(new):
        if index >= len(old):
            columns.append(pa.nulls(table.num_rows, type_of(field)))
        elif field == old[index]:
            columns.append(table.column(index))
        else:
            try:
                columns.append(array_of(field, values_of(old[index], table.column(index))))
            except Misfit:
                raise _TooNarrow(field.name) from None
    return pa.Table.from_arrays(columns, schema=_schema(new))

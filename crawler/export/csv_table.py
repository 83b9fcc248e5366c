"""CSV."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, structs

from crawler.errors import OutputError, TargetUnfit
from crawler.export.formulas import escaped, unescaped
from crawler.export.sheet import Sheet
from crawler.export.text_file import TextFile, text_kept
from crawler.fields import names_of

Row = dict[str, Any]
"""Cells by column: text, numbers, None for an empty one."""

# Each new key of untyped items rewrites the file, so a site that invents keys must not go on.
_MOST_COLUMNS = 1000
_HEADER_BYTES = 1_000_000
_END = b"\r\n"  # RFC 4180 2.1
_decode = msgspec.json.Decoder(Row).decode
_raws = msgspec.json.Decoder(dict[str, Raw]).decode


class CsvTable:
    """RFC 4180 in UTF-8 with a header.

    None is an empty cell, true and false are written so, lists and objects as compact JSON; text,
    and names of columns, that a spreadsheet would run are escaped (`formulas.py`), unless
    `escape_formulas` is off. A key that no column has makes a new one: the file is rewritten beside
    itself and replaced.
    """

    def __init__(self, sheet: Sheet) -> None:
        self._shown: Callable[[str], str] = escaped if sheet.settings.escape_formulas else str
        self._kept = sheet.kept
        state = None
        if sheet.state is not None:
            state = msgspec.json.decode(sheet.state, type=_State)
            sheet = structs.replace(sheet, state=state.file)
        self._columns: tuple[str, ...] = state.columns if state else ()
        self._file = TextFile(sheet)
        try:
            if state is None:
                self._begin(sheet)
        except BaseException:
            self._file.close()
            raise

    def write(self, lines: Sequence[bytes]) -> None:
        """Add a row for each object, after making the columns they need."""
        text = io.StringIO(newline="")
        add = csv.writer(text, lineterminator=_END.decode()).writerow
        known = set(self._columns)
        for line in lines:
            try:
                row = self._row(line)
            except ValueError as error:
                raise TargetUnfit(
                    f"{self._file.path}: no item that fits a table: {error}"
                ) from None
            if not row.keys() <= known:
                self._file.write([text.getvalue().encode()])
                text.seek(0)
                text.truncate()
                self._widen(tuple(key for key in row if key not in known))
                known = set(self._columns)
            if known:  # else nothing but empty objects so far
                add(map(row.get, self._columns))
        self._file.write([text.getvalue().encode()])

    def _row(self, line: bytes) -> Row:
        """Return an object's cells: text as `shown`, null as nothing, all else as JSON."""
        row = _decode(line)
        for name, value in row.items():
            kind = type(value)
            if kind is str:
                if value and not value[0].isalnum():  # most text does, and no formula
                    row[name] = self._shown(value)
            elif kind is bool:
                row[name] = "true" if value else "false"
            elif kind is list or kind is dict:
                row[name] = _json(line, name, value)
        return row

    def flush(self) -> bytes:
        """Return the state to go on from: the file, and its columns."""
        return msgspec.json.encode(_State(self._file.flush(), self._columns))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _begin(self, sheet: Sheet) -> None:
        if sheet.kept:
            header = _header(sheet)
            self._columns = tuple(map(unescaped, header)) if self._shown is escaped else header
            self._file.end_line(_END)
        elif sheet.fields:
            self._widen(tuple(field.name for field in sheet.fields))

    def _widen(self, new: tuple[str, ...]) -> None:
        columns = self._columns + new
        if self._kept:
            raise TargetUnfit(
                f"{self._file.path}: has no column {new[0]!r}, and --append adds none"
            )
        if len(columns) > _MOST_COLUMNS:
            raise TargetUnfit(f"{self._file.path}: more than {_MOST_COLUMNS:,} columns")
        header = _header_line(map(self._shown, columns))
        if self._columns:
            self._rewrite(header, more=len(new))
        else:
            self._file.write([header])
        self._columns = columns

    def _rewrite(self, header: bytes, *, more: int) -> None:
        """Replace the file by one with `more` columns, empty in the rows so far."""

        def wider(lines: Iterator[bytes]) -> Iterator[bytes]:
            records = _records(lines)
            next(records)
            yield header
            for record in records:
                yield record.removesuffix(_END) + b"," * more + _END

        self._file.rewrite(wider)


class _State(msgspec.Struct, frozen=True):
    file: bytes
    columns: tuple[str, ...]


def _header_line(names: Iterable[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=_END.decode()).writerow(names)
    return text.getvalue().encode()


def _json(line: bytes, name: str, value: object) -> str:
    """Return a list or an object as JSON."""
    try:
        return msgspec.json.encode(value).decode()
    except OverflowError:  # an integer in it that msgspec reads and does not write
        return str(_raws(line)[name], "utf-8")


def _records(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Join physical lines to records: inside quotes the number of quotes so far is odd."""
    record: list[bytes] = []
    quotes = 0
    for line in lines:
        record.append(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            yield b"".join(record)
            record.clear()


def _header(sheet: Sheet) -> tuple[str, ...]:
    with sheet.packing.reading(sheet.path) as file:
        start = file.read(_HEADER_BYTES).decode("utf-8-sig", errors="replace")
    return tuple(next(csv.reader(io.StringIO(start, newline="")), ()))


def csv_kept(path: Path, sheet: Sheet) -> int:
    """Return what stays of a file that is appended to: all of it.

    Raises `OutputError` if it has other columns than the items.
    """
    kept = text_kept(path, sheet)
    columns = names_of(sheet.fields)
    try:
        header = _header(sheet)
    except csv.Error as error:
        raise OutputError(f"{path}: --append needs a CSV file: {error}") from None
    if not header and sheet.packing.frame_bytes:
        return 0  # nothing is in it, which takes some bytes to say
    if columns not in (None, header, tuple(map(unescaped, header))):
        raise OutputError(
            f"{path}: --append needs the columns {','.join(columns)}; "
            f"its header has {','.join(header)}"
        )
    return kept

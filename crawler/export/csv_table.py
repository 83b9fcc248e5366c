"""CSV."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Raw, structs

from crawler.errors import OutputError, TargetUnfit
from crawler.export.formulas import escaped, unescaped
from crawler.export.rows import Misfit, Reader, Reading, raw_rows, texts
from crawler.export.sheet import Sheet
from crawler.export.text_file import TextFile, text_kept
from crawler.fields import TEXTS, Kind, names_of

# Each new key of untyped items rewrites the file, so a site that invents keys must not go on.
_MOST_COLUMNS = 1000
_HEADER_BYTES = 1_000_000
_AT_ONCE = 200  # rows, which then stay in the CPU's cache
_END: Final = b"\r\n"  # RFC 4180 2.1


class CsvTable:
    """RFC 4180 in UTF-8 with a header.

    None is an empty cell; numbers, true and false, lists and objects are written as JSON has them;
    text, and names of columns, that a spreadsheet would run are escaped (`formulas.py`), unless
    `escape_formulas` is off. A key that no column has makes a new one: the file is rewritten beside
    itself and replaced.
    """

    def __init__(self, sheet: Sheet) -> None:
        self._shown: Callable[[str], str] = escaped if sheet.settings.escape_formulas else str
        self._kept = sheet.kept
        self._kinds = {field.name: field.kind for field in sheet.fields or ()}
        state = None
        if sheet.state is not None:
            state = msgspec.json.decode(sheet.state, type=_State)
            sheet = structs.replace(sheet, state=state.file)
        self._columns: tuple[str, ...] = state.columns if state else ()
        self._blank = state.blank if state else 0  # rows, before there is a column
        self._file = TextFile(sheet)
        try:
            if state is None:
                self._begin(sheet)
        except BaseException:
            self._file.close()
            raise
        self._reader = self._renewed(self._kinds)
        self._loose: Reader | None = None  # which has room for any value

    def write(self, lines: Sequence[bytes]) -> None:
        """Add a row for each object, after making the columns they need."""
        for begin in range(0, len(lines), _AT_ONCE):
            some = lines[begin : begin + _AT_ONCE]
            cells = self._read(some)
            if self._columns:
                self._file.write([_written(zip(*cells, strict=True))])
            else:
                self._blank += len(some)

    def _read(self, lines: Sequence[bytes]) -> list[Sequence[Any]]:
        """Return the cells of each column."""
        with suppress(Misfit):
            return self._reader.read(lines)
        if new := self._new_keys(lines):
            self._widen(new)
            self._reader, self._loose = self._renewed(self._kinds), None
        self._loose = self._loose or self._renewed({})
        try:
            return self._loose.read(lines)
        except Misfit:
            reason = "no item that fits a table: its text is broken"
            raise TargetUnfit(f"{self._file.path}: {reason}") from None

    def _new_keys(self, lines: Sequence[bytes]) -> tuple[str, ...]:
        try:
            found = dict.fromkeys(key for row in raw_rows(lines) for key in row)
        except TargetUnfit as error:
            raise TargetUnfit(f"{self._file.path}: {error}") from None
        return tuple(key for key in found if key not in self._columns)

    def _renewed(self, kinds: Mapping[str, Kind]) -> Reader:
        return Reader({name: self._reading(kinds.get(name, "any")) for name in self._columns})

    def _reading(self, kind: Kind) -> Reading:
        if kind == "int":
            return Reading(int | None)
        if kind in TEXTS:
            return Reading(str | None, self._texts)
        return Reading(Raw, self._cells)

    def _texts(self, values: Sequence[str | None]) -> Sequence[str | None]:
        shown = self._shown  # most text begins with a letter, and is no formula
        return [text if not text or text[0].isalnum() else shown(text) for text in values]

    def _cells(self, values: Sequence[Raw | None]) -> Sequence[str | None]:
        """Return text as such, and all else as JSON has it."""
        shown, decode = self._shown, msgspec.json.decode
        return [shown(decode(text)) if text and text[0] == '"' else text for text in texts(values)]

    def flush(self) -> bytes:
        """Return the state to go on from: the file, and its columns."""
        return msgspec.json.encode(_State(self._file.flush(), self._columns, self._blank))

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
        header = _written([map(self._shown, columns)])
        if self._columns:
            self._rewrite(header, more=len(new))
        else:
            self._file.write([header, _written([[None] * len(columns)] * self._blank)])
            self._blank = 0
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
    blank: int = 0


def _written(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=_END.decode()).writerows(rows)
    return text.getvalue().encode()


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

"""CSV, one table a type."""

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
from msgspec import Raw

from crawler.errors import OutputError, TargetError
from crawler.export.formulas import escaped, unescaped
from crawler.export.steady_file import SteadyFile
from crawler.file_thread import FileThread
from crawler.oserrors import refused
from crawler.owned import fresh
from crawler.protocols import Follower
from crawler.records.streams import Columns, Streams
from crawler.settings import Settings

Row = dict[str, Raw]

# Each new key of untyped items rewrites the file, so a site that invents keys must not go on.
_MOST_COLUMNS = 1000
_HEADER_BYTES = 1_000_000
_END = b"\r\n"  # RFC 4180 2.1
_decoder = msgspec.json.Decoder(Row)


class CsvTable:
    """RFC 4180 in UTF-8 with a header; several streams are several files: `x.book.csv`.

    None is an empty cell, true and false are written so, lists and objects as compact JSON; text,
    and names of columns, that a spreadsheet would run are escaped (`formulas.py`), unless
    `escape_formulas` is off. A key that no column has makes a new one: the file is rewritten beside
    itself and replaced.
    """

    def __init__(
        self, thread: FileThread, tables: Mapping[str, "_Table"], streams: Streams
    ) -> None:
        self._thread = thread
        self._tables = tables
        self._streams = streams

    @staticmethod
    def files(path: Path, streams: Streams) -> Sequence[Path]:
        """Return the files this format writes: one for each stream."""
        return list(_paths(path, streams).values())

    @staticmethod
    def keep(path: Path, streams: Streams) -> Mapping[str, int]:
        """Return what `--append` keeps of each file. Raises `OutputError` if headers differ."""
        return {
            str(file): _checked_size(file, streams.columns[stream])
            for stream, file in _paths(path, streams).items()
            if file.exists() and file.stat().st_size
        }

    @classmethod
    async def open(
        cls, path: Path, *, streams: Streams, kept: Mapping[str, int], settings: Settings
    ) -> Follower:
        """Open the target, cut to the bytes of it that are `kept`. Raises `TargetError`."""
        thread = FileThread("csv")
        escapes = settings.escape_formulas
        return cls(thread, await thread.run(_opened, path, streams, kept, escapes), streams)

    async def follow(self, lines: Sequence[bytes], cursor: int) -> None:  # noqa: ARG002
        """Write a row for each line."""
        await self._thread.run(self._add, lines)

    async def aclose(self) -> None:
        """Close the files."""
        for table in self._tables.values():
            await self._thread.run(table.close)
        self._thread.close()

    def _add(self, lines: Sequence[bytes]) -> None:
        rows: dict[str, list[Row]] = {}
        for line in lines:
            try:
                stream, item = self._streams.split(line)
                rows.setdefault(stream, []).append(_decoder.decode(item))
            except ValueError as error:
                raise TargetError(f"no item that fits a table: {error}") from None
        for stream, some in rows.items():
            if stream not in self._tables:
                raise TargetError(f"no table for items of type {stream!r}")
            self._tables[stream].add(some)


class _Table:
    """One CSV file and its columns."""

    def __init__(self, path: Path, *, columns: Columns, kept: int, escapes: bool) -> None:
        self._file = SteadyFile(path)
        self._shown: Callable[[str], str] = escaped if escapes else str
        self._kept = kept
        self._columns: tuple[str, ...] = ()
        self._file.cut(kept)
        if kept:
            header = _header(path)
            self._columns = tuple(map(unescaped, header)) if escapes else header
            self._file.end_line(_END)
        elif columns:
            self._widen(columns)

    def add(self, rows: Sequence[Row]) -> None:
        """Write the rows, after making the columns they need."""
        known = set(self._columns)
        if new := dict.fromkeys(key for row in rows for key in row if key not in known):
            self._widen(tuple(new))
        if self._columns:  # else nothing but empty objects so far
            self._file.write(
                _text([_cell(row.get(name), self._shown) for name in self._columns] for row in rows)
            )

    def close(self) -> None:
        self._file.close()

    def _widen(self, new: tuple[str, ...]) -> None:
        columns = self._columns + new
        if self._kept:
            raise TargetError(
                f"{self._file.path}: has no column {new[0]!r}, and --append adds none"
            )
        if len(columns) > _MOST_COLUMNS:
            raise TargetError(f"{self._file.path}: more than {_MOST_COLUMNS:,} columns")
        header = _text([list(map(self._shown, columns))])
        if self._file.length:
            self._rewrite(header, more=len(new))
        else:
            self._file.write(header)
        self._columns = columns

    def _rewrite(self, header: bytes, *, more: int) -> None:
        """Replace the file by one with `more` columns, empty in the rows so far."""
        # The file itself: `replace` would put a file in the place of a link that -o names.
        path = Path(os.path.realpath(self._file.path))
        beside = path.with_name(f".{path.name}.part")
        try:
            with open(path, "rb") as source, open(beside, "xb", opener=fresh) as wider:
                records = _records(source)
                next(records)
                wider.write(header)
                for record in records:
                    wider.writelines([record.removesuffix(_END), b"," * more, _END])
            beside.replace(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise refused(path, error) from None
        self._file.close()
        self._file = SteadyFile(self._file.path)


def _paths(path: Path, streams: Streams) -> dict[str, Path]:
    if len(streams.columns) == 1:
        return dict.fromkeys(streams.columns, path)
    return {name: path.with_name(f"{path.stem}.{name}{path.suffix}") for name in streams.columns}


def _opened(
    path: Path, streams: Streams, kept: Mapping[str, int], escapes: bool
) -> dict[str, _Table]:
    with ExitStack() as stack:
        tables = {}
        for stream, file in _paths(path, streams).items():
            columns = streams.columns[stream]
            size = kept.get(str(file), 0)
            tables[stream] = _Table(file, columns=columns, kept=size, escapes=escapes)
            stack.callback(tables[stream].close)
        stack.pop_all()  # all are open: they stay so
        return tables


def _text(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=_END.decode()).writerows(rows)
    return text.getvalue().encode()


def _cell(value: Raw | None, shown: Callable[[str], str]) -> str:
    """Return a JSON value as a cell: text as `shown`, null as nothing, all else as it stands."""
    if value is None:
        return ""
    raw = bytes(value)
    if raw.startswith(b'"'):
        return shown(msgspec.json.decode(raw, type=str))
    return "" if raw == b"null" else raw.decode()


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


def _header(path: Path) -> tuple[str, ...]:
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES).decode("utf-8-sig", errors="replace")
    return tuple(next(csv.reader(io.StringIO(start, newline="")), ()))


def _checked_size(path: Path, columns: Columns) -> int:
    try:
        header = _header(path)
    except csv.Error as error:
        raise OutputError(f"{path}: --append needs a CSV file: {error}") from None
    if columns not in (None, header, tuple(map(unescaped, header))):
        raise OutputError(
            f"{path}: --append needs the columns {','.join(columns)}; "
            f"its header has {','.join(header)}"
        )
    return os.stat(path).st_size

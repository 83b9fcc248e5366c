"""A Parquet file that grows, and is whole all the time."""

import io
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from crawler.errors import TargetUnfit
from crawler.export.sheet import Stale
from crawler.export.steady_file import SteadyFile
from crawler.oserrors import refused
from crawler.owned import Opener, named

GROUP_BYTES = 64_000_000
GROUP_ROWS = 100_000
"""A row group is full at so many bytes in memory, or rows."""

_MOST_SMALL = 32
_MAGIC = b"PAR1"
_TAIL_BYTES = 8
_STEP_BYTES = 1_000_000
_NOTHING = bytes(1_000_000)


class RowGroups:
    """Appends row groups to a Parquet file. It ends with a footer that names all of them.

    What is in the file stays there, the footers before the last one as bytes that nobody reads, so
    that it can be cut back to each flush. Small groups that follow each other are made one at a
    flush when there are many, which takes their place. A file that a killed process leaves can be
    read whatever it died at: see `SteadyFile.append`. Raises `Stale` if the file is not as its
    state says, `TargetError`.
    """

    def __init__(
        self, path: Path, *, schema: Any, state: bytes | None = None, opener: Opener = named
    ) -> None:
        self._schema = schema
        self._file = SteadyFile(path, opener=opener)
        try:
            self._settled, self._small_at = self._begin(state)
        except BaseException:
            self._file.close()
            raise
        # Small groups at the end, that may become one: their metadata. They begin at `_small_at`.
        self._small: list[Any] = []

    @property
    def count(self) -> int:
        """How many groups there are."""
        return int(self._settled.num_row_groups) + len(self._small)

    def append(self, table: Any) -> None:
        """Add rows as a group, all of them or nothing."""
        self._put(table, self._small)

    def read(self, *groups: int) -> Any:
        """Return the rows of some groups. Raises `TargetError`."""
        try:
            with parquet.ParquetFile(self._file.path) as file:
                return file.read_row_groups(groups).cast(self._schema)
        except pa.ArrowInvalid as error:
            raise TargetUnfit(f"{self._file.path}: is broken: {error}") from None
        except OSError as error:
            raise refused(self._file.path, error) from None

    def flush(self, *, durable: bool = False) -> bytes:
        """Return the state to go on from."""
        if len(self._small) >= _MOST_SMALL:
            self._join_small()
        if durable:
            self._file.sync()
        end = self._file.length
        # What is behind `_small_at` may be written over later, be it in part.
        return b"%s %d %d" % (self._file.seal(end), self._small_at, self._sum_of(self._small_at))

    def close(self) -> None:
        """Close the file as it is; again is fine."""
        self._file.close()

    def _join_small(self) -> None:
        """Put one group in the place of the small ones: behind them first, so all are there."""
        rows = self.read(*range(self.count - len(self._small), self.count))
        behind = self._file.length
        self._put(rows, [])
        if not self._small:
            return  # it is large enough to stay where it is
        end, [group] = self._ended(rows, at=self._small_at)
        if self._small_at + len(end) <= behind:
            footer = self._small_at + len(end) - _length_of(end)
            end_of_all = _tail(self._file.length - footer - _TAIL_BYTES)
            self._file.settle(end, at=self._small_at, meanwhile=end_of_all)
            self._small = [group]

    def _put(self, table: Any, small: list[Any]) -> None:
        """Write a group at the end, and a footer that names it, these and what is settled."""
        before = self._file.length
        footer = before - _length_of(self._file.read(_TAIL_BYTES, before - _TAIL_BYTES))
        end, small = self._ended(table, small, at=before)
        # The last footer is a footer still, if it is said to end where the file does now.
        meanwhile = _tail(before + len(end) - footer - _TAIL_BYTES)
        self._file.append(end, meanwhile=meanwhile)
        self._small = small
        if 2 * table.nbytes >= GROUP_BYTES or 2 * table.num_rows >= GROUP_ROWS:
            for metadata in small:
                self._settled.append_row_groups(metadata)
            self._small, self._small_at = [], self._file.length

    def _ended(self, table: Any, small: Sequence[Any] = (), *, at: int) -> tuple[bytes, list[Any]]:
        """Return a group as it is at byte `at`, with a footer, and the small groups in that."""
        data, group = _row_group(table, at)
        groups = [*small, group]
        footer = self._footer(groups)
        return data + bytes(-(at + len(data) + len(footer)) % _TAIL_BYTES) + footer, groups

    def _footer(self, small: list[Any]) -> bytes:
        metadata = self._settled
        if small:
            # It is added to in place: were the write to fail, there would be groups too many.
            metadata = parquet.read_metadata(io.BytesIO(_written(metadata)))
            for group in small:
                metadata.append_row_groups(group)
        return _written(metadata).removeprefix(_MAGIC)

    def _begin(self, state: bytes | None) -> tuple[Any, int]:
        """Cut the file to what stays of it; return the metadata of its groups, and its length."""
        if state is None:
            data, metadata = _row_group(self._schema.empty_table(), 0)
            footer = _written(metadata).removeprefix(_MAGIC)
            self._file.cut(0)
            self._file.write(data + bytes(-(len(data) + len(footer)) % _TAIL_BYTES) + footer)
            return metadata, self._file.length
        seal, small_at, small_sum = state.rsplit(b" ", 2)
        if not self._file.is_sealed(seal):
            raise Stale
        length = int(seal.partition(b" ")[0])
        if self._sum_of(int(small_at), length) != int(small_sum):
            raise Stale
        self._file.cut(length)
        try:
            return parquet.read_metadata(self._file.path), length
        except (pa.ArrowInvalid, OSError):
            raise Stale from None

    def _sum_of(self, start: int, end: int | None = None) -> int:
        """Return a checksum of the bytes from `start` on."""
        end = self._file.length if end is None else end
        checksum = 0
        for at in range(start, end, _STEP_BYTES):
            checksum = zlib.crc32(self._file.read(min(_STEP_BYTES, end - at), at), checksum)
        return checksum


def _tail(footer_bytes: int) -> bytes:
    """Return a file's last bytes: how long the footer before them is."""
    return footer_bytes.to_bytes(4, "little") + _MAGIC


def _length_of(tail: bytes) -> int:
    """Return how long a footer is, with these last bytes of a file."""
    return int.from_bytes(tail[-_TAIL_BYTES:-4], "little") + _TAIL_BYTES


class _Sink:
    """What pyarrow writes to: it keeps what comes once it is `open`."""

    closed = False

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.is_open = False

    def write(self, data: Any) -> int:
        if self.is_open:
            self.pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""


def _row_group(table: Any, at: int) -> tuple[bytes, Any]:
    """Return a row group as it is at byte `at` of a file, and its metadata."""
    sink = _Sink()
    stream = pa.PythonFile(sink, mode="w")
    writer = parquet.ParquetWriter(stream, table.schema, compression="zstd")
    # The writer takes its offsets from how much the stream was given: it begins at byte 0, with
    # the magic, and goes on where the group is to be. Nothing is copied here.
    for size in _steps(at - len(_MAGIC)):
        stream.write(memoryview(_NOTHING)[:size])
    sink.is_open = True
    if table.num_rows:
        writer.write_table(table)
    writer.close()
    data = b"".join(sink.pieces)
    return (b"" if at else _MAGIC) + data[: len(data) - _length_of(data)], writer.writer.metadata


def _steps(size: int) -> list[int]:
    whole, rest = divmod(max(0, size), len(_NOTHING))
    return [len(_NOTHING)] * whole + [rest]


def _written(metadata: Any) -> bytes:
    """Return metadata as a file of its own."""
    file = io.BytesIO()
    metadata.write_metadata_file(file)
    return file.getvalue()

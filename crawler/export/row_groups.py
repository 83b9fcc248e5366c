"""A Parquet file that grows, and is whole all the time."""

import io
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
_NOTHING = bytes(1_000_000)


class RowGroups:
    """Appends row groups to a Parquet file. It ends with a footer that names all of them.

    A group takes the place of the last footer, unless the file was flushed with that: then it
    stays, as bytes that nobody reads, so that the file can be cut back to it. Small groups that
    follow each other are made one at a flush when there are many. Raises `Stale` if the file is not
    as its state says, `TargetError`.
    """

    def __init__(
        self, path: Path, *, schema: Any, state: bytes | None = None, opener: Opener = named
    ) -> None:
        self._schema = schema
        self._file = SteadyFile(path, opener=opener)
        try:
            self._settled = self._begin(state)
        except BaseException:
            self._file.close()
            raise
        # Small groups at the end, that may become one: their metadata, and where they begin.
        self._small: list[Any] = []
        self._small_at = self._end = self._file.length if state is not None else 0

    @property
    def count(self) -> int:
        """How many groups there are."""
        return int(self._settled.num_row_groups) + len(self._small)

    def append(self, table: Any) -> None:
        """Add rows as a group, all of them or nothing."""
        self._put(table, self._small, at=self._end)

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
            # What earlier flushes returned is overwritten: who goes on from that is told `Stale`.
            rows = self.read(*range(self.count - len(self._small), self.count))
            self._put(rows, [], at=self._small_at)
        if durable:
            self._file.sync()
        self._end = self._file.length
        return self._file.seal(self._end)

    def close(self) -> None:
        """Close the file as it is; again is fine."""
        self._file.close()

    def _put(self, table: Any, small: list[Any], *, at: int) -> None:
        """Write a group behind the settled and these small ones."""
        data, group = _row_group(table, at)
        small = [*small, group]
        self._file.write(data + self._footer(small), at=at)
        self._end = at + len(data)
        self._small = small
        if 2 * table.nbytes >= GROUP_BYTES or 2 * table.num_rows >= GROUP_ROWS:
            for metadata in small:
                self._settled.append_row_groups(metadata)
            self._small, self._small_at = [], self._end

    def _footer(self, small: list[Any]) -> bytes:
        metadata = self._settled
        if small:
            # It is added to in place: were the write to fail, there would be groups too many.
            metadata = parquet.read_metadata(io.BytesIO(_written(metadata)))
            for group in small:
                metadata.append_row_groups(group)
        return _written(metadata).removeprefix(_MAGIC)

    def _begin(self, state: bytes | None) -> Any:
        """Cut the file to what stays of it; return the metadata of its groups."""
        if state is None:
            data, metadata = _row_group(self._schema.empty_table(), 0)
            self._file.cut(0)
            self._file.write(data + _written(metadata).removeprefix(_MAGIC))
            return metadata
        if not self._file.is_sealed(state):
            raise Stale
        self._file.cut(int(state.partition(b" ")[0]))
        try:
            return parquet.read_metadata(self._file.path)
        except (pa.ArrowInvalid, OSError):
            raise Stale from None


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
    footer = int.from_bytes(data[-8:-4], "little") + 8
    return (b"" if at else _MAGIC) + data[: len(data) - footer], writer.writer.metadata


def _steps(size: int) -> list[int]:
    whole, rest = divmod(max(0, size), len(_NOTHING))
    return [len(_NOTHING)] * whole + [rest]


def _written(metadata: Any) -> bytes:
    """Return metadata as a file of its own."""
    file = io.BytesIO()
    metadata.write_metadata_file(file)
    return file.getvalue()

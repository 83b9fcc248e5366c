"""The files that a run has downloaded."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Final

import msgspec
from msgspec import Struct

from crawler.archive.run_pages import LONGEST_LINE, lines_of, opened
from crawler.errors import NotStored

FILES: Final = "media.jsonl"
_FOLDER = "media/"


class FileLine(Struct):
    """What of a line of `media.jsonl` tells which file is whose."""

    url: str
    path: str
    bytes: int
    type: str
    fetched: datetime
    final: str | None = None


class StoredFile(Struct, frozen=True):
    """A file that is open to be read, and closed by whoever has it; `bytes` is its size."""

    file: IO[bytes]
    bytes: int
    type: str


_decode = msgspec.json.Decoder(FileLine).decode


def files_of(folder: Path) -> Iterator[tuple[int, FileLine]]:
    """Yield the lines of `media.jsonl`, each with the byte that it begins at; see `pages_of`."""
    for at, line in lines_of(folder / FILES):
        try:
            yield at, _decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue


def file_line_at(file: IO[bytes], at: int) -> FileLine:
    """Return the line at that byte of `media.jsonl`. Raises `NotStored` if there is none."""
    file.seek(at)
    try:
        return _decode(file.readline(LONGEST_LINE))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise NotStored("the run has changed since it was indexed") from None


def stored_file(folder: Path, line: FileLine) -> StoredFile:
    """Open a file as it was downloaded. Raises `NotStored` if it is gone, or has another size."""
    if not line.path.startswith(_FOLDER):
        raise NotStored(f"{line.path!r} is no downloaded file")
    file, size = opened(folder, line.path)
    if size != line.bytes:
        file.close()
        raise NotStored(f"{line.path} has {size:,} bytes, and had {line.bytes:,}")
    return StoredFile(file, size, line.type)

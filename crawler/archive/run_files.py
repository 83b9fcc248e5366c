"""The files that a run has downloaded."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Final

import msgspec
from msgspec import Struct

from crawler.archive.run_pages import lines_of, opened
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


decode_file = msgspec.json.Decoder(FileLine).decode


def files_of(folder: Path) -> Iterator[tuple[int, FileLine]]:
    """Yield the lines of `media.jsonl`, as `lines_of` does."""
    return lines_of(folder / FILES, decode_file)


def stored_file(folder: Path, line: FileLine) -> StoredFile:
    """Open a file as it was downloaded. Raises `NotStored` if it is gone, or has another size."""
    if not line.path.startswith(_FOLDER):
        raise NotStored(f"{line.path!r} is no downloaded file")
    file, size = opened(folder, line.path)
    if size != line.bytes:
        file.close()
        raise NotStored(f"{line.path} has {size:,} bytes, and had {line.bytes:,}")
    return StoredFile(file, size, line.type)

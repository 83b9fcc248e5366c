"""One file of an archive, and its index."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from crawler.errors import TargetError
from crawler.export.cdxj import index_entry
from crawler.export.steady_file import SteadyFile
from crawler.export.warc_records import Member
from crawler.oserrors import refused
from crawler.outcome import Position
from crawler.owned import own, private

ARCHIVE: Final = ".warc.gz"
INDEX: Final = ".cdxj"
_NAME: Final = re.compile(r"(?:.*/)?.+-(\d+)-(\d{5,})(?:\.warc\.gz|\.cdxj)")


class Volume:
    """`NAME.warc.gz` in a folder, and beside it `NAME.cdxj`, a line for each capture as it came.

    What is added is written with `flush`, all of it or nothing. All methods block, and raise
    `TargetError`.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.file = f"{folder.name}/{name}{ARCHIVE}"
        """What the run calls it."""
        self.filename = f"{name}{ARCHIVE}"
        self._folder = folder.name
        self._name = name
        # What was posted to a site is in it, and the cookies that it gave.
        self._archive = SteadyFile(folder / self.filename, opener=private)
        try:
            self._index = SteadyFile(folder / f"{name}{INDEX}", opener=own)
        except BaseException:
            self._archive.close()
            raise
        self._records: list[bytes] = []
        self._entries: list[bytes] = []
        self.length = self._archive.length
        """Of the archive, with what is added and not written yet."""

    @property
    def lengths(self) -> Position:
        """How long both files are."""
        return {
            self.file: self._archive.length,
            f"{self._folder}/{self._name}{INDEX}": self._index.length,
        }

    def add(self, member: Member) -> int:
        """Add a record; return at which byte it begins."""
        offset = self.length
        self._records.append(member.data)
        self.length += len(member.data)
        if member.status is not None:
            self._entries.append(index_entry(member, file=self.filename, offset=offset))
        return offset

    def flush(self, *, durable: bool) -> None:
        """Write what was added."""
        for file, pieces in ((self._archive, self._records), (self._index, self._entries)):
            if pieces:
                file.write(b"".join(pieces))
                pieces.clear()
                if durable:
                    file.sync()

    def cut(self, lengths: Position) -> None:
        """Drop what is behind these lengths, and what was added."""
        self._records.clear()
        self._entries.clear()
        try:
            self._archive.cut(lengths.get(self.file, 0))
            self._index.cut(lengths.get(f"{self._folder}/{self._name}{INDEX}", 0))
        finally:
            self.length = self._archive.length

    def remove(self) -> None:
        """Close both, and delete them as far as that can be done."""
        self.close()
        for path in (self._archive.path, self._index.path):
            with suppress(OSError):
                os.unlink(path)

    def close(self) -> None:
        """Close both; again is fine."""
        self._archive.close()
        self._index.close()


def part_of(name: str) -> str | None:
    """Return which part of the run wrote a file of an archive; None if it is none."""
    found = _NAME.fullmatch(name)
    return found[1] if found else None


def number_of(name: str) -> int:
    """Return the number that a file has in its part."""
    found = _NAME.fullmatch(name)
    return int(found[2]) if found else 0


def files_of(folder: Path, names: Iterable[str]) -> list[str]:
    """Return what the run calls the files of these names in a folder."""
    return [f"{folder.name}/{name}" for name in names]


def cut_back(folder: Path, names: Iterable[str], lengths: Position) -> None:
    """Cut files that nobody writes to; what nothing is committed of goes. Raises `TargetError`."""
    for name in files_of(folder, names):
        path, length = folder.parent / name, lengths.get(name, 0)
        try:
            if not length:
                os.unlink(path)
                continue
            with open(path, "r+b", opener=own) as file:
                if os.fstat(file.fileno()).st_size > length:
                    file.truncate(length)
        except OSError as error:
            raise refused(path, error) from None


def check_whole(path: Path, committed: int) -> None:
    """Raise `TargetError` if a file is not the one that records were committed to."""
    try:
        length = path.stat().st_size
    except OSError as error:
        raise refused(path, error) from None
    if length < committed:
        raise TargetError(
            f"{path}: {committed:,} bytes were committed, but the file has {length:,}; "
            "was it edited, or is it an older copy?"
        )

"""A file that keeps no half write."""

import fcntl
import os
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crawler.errors import TargetError
from crawler.oserrors import refused
from crawler.owned import Opener, named
from crawler.syncing import sync_names

_SEAL_BYTES = 4096


class SteadyFile:
    """A regular file, opened or made, that is only ever changed at its end.

    A write that fails (`TargetError`, naming the path and why) leaves the file as it was: what was
    written in part is cut off, at the latest before the next write. All methods block.
    """

    def __init__(self, path: Path, *, opener: Opener = named) -> None:
        self.path = path
        try:
            self._fd = opener(path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise refused(path, error) from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.close()
            raise TargetError(f"{path}: another crawl writes to it now") from None
        _ALL.add(self)
        self.length = os.fstat(self._fd).st_size
        # Set while a write is under way or has failed: from where, and what stood there.
        self._undo: tuple[int, bytes] | None = None
        self._is_named = False

    def write(self, data: bytes, *, at: int | None = None) -> None:
        """Make `data` the file's end, from byte `at` on (None: after what is there)."""
        start = self.length if at is None else at
        end = start + len(data)
        with self._changing(start, end):
            _write_all(self._fd, data, start)
            if end < self.length:
                os.ftruncate(self._fd, end)

    def append(self, data: bytes, *, meanwhile: bytes) -> None:
        """Add `data`; the file ends in `meanwhile` until all of that but its last bytes is there.

        A process that is killed in between leaves the one or the other end, never a half of both,
        if they are no longer than 8 bytes, and the file is a multiple of that: no page of memory
        ends within them, so the system writes them at once.
        """
        start, end, size = self.length, self.length + len(data), len(meanwhile)
        with self._changing(start, end):
            _write_all(self._fd, meanwhile, end - size)
            _write_all(self._fd, data[:-size], start)
            _write_all(self._fd, data[-size:], end - size)

    def settle(self, data: bytes, *, at: int, meanwhile: bytes) -> None:
        """Make `data` the file's end, written to where nobody reads now.

        When it is there the old end becomes `meanwhile`, which refers to it, and then goes.
        """
        try:
            self._mend()
            _write_all(self._fd, data, at)
            _write_all(self._fd, meanwhile, self.length - len(meanwhile))
            os.ftruncate(self._fd, at + len(data))
        except OSError as error:
            raise refused(self.path, error) from None
        self.length = at + len(data)

    def cut(self, length: int) -> None:
        """Drop everything after byte `length`; on `TargetError` the next write does it."""
        self._undo = (length, b"")
        self.length = length
        try:
            self._mend()
        except OSError as error:
            raise refused(self.path, error) from None

    def sync(self) -> None:
        """Have the disk keep what is written, also if its power fails."""
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise refused(self.path, error) from None
        if not self._is_named:
            sync_names(self.path)
            self._is_named = True

    def seal(self, length: int) -> bytes:
        """Return what tells if the file still is, up to byte `length`, as it is now.

        Raises `TargetError` if it is not what was written, or not at its path any more.
        """
        self._check_untouched()
        start = max(0, length - _SEAL_BYTES)
        return b"%d %d" % (length, zlib.crc32(os.pread(self._fd, length - start, start)))

    def is_sealed(self, seal: bytes) -> bool:
        """True if the file is, up to the byte of the seal, as it was then."""
        length = int(seal.partition(b" ")[0])
        return self.length >= length and self.seal(length) == seal

    def end_line(self, terminator: bytes = b"\n") -> None:
        """End the last line if somebody else left it open, so that the next one stands alone."""
        if self.length and os.pread(self._fd, 1, self.length - 1) != b"\n":
            self.write(terminator)

    def read(self, size: int, at: int) -> bytes:
        """Return up to `size` bytes from byte `at` on."""
        return os.pread(self._fd, size, at)

    def close(self) -> None:
        """Close; again is fine."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _check_untouched(self) -> None:
        """Raise `TargetError` if somebody else cut the file, added to it, or took it away."""
        ours = os.fstat(self._fd)
        try:
            is_there = os.path.samestat(ours, os.stat(self.path))
        except FileNotFoundError:
            is_there = False
        if not is_there or ours.st_size != self.length:
            what = "was changed" if is_there else "was taken away"
            raise TargetError(f"{self.path}: {what} while it was written")

    @contextmanager
    def _changing(self, start: int, end: int) -> Iterator[None]:
        """Have what is from `start` on end at `end`, or as it was; `TargetError`."""
        try:
            self._mend()
            self._undo = (start, os.pread(self._fd, self.length - start, start))
            yield
        except OSError as error:
            with suppress(OSError):
                self._mend()
            raise refused(self.path, error) from None
        self._undo = None
        self.length = end

    def _mend(self) -> None:
        """Undo the write that failed."""
        if self._undo is not None:
            start, stood = self._undo
            _write_all(self._fd, stood, start)
            os.ftruncate(self._fd, start + len(stood))
            self._undo = None


def _write_all(fd: int, data: bytes, at: int) -> None:
    """Write `data` whole: a disk or a size limit may take a part first and refuse the rest."""
    rest = memoryview(data)
    while rest:
        written = os.pwrite(fd, rest, at)
        rest, at = rest[written:], at + written


_ALL: "weakref.WeakSet[SteadyFile]" = weakref.WeakSet()


def _forget_after_fork() -> None:
    """A forked child (a process pool of the user's) must not keep its parent's lock alive."""
    for file in list(_ALL):
        file.close()


os.register_at_fork(after_in_child=_forget_after_fork)

"""A file that is not whole yet, and whose it is."""

import errno
import fcntl
import hashlib
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from msgspec import Struct

from crawler.export.tree import Tree
from crawler.oserrors import refused
from crawler.owned import open_folder
from crawler.parse.magic import HEAD_BYTES

PARTS: Final = ".parts"
"""The folder of what is not whole, below that of what is."""

_NOTE = ".json"
_OPEN = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = _OPEN | os.O_CREAT | os.O_EXCL
_STEP = 1_000_000
_LONGEST_NOTE = 20_000


class _Note(Struct):
    """What stands beside a part: whose it is, and which file has what came of it.

    Every beginning has a file of its own, so no two contents are ever in one.
    """

    url: str
    validator: str
    file: str
    total: int | None = None


class PartFile:
    """One part, open, and nobody else's meanwhile; for one thread at a time.

    Each method raises `TargetError`, and may be called again then.
    """

    def __init__(self, folder: Path, url: str, *, durable: bool) -> None:
        self.folder = folder
        self.name = ""
        """The name of its file below `.parts/`, "" if there is none."""
        self.size = 0
        self.head = b""
        self.validator = ""
        self.total: int | None = None
        self.unhashed = 0
        """How many of its bytes, left by an earlier try, are not in its digest yet."""
        self._url = url
        self._key = hashlib.sha256(url.encode()).hexdigest()[:32]
        self._durable = durable
        self._fd = -1
        self._hash = hashlib.sha256()

    @classmethod
    def open(cls, folder: Path, url: str, *, durable: bool) -> "PartFile":
        """Open what an earlier try left, if there is something and nobody has it."""
        part = cls(folder, url, durable=durable)
        try:
            with Tree(folder) as tree:
                part._take_up(tree.folder(PARTS))
        except OSError as error:
            raise part._refused(error) from None
        return part

    @property
    def sha256(self) -> str:
        """The digest of all bytes."""
        return self._hash.hexdigest()

    def reader(self) -> BinaryIO:
        """The file, to be read and closed; where it is read from is nowhere in particular."""
        return os.fdopen(os.dup(self._fd), "rb")

    def hash_some(self, most: int) -> None:
        """Take some of the bytes that were there into the digest."""
        try:
            for _ in range(max(1, most // _STEP)):
                at = self.size - self.unhashed
                data = os.pread(self._fd, min(_STEP, self.unhashed), at)
                if not data and self.unhashed:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                self._hash.update(data)
                self.unhashed -= len(data)
        except OSError as error:
            raise self._refused(error) from None

    def begin(self, *, validator: str, total: int | None) -> None:
        """Begin a new file; a note beside it says what it is part of, if anything can be."""
        self.discard()
        name = f"{self._key}-{secrets.token_hex(8)}"
        try:
            with Tree(self.folder) as tree:
                there = tree.folder(PARTS)
                flags = _NEW | (os.O_DSYNC if self._durable else 0)
                self._fd, self.name = os.open(name, flags, 0o666, dir_fd=there), name
                with suppress(OSError):  # not every file system can; nobody has this one yet
                    fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.validator, self.total = validator, total
                if validator:
                    self._write_note(there)
        except OSError as error:
            raise self._refused(error) from None

    def write(self, data: bytes) -> None:
        """Append bytes. What is written of them when it fails is written over the next time."""
        rest, at = memoryview(data), self.size
        try:
            while rest:
                written = os.pwrite(self._fd, rest, at)
                rest, at = rest[written:], at + written
        except OSError as error:
            raise self._refused(error) from None
        self._hash.update(data)
        if len(self.head) < HEAD_BYTES:
            self.head += data[: HEAD_BYTES - len(self.head)]
        self.size = at

    def sync(self) -> None:
        """Have the disk keep what is written."""
        os.fsync(self._fd)

    def discard(self) -> None:
        """Forget what there is."""
        try:
            with Tree(self.folder) as tree:
                self.forget(tree.folder(PARTS))
        except OSError as error:
            raise self._refused(error) from None

    def forget(self, there: int) -> None:
        """Remove file and note from their folder; of a note only one's own."""
        if self.name:
            note = _read(there, self._key)
            if note is not None and note.file == self.name:
                _remove(there, self._key + _NOTE)
            _remove(there, self.name)
        self._let_go()
        self.size, self.head, self.validator, self.total, self.unhashed = 0, b"", "", None, 0
        self._hash = hashlib.sha256()

    def close(self) -> None:
        """Close it; what nobody could go on with goes."""
        if self.name and (self.size == 0 or not self.validator):
            self.discard()
        self._let_go()

    def placed(self, there: int) -> None:
        """Hear that the file has another name by now."""
        note = _read(there, self._key)
        if note is not None and note.file == self.name:
            _remove(there, self._key + _NOTE)
        self.name = ""

    def _take_up(self, there: int) -> None:
        note = _read(there, self._key)
        if note is None or note.url != self._url or not note.file.startswith(f"{self._key}-"):
            return
        flags = _OPEN | (os.O_DSYNC if self._durable else 0)
        try:
            fd = os.open(note.file, flags, dir_fd=there)
        except OSError:  # gone, or a link that somebody put there
            return
        if not _is_free(fd):
            os.close(fd)
            return
        self._fd, self.name = fd, note.file
        self.validator, self.total = note.validator, note.total
        self.size = os.fstat(fd).st_size
        if note.total is not None and self.size >= note.total:
            # At least one byte is asked for: a server has no range behind the end.
            self.size = max(0, note.total - 1)
            os.ftruncate(fd, self.size)
        self.unhashed, self.head = self.size, os.pread(fd, min(HEAD_BYTES, self.size), 0)

    def _write_note(self, there: int) -> None:
        """Write the note, whole or not at all."""
        note = _Note(self._url, self.validator, self.name, self.total)
        beside = f"{self.name}{_NOTE}"
        fd = os.open(beside, _NEW, 0o666, dir_fd=there)
        try:
            os.write(fd, msgspec.json.encode(note))
            if self._durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(beside, self._key + _NOTE, src_dir_fd=there, dst_dir_fd=there)
        if self._durable:
            os.fsync(there)

    def _let_go(self) -> None:
        fd, self._fd, self.name = self._fd, -1, ""
        if fd >= 0:
            os.close(fd)

    def _refused(self, error: OSError) -> Exception:
        return refused(self.folder / PARTS / (self.name or self._key), error)


def sweep(folder: Path) -> None:
    """Remove all parts that nobody has open."""
    try:
        top = open_folder(folder)
    except OSError:
        return
    try:
        there = open_folder(PARTS, within=top)
        try:
            for name in os.listdir(there):
                _sweep(there, name)
        finally:
            os.close(there)
        os.rmdir(PARTS, dir_fd=top)
    except OSError:
        return  # some are in use, or it is none of ours
    finally:
        os.close(top)


def _sweep(there: int, name: str) -> None:
    try:
        fd = os.open(name, _OPEN, dir_fd=there)
    except OSError:
        _remove(there, name)
        return
    try:
        if _is_free(fd):
            _remove(there, name)
    finally:
        os.close(fd)


def _is_free(fd: int) -> bool:
    """Take a file that is one, has no other name, and that nobody else has; False if it is not."""
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _read(there: int, key: str) -> _Note | None:
    try:
        fd = os.open(key + _NOTE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=there)
    except OSError:
        return None
    try:
        return msgspec.json.decode(os.read(fd, _LONGEST_NOTE), type=_Note)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    finally:
        os.close(fd)


def _remove(there: int, name: str) -> None:
    with suppress(FileNotFoundError, IsADirectoryError):
        os.unlink(name, dir_fd=there)

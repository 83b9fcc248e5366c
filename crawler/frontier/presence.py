"""A process of a run, as the others see it."""

import errno
import fcntl
import mmap
import os
import struct
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from crawler.oserrors import refused
from crawler.owned import make_folder, own

PROCESSES = ".processes"
"""The folder, in a run's, of its processes' files."""

_BEAT_SECONDS = 2.0
DEADLINE = 30.0
"""Seconds without a heartbeat after which a process that lives is taken for dead."""

_BEAT = struct.Struct("<d")
_KEEPS_OUT = _BEAT.size
"""Where the byte is that says that nobody may come into the run."""
_HEAD = 16
_FLIGHT = struct.Struct("<qqqqB")
_WORKS = _FLIGHT.size - 1
"""Where in a flight its last byte is."""
_FLIGHTS = 4096
_NO_FILE = (errno.ENOENT, errno.ELOOP, errno.ENXIO)
"""Not there, or put there by somebody else."""


class Flight(Struct, frozen=True):
    """A request in the hands of the spider: its host, rank and id in the queue.

    `key` is its fingerprint if it is not truly there yet, since what brought it is not committed;
    else 0. `works`: its code was running just then; else it was waiting for something.
    """

    host: int
    rank: int
    id: int
    key: int = 0
    works: bool = False


class Presence:
    """The file of a live process: locked, with a heartbeat, and the callbacks it is running.

    The kernel drops the lock with the process, however it ends, so a death is seen at once and by
    no clock; the heartbeat is for a process that is there and does nothing. What a killed process
    wrote into the mapped file stays.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        size = _HEAD + _FLIGHT.size * _FLIGHTS
        try:
            make_folder(path.parent)
            self._fd = own(path, os.O_RDWR | os.O_CREAT)
            # Waits for whoever asks just now if anybody is there; the number is nobody else's.
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            os.posix_fallocate(self._fd, 0, size) if hasattr(os, "posix_fallocate") else None
            os.ftruncate(self._fd, size)
            self._map = mmap.mmap(self._fd, size)
        except OSError as error:
            raise refused(path, error) from None
        self._free = list(range(_HEAD, size, _FLIGHT.size))
        self._over = threading.Event()
        self._beat()
        # A thread: a callback that blocks the loop is not a process that is dead.
        self._thread = threading.Thread(target=self._keep_beating, name="heartbeat", daemon=True)
        self._thread.start()
        _ALL.add(self)

    def note(self, flight: Flight) -> "FlightNote":
        """Return a note on a request."""
        return FlightNote(flight, self._map, self._free)

    def keep_out(self, *, yes: bool) -> None:
        """Say if other processes may not come into the run just now."""
        self._map[_KEEPS_OUT] = yes

    def close(self) -> None:
        """Leave, and take the file along; again is fine."""
        if self._fd < 0:
            return
        self._over.set()
        self._thread.join()
        with suppress(OSError):
            self.path.unlink()
        self._map.close()
        self._let_go()

    def _let_go(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _keep_beating(self) -> None:
        while not self._over.wait(_BEAT_SECONDS):
            self._beat()

    def _beat(self) -> None:
        # The system's monotonic clock: one for all processes, and it never jumps.
        _BEAT.pack_into(self._map, 0, time.monotonic())


class FlightNote:
    """A `Note` in a presence file: a few bytes of mapped memory, so that it costs no call."""

    __slots__ = ("_flight", "_free", "_map", "_place")

    def __init__(self, flight: Flight, map_: mmap.mmap, free: list[int]) -> None:
        self._flight = flight
        self._map = map_
        self._free = free
        self._place: int | None = None

    def work(self) -> None:
        """See `Note.work`."""
        if self._place is None:
            self._begin(works=1)
        else:
            self._map[self._place + _WORKS] = 1

    def wait(self) -> None:
        """See `Note.wait`."""
        if self._place is None:
            self._begin(works=0)
        else:
            self._map[self._place + _WORKS] = 0

    def clear(self) -> None:
        """See `Note.clear`."""
        place, self._place = self._place, None
        if place is not None:
            _FLIGHT.pack_into(self._map, place, 0, 0, 0, 0, 0)
            self._free.append(place)

    def _begin(self, *, works: int) -> None:
        if self._free:  # else thousands wait for something: none of them is the one
            self._place, flight = self._free.pop(), self._flight
            _FLIGHT.pack_into(
                self._map, self._place, flight.host, flight.rank, flight.id, flight.key, works
            )


def pardon() -> None:
    """Clear all notes of this process: it ends on purpose, and nobody is to blame."""
    for presence in list(_ALL):
        if presence._fd >= 0:
            size = _FLIGHT.size * _FLIGHTS
            presence._map[_HEAD : _HEAD + size] = bytes(size)


def is_dead(path: Path, *, deadline: float = DEADLINE) -> bool:
    """True if the process of a presence file has ended, or has not stirred for `deadline`."""
    return not _is_locked(path) or _silence(path) > deadline


def is_there(path: Path) -> bool:
    """True if the process of a presence file exists, however long it has been silent."""
    return _is_locked(path)


def keeps_out(path: Path) -> bool:
    """True if the process of a presence file lets nobody come into the run just now."""
    try:
        with open(path, "rb", opener=own) as file:
            return file.read(_HEAD)[_KEEPS_OUT : _KEEPS_OUT + 1] == b"\1"
    except FileNotFoundError:
        return False


def present(folder: Path) -> set[str]:
    """Return the names of the processes that crawl the run in `folder` now."""
    return {path.name for path in (folder / PROCESSES).glob("*") if is_there(path)}


def is_crawled(folder: Path) -> bool:
    """True if a process crawls the run in `folder` now."""
    return bool(present(folder))


def flights(path: Path) -> list[Flight]:
    """Return the requests that a dead process had in the hands of the spider."""
    try:
        with open(path, "rb", opener=own) as file:
            data = file.read()[_HEAD:]
    except FileNotFoundError:
        return []
    whole = len(data) - len(data) % _FLIGHT.size
    return [
        Flight(host, rank, number, key, bool(works))
        for host, rank, number, key, works in _FLIGHT.iter_unpack(data[:whole])
        if number
    ]


@contextmanager
def locked(path: Path, *, waits: bool = True) -> Iterator[None]:
    """Keep other processes out of the block: who comes later waits.

    Raises `BlockingIOError` instead if it is not to wait.
    """
    try:
        fd = own(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise refused(path, error) from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(fd)


def _is_locked(path: Path) -> bool:
    try:
        fd = own(path, os.O_RDONLY)
    except OSError as error:
        if error.errno in _NO_FILE:
            return False
        raise
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _silence(path: Path) -> float:
    try:
        with open(path, "rb", opener=own) as file:
            return time.monotonic() - float(_BEAT.unpack(file.read(_BEAT.size))[0])
    except (FileNotFoundError, struct.error):
        return 0.0


_ALL: "weakref.WeakSet[Presence]" = weakref.WeakSet()


def _forget_after_fork() -> None:
    """A forked child (a process pool of the user's) must not keep its parent's lock alive."""
    for presence in list(_ALL):
        presence._map.close()  # it has a descriptor of its own
        presence._let_go()


os.register_at_fork(after_in_child=_forget_after_fork)

"""Whether a process is alone with its run."""

import os
import struct
import time
from pathlib import Path

from crawler.errors import RunError
from crawler.frontier.peers import Peers
from crawler.frontier.presence import PROCESSES, is_there, keeps_out, locked
from crawler.oserrors import refused

_COUNT = struct.Struct("<q")
_PATIENCE = 10.0
_PAUSE = 0.005
"""Seconds; others are kept out for some hundredths of one."""


class Solitude:
    """Lets a process decide in memory what several decide in the store.

    Who comes into a run counts itself in the run's lock file, which it holds, and then waits until
    nobody keeps it out (`come_in`). Who wants to be alone for a moment first says in its presence
    file that it keeps others out, and then looks if the count is still what it was when nobody else
    was there: so one of the two sees the other.
    """

    def __init__(self, lock: Path, peers: Peers) -> None:
        self._lock = lock
        self._peers = peers
        self._fd = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
        self._count = -1
        self._is_kept = False
        self.somebody_came = False
        """True if somebody did between the last two times that we were alone."""
        self._last: int | None = None

    def begin(self) -> bool:
        """See if nobody else is there, or is coming."""
        try:
            with locked(self._lock, waits=False):
                self._count = _read(self._fd) if self._peers.are_we_alone() else -1
        except BlockingIOError:
            self._count = -1
        if self._count < 0:
            return False
        self.somebody_came = self._last not in (None, self._count)
        self._last = self._count
        return True

    def keep(self) -> bool:
        """Keep others out from now; False if somebody came since it began."""
        if not self._is_kept and (presence := self._peers.presence) is not None:
            presence.keep_out(yes=True)
            self._is_kept = _read(self._fd) == self._count and self._is_there()
            presence.keep_out(yes=self._is_kept)
        return self._is_kept

    def end(self) -> None:
        """Let others come in."""
        if self._is_kept and self._peers.presence is not None:
            self._peers.presence.keep_out(yes=False)
        self._is_kept = False

    def close(self) -> None:
        """Close the lock file."""
        os.close(self._fd)

    def _is_there(self) -> bool:
        """True if the lock file is the one that others would count themselves in."""
        try:
            return os.path.samestat(self._lock.stat(), os.fstat(self._fd))
        except OSError:
            return False


def come_in(lock: Path, *, patience: float = _PATIENCE) -> None:
    """Come into a run whose lock this process holds. Raises `RunError` if it is kept out."""
    try:
        fd = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.pwrite(fd, _COUNT.pack(_read(fd) + 1), 0)
        finally:
            os.close(fd)
    except OSError as error:
        raise refused(lock, error) from None
    folder, until = lock.parent, time.monotonic() + patience
    while any(is_there(path) and keeps_out(path) for path in (folder / PROCESSES).glob("*")):
        if time.monotonic() > until:
            raise RunError(f"{folder}: a process that crawls it does not stir, and lets nobody in")
        time.sleep(_PAUSE)


def _read(fd: int) -> int:
    data = os.pread(fd, _COUNT.size, 0)
    return int(_COUNT.unpack(data)[0]) if data else 0

"""A ceiling on memory, for a while."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Final


class Ceiling:
    """Keeps the process from growing while something in it may take all memory there is.

    Whoever asks the system for more then is refused: C libraries return an error, Python raises
    `MemoryError`. Where the system tells no sizes, there is none.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._held = 0
        self._before = resource.RLIM_INFINITY

    @contextmanager
    def held(self, more: int) -> Iterator[None]:
        """Let the process grow by `more` bytes; the first of several at once says by how many."""
        with self._lock:
            self._held += 1
            if self._held == 1:
                self._before, hard = resource.getrlimit(resource.RLIMIT_AS)
                size = _size()
                if size is not None and (self._before < 0 or size + more < self._before):
                    _limit(size + more, hard)
        try:
            yield
        finally:
            with self._lock:
                self._held -= 1
                if not self._held:
                    _limit(self._before, resource.getrlimit(resource.RLIMIT_AS)[1])


CEILING: Final = Ceiling()
"""The process has one."""


def _limit(soft: int, hard: int) -> None:
    with suppress(ValueError, OSError):  # a system that does not limit this
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _size() -> int | None:
    """Return the bytes of address space of this process, None if the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:  # of every late parse
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None

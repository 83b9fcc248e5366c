"""A ceiling on memory, for a while."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Final

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Ceiling:
    """Keeps the process from growing while something in it may take all memory there is.

    Whoever asks the system for more then is refused: C libraries return an error, Python raises
    `MemoryError`. Where the system tells no sizes, there is none.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: list[int] = []
        self._before = resource.RLIM_INFINITY

    @contextmanager
    def held(self, more: int) -> Iterator[None]:
        """Let the process grow by `more` bytes; of several at once the lowest counts."""
        size = _SIZES.now()
        if size is None:
            yield
            return
        top = size + more
        with self._lock:
            if not self._held:
                self._before, _ = resource.getrlimit(resource.RLIMIT_AS)
            self._held.append(top)
            self._apply()
        try:
            yield
        finally:
            with self._lock:
                self._held.remove(top)
                self._apply()

    def _apply(self) -> None:
        before = [self._before] if self._before != resource.RLIM_INFINITY else []
        soft = min([*self._held, *before], default=resource.RLIM_INFINITY)
        with suppress(ValueError, OSError):  # a system that does not limit this
            _, hard = resource.getrlimit(resource.RLIMIT_AS)
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


CEILING: Final = Ceiling()
"""The process has one."""


class _Sizes:
    """How large this process is; its file stays open, as to open it takes 80 µs."""

    def __init__(self) -> None:
        self._file: int | None = None
        self._process = 0

    def now(self) -> int | None:
        """Return the bytes of address space, None if the system does not tell."""
        if self._process != os.getpid():  # a fork would see its parent's
            self._process = os.getpid()
            try:
                self._file = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                self._file = None
        if self._file is None:
            return None
        return int(os.pread(self._file, 99, 0).split()[0]) * _PAGE


_SIZES: Final = _Sizes()

"""FreeSpace on disks, and having none."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from crawler.errors import TargetError
from crawler.oserrors import refused

_REST = 1.0


def free_bytes(path: str | os.PathLike[str]) -> int:
    """Return the bytes this process may still write to the disk that holds `path`."""
    return shutil.disk_usage(path).free


class FreeSpace:
    """Sees to it that a folder's disk keeps `min_free_bytes`; looks at most once a second.

    0 turns it off. A disk that was found too full is looked at again at every call, so that a
    crawl goes on as soon as there is room.
    """

    def __init__(
        self,
        folder: Path,
        *,
        min_free_bytes: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._least = min_free_bytes
        self._clock = clock
        self._next = float("-inf")

    def check(self) -> None:
        """Raise `TargetError` if the disk has less room than it must keep."""
        now = self._clock()
        if not self._least or now < self._next:
            return
        try:
            free = free_bytes(self._folder)
        except OSError as error:
            raise refused(self._folder, error) from None
        if free < self._least:
            raise TargetError(
                f"{self._folder}: {free:,} bytes free on its disk, "
                f"min_free_bytes keeps {self._least:,}"
            )
        self._next = now + _REST

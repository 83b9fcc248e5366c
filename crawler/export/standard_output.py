"""JSON lines to a pipe or a terminal."""

import os
import select
from collections.abc import Sequence

from crawler.errors import TargetUnfit
from crawler.file_thread import FileThread
from crawler.oserrors import refused
from crawler.outcome import Mark


class StandardOutput:
    """Writes each line at least once: what was read cannot be taken back."""

    def __init__(self, mark: Mark, *, fd: int = 1) -> None:
        self.mark = mark
        self._fd = fd
        self._thread = FileThread("stdout")

    async def follow(self, lines: Sequence[bytes], cursor: int) -> None:
        """Write `lines`; `TargetUnfit` once nobody reads."""
        await self._thread.run(self.put, b"\n".join([*lines, b""]))
        self.mark = Mark(cursor)

    async def flush(self) -> None:
        """Do nothing: nothing is held back."""

    async def finish(self) -> None:
        """Do nothing: lines need no end."""

    async def aclose(self) -> None:
        """Leave the descriptor open; it belongs to the process."""
        self._thread.close()

    def put(self, data: bytes) -> None:
        """Write whole; blocks while nobody reads. `TargetUnfit` once nobody will."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BrokenPipeError as error:
                raise TargetUnfit(str(refused("standard output", error))) from None
            except BlockingIOError:
                # A pipe that another program made non-blocking.
                select.select([], [self._fd], [])

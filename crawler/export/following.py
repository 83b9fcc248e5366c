"""Keeps one target up with the spool."""

import asyncio
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from crawler.errors import TargetError
from crawler.file_thread import FileThread
from crawler.oserrors import refused
from crawler.owned import named
from crawler.protocols import Follower
from crawler.syncing import sync_file

_log = logging.getLogger(__name__)
_CHUNK_BYTES = 1_000_000


class Following:
    """Carries committed lines from a spool's file to a follower, at the follower's own pace.

    `target` is the follower's name for people, `source` the line file, `name` the file's name in
    positions, `cursor` the byte to begin at: 0 builds a target anew. A target that fails stops its
    follower, not the crawl: it is logged once, and `error` says why. `lasting` are files of the
    target's that, once this is closed, survive power loss.
    """

    def __init__(
        self,
        follower: Follower,
        *,
        target: str,
        source: Path,
        name: str = "items",
        cursor: int = 0,
        lasting: Sequence[Path] = (),
        chunk_bytes: int = _CHUNK_BYTES,
    ) -> None:
        self.follower = follower
        self.target = target
        self.name = name
        self.cursor = cursor
        self.error: TargetError | None = None
        self._source = source
        self._lasting = tuple(lasting)
        self._chunk_bytes = chunk_bytes
        self._end = cursor
        self._thread = FileThread("following")
        # Not in a TaskGroup: that would cancel the crawl's own task and wrap its errors, and no
        # task is needed while there is nothing to carry. A bug's exception comes out at `advance`.
        self._task: asyncio.Task[None] | None = None

    def advance(self, end: int) -> None:
        """Hear that the file is committed up to byte `end`; returns at once."""
        self._end = max(self._end, end)
        if self._task is not None and self._task.done():
            self._task.result()
            self._task = None
        if self._task is None and self._is_behind:
            self._task = asyncio.create_task(self._catch_up(), name=f"follow {self.target}")

    async def aclose(self) -> None:
        """Carry what is committed but not yet carried, and close the follower."""
        try:
            if self._task is not None:
                await self._task
            await self._catch_up()
        finally:
            await self._close_follower()
            self._thread.close()

    @property
    def _is_behind(self) -> bool:
        return self.cursor < self._end and self.error is None

    async def _catch_up(self) -> None:
        try:
            while self._is_behind:
                lines, cursor = await self._thread.run(self._read, self.cursor, self._end)
                await self.follower.follow(lines, cursor)
                self.cursor = cursor
        except (OSError, TargetError) as error:
            self._stop(error)

    async def _close_follower(self) -> None:
        try:
            await self.follower.aclose()
            if self.error is None:
                for path in self._lasting:
                    await self._thread.run(sync_file, path)
        except (OSError, TargetError) as error:
            self._stop(error)

    def _stop(self, error: OSError | TargetError) -> None:
        if self.error is None:
            self.error = refused(self.target, error) if isinstance(error, OSError) else error
            _log.error("an output stopped, the crawl goes on: %s", self.error)

    def _read(self, start: int, end: int) -> tuple[list[bytes], int]:
        """Return whole lines from byte `start` on, about a chunk of them, and where they end."""
        # Opened each time: a target that is far behind, or stopped, holds no file open.
        with open(self._source, "rb", buffering=0, opener=named) as file:
            size = self._chunk_bytes
            while True:
                data = os.pread(file.fileno(), min(size, end - start), start)
                whole = data.rfind(b"\n") + 1
                if whole:
                    return data[: whole - 1].split(b"\n"), start + whole
                if len(data) < size:
                    raise TargetError(f"{self._source}: no whole line at byte {start:,}")
                size *= 2  # a line longer than a chunk

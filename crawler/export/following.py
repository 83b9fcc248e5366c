"""Keeps one target up with the spool."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from crawler.errors import TargetError, TargetUnfit
from crawler.file_thread import FileThread
from crawler.oserrors import refused
from crawler.outcome import Mark
from crawler.owned import named
from crawler.protocols import Follower
from crawler.syncing import sync_file

_log = logging.getLogger(__name__)
_CHUNK_BYTES = 1_000_000
_FLUSH_SECONDS = 10.0
"""So long may lines be held back from a target that others may read."""

_MOST_DOUBLED = 30
"""Years: no pause is longer, and no float too small for an outage of any length."""

Opener = Callable[[Mark | None], Awaitable[Follower]]
"""Opens a target, to go on from its mark; None: from its beginning. Raises `TargetError`."""


class Following:
    """Carries committed lines from a spool's file to a follower, at the follower's own pace.

    `target` is the follower's name for people, `key` the one its marks are kept by, `source` the
    line file, `name` the file's name in positions. A target that fails stops its follower, not the
    crawl: it is opened again after 1, 2, 4 … `pause` seconds, when the crawl ends once more after a
    `pause`, and goes on from its mark. `error` says why one is behind at the end. `lasting` are
    files of the target's that, once this is closed, survive power loss.
    """

    def __init__(
        self,
        opener: Opener,
        *,
        target: str,
        source: Path,
        key: str = "",
        name: str = "items",
        mark: Mark | None = None,
        pause: float = 30.0,
        lasting: Sequence[Path] = (),
        chunk_bytes: int = _CHUNK_BYTES,
    ) -> None:
        self.target = target
        self.key = key
        self.name = name
        self.mark = mark
        self.cursor = 0
        self.error: TargetError | None = None
        self._opener = opener
        self._follower: Follower | None = None
        self._source = source
        self._pause = pause
        self._lasting = tuple(lasting)
        self._chunk_bytes = chunk_bytes
        self._end = 0
        self._flush_at: float | None = None
        self._tries = 0
        self._news, self._ending, self._hurry = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._is_last_try = False
        self._thread = FileThread("following")
        # Not in a TaskGroup: that would cancel the crawl's own task and wrap its errors, and no
        # task is needed while there is nothing to carry. A bug's exception comes out at `advance`.
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the target. Raises `TargetError` if it was never there; else that is an outage."""
        try:
            await self._opened()
        except TargetUnfit:
            raise
        except (OSError, TargetError):
            if self.mark is None or not self._pause:
                raise
            self.cursor = self.mark.cursor  # it is tried again when there is something to carry

    def advance(self, end: int) -> None:
        """Hear that the file is committed up to byte `end`; returns at once."""
        self._end = max(self._end, end)
        self._news.set()
        if self._task is not None and self._task.done():
            self._task.result()
            self._task = None
        if self._task is None and self.cursor < self._end and self.error is None:
            self._task = asyncio.create_task(self._go(), name=f"follow {self.target}")

    def hurry(self) -> None:
        """Wait no more for a target that is down."""
        self._hurry.set()

    async def aclose(self) -> None:
        """Carry what is committed but not yet carried, leave the target complete, and close it."""
        self._ending.set()
        self._news.set()
        try:
            if self._task is not None:
                await self._task
            await self._go()
        finally:
            await self._let_go()
            self._thread.close()

    async def _go(self) -> None:
        """Carry what there is, over outages of the target."""
        while self.error is None:
            try:
                await self._carry()
            except TargetUnfit as error:
                self._stop(error)
            except (OSError, TargetError) as error:
                await self._outlast(error)
            else:
                return

    async def _carry(self) -> None:
        """Carry until nothing is new or held back; at the end leave the target complete."""
        follower = await self._opened()
        while True:
            self._news.clear()
            await self._catch_up(follower)
            if self._ending.is_set():
                await follower.finish()
                self.mark = follower.mark
                await self._sync()
                return
            if self._flush_at is None:
                return
            await _wait(self._news, self._flush_at - _now())
            await self._flush_in_time(follower)

    async def _catch_up(self, follower: Follower) -> None:
        while self.cursor < self._end:
            lines, cursor = await self._thread.run(self._read, self.cursor, self._end)
            await follower.follow(lines, cursor)
            self.cursor = cursor
            self._note(follower)
            await self._flush_in_time(follower)

    def _note(self, follower: Follower) -> None:
        """Hear how far the target is, and if it holds something back."""
        self.mark = follower.mark
        if self.mark.cursor == self.cursor:
            self._flush_at = None
        elif self._flush_at is None:
            self._flush_at = _now() + _FLUSH_SECONDS

    async def _flush_in_time(self, follower: Follower) -> None:
        if self._flush_at is not None and _now() >= self._flush_at:
            await follower.flush()
            self._note(follower)

    async def _opened(self) -> Follower:
        if self._follower is None:
            self._follower = await self._opener(self.mark)
            self.mark = self._follower.mark
            self.cursor, self._flush_at = self.mark.cursor, None
            if self._tries:
                _log.warning("%s: is there again, and catches up", self.target)
                self._tries = 0
        return self._follower

    async def _outlast(self, error: OSError | TargetError) -> None:
        """Wait until a target that fails may be tried again; give it up at the end of the crawl."""
        told = refused(self.target, error) if isinstance(error, OSError) else error
        await self._let_go()
        if self._hurry.is_set() or not self._pause or self._is_last_try:
            self._stop(told)
            return
        if not self._tries:
            _log.error("%s; it is tried again, the crawl goes on", told)
        self._tries += 1
        if self._ending.is_set():
            self._is_last_try = True
            await _wait(self._hurry, self._pause)
        else:
            await _wait(self._ending, min(2.0 ** min(self._tries - 1, _MOST_DOUBLED), self._pause))

    async def let_go(self) -> None:
        """Close the target as it is, for one that is not to be followed after all."""
        await self._let_go()
        self._thread.close()

    async def _let_go(self) -> None:
        follower, self._follower = self._follower, None
        if follower is not None:
            with suppress(OSError, TargetError):
                await follower.aclose()

    async def _sync(self) -> None:
        for path in self._lasting:
            await self._thread.run(sync_file, path)

    def _stop(self, error: TargetError) -> None:
        self.error = error
        _log.error("an output stopped, and is behind: %s", error)

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
                    raise TargetUnfit(f"{self._source}: no whole line at byte {start:,}")
                size *= 2  # a line longer than a chunk


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, no longer than so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, seconds)):
            await event.wait()

"""Joins the line files of several processes."""

import asyncio
import logging
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from crawler.errors import TargetError
from crawler.file_thread import FileThread
from crawler.keeping import kept_by
from crawler.oserrors import refused
from crawler.outcome import Batch, Part, Position
from crawler.owned import own
from crawler.protocols import Frontier, Memory, PageStore, Spool

_CHUNK_BYTES = 1_000_000
_JOIN_SECONDS = 0.5
_LOOK_SECONDS = 0.2

log = logging.getLogger(__name__)


class Joining:
    """Carries the committed lines of every part into the run's own files, each line once.

    What is carried, and how far our own files are then, is one transaction of the frontier; a part
    begins to be deleted only when no process can write to one any more.
    """

    def __init__(
        self,
        folder: Path,
        *,
        spool: Spool,
        store: PageStore,
        frontier: Frontier,
        memories: Sequence[Memory] = (),
    ) -> None:
        self._folder = folder
        self._spool = spool
        self._store = store
        self._frontier = frontier
        self._memories = tuple(memories)
        self._appended: Batch | None = None
        self._thread = FileThread("joining")

    async def keep_up(
        self, *, over: asyncio.Event, pause: float, joined: Callable[[], Awaitable[object]]
    ) -> None:
        """Join what there is now and then, until it is `over`; each time, await `joined()`.

        A target that is full is tried once more, after `pause` seconds. Raises `TargetError`.
        """
        seconds, is_full = _JOIN_SECONDS, False
        while not await _happens(over, seconds):
            try:
                while await self.join():
                    pass
                seconds, is_full = _JOIN_SECONDS, False
            except TargetError as error:
                if is_full or not pause:
                    raise
                log.error("%s; joining pauses %g s, then tries once more", error, pause)
                seconds, is_full = pause, True
            await joined()

    async def join_all(self, *, waits: Callable[[], bool]) -> None:
        """Join what there is until the other processes have ended, or `waits()` no more.

        With nobody left who writes any, pages are settled. Raises `TargetError`.
        """
        while await self._frontier.others():
            await self.join()
            if not waits():
                return
            await asyncio.sleep(_LOOK_SECONDS)
        while await self.join():
            pass
        await self._thread.run(shutil.rmtree, self._folder, ignore_errors=True)
        await self._store.settle()

    async def join(self) -> bool:
        """Carry a chunk of each part that has some; False if there was nothing.

        Raises `TargetError`; then it may be called again. It must not be cancelled: nobody knows
        what it has appended then, and only the next opening of the files cuts that off.
        """
        await self._commit()
        parts = await self._frontier.parts()
        for number, part in parts.items():
            lines, joined = await self._thread.run(self._read, number, part)
            position = await self._spool.append(lines)
            kept = kept_by(self._memories)
            self._appended = Batch(position=position, joined={number: joined}, kept=kept)
            await self._commit()
        return bool(parts)

    async def _commit(self) -> None:
        """Commit what was appended; a commit that failed is made up for before more is appended."""
        if (batch := self._appended) is not None:
            await self._frontier.commit(batch)
            self._appended = None
            await self._spool.committed(batch.position, ())

    def close(self) -> None:
        """End the thread."""
        self._thread.close()

    def _read(self, number: int, part: Part) -> tuple[Mapping[str, list[bytes]], Position]:
        lines: dict[str, list[bytes]] = {}
        joined: Position = {}
        for name, end in part.committed.items():
            path = self._folder / str(number) / f"{name}.jsonl"
            some = _chunk(path, part.joined[name], end)
            lines[name] = some[:-1].split(b"\n") if some else []
            joined[name] = part.joined[name] + len(some)
        return lines, joined


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    """Wait so long for an event; True if it has happened."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


def _chunk(path: Path, start: int, end: int) -> bytes:
    """Return whole lines of a file from byte `start` on, about a chunk of them."""
    size = _CHUNK_BYTES
    try:
        with open(path, "rb", buffering=0, opener=own) as file:
            while True:
                data = os.pread(file.fileno(), min(size, end - start), start)
                whole = data.rfind(b"\n") + 1
                if whole or start + len(data) >= end:
                    break
                size *= 2  # a line longer than a chunk
    except OSError as error:
        raise refused(path, error) from None
    if not whole and end > start:
        raise TargetError(
            f"{path}: {end:,} bytes were committed, but no whole line follows byte {start:,}"
        )
    return data[:whole]

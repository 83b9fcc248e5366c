"""Outcomes on their way to the committer."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from crawler.outcome import Outcome

_MOST = 256
_LONGEST = 0.02
"""A batch is closed after this many outcomes or seconds, or as soon as workers idle."""


class Entry(NamedTuple):
    """An outcome, and what ends when it is committed, if somebody waits for that."""

    outcome: Outcome
    ended: asyncio.Future[None] | None = None


class Outbox:
    """A bounded queue of outcomes, taken out in batches.

    Who puts an outcome waits until it is committed: so no more is in hand than there are workers,
    and no more is done again after a crash. `idle()` says that no worker will bring another before.
    """

    def __init__(self, room: int, *, idle: Callable[[], bool]) -> None:
        self._queue: asyncio.Queue[Entry | None] = asyncio.Queue(room)
        self._idle = idle
        self.is_closed = False

    async def put(self, outcome: Outcome) -> None:
        """Hand over an outcome, and wait until it is committed, or will not be."""
        if not self.is_closed:
            ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            await self._add(Entry(outcome, ended))
            await ended

    async def hand_over(self, outcome: Outcome) -> None:
        """Hand over an outcome that nobody waits for."""
        if not self.is_closed:
            await self._add(Entry(outcome))

    async def end(self) -> None:
        """Say that nothing more comes."""
        if not self.is_closed:
            await self._add(None)

    async def gather(self) -> list[Entry]:
        """Return the outcomes at hand, and wait a little for more while workers bring some."""
        entry = await self._queue.get()
        deadline = asyncio.get_running_loop().time() + _LONGEST
        entries: list[Entry] = []
        while entry is not None:
            entries.append(entry)
            if len(entries) >= _MOST or (self._queue.empty() and self._idle()):
                return entries
            try:
                entry = await self._next(deadline)
            except TimeoutError:
                return entries
        self.is_closed = True
        return entries

    def close(self) -> None:
        """Take nothing more; whoever waits to hand over need not."""
        self.is_closed = True
        while not self._queue.empty():
            if (entry := self._queue.get_nowait()) is not None:
                release([entry])

    async def _add(self, entry: Entry | None) -> None:
        await self._queue.put(entry)
        if self.is_closed:
            self.close()  # which made room for this one makes it for the next

    async def _next(self, deadline: float) -> Entry | None:
        if not self._queue.empty():
            return self._queue.get_nowait()
        async with asyncio.timeout_at(deadline):
            return await self._queue.get()


def release(entries: Sequence[Entry]) -> None:
    """Let those go who wait for outcomes to be committed."""
    for entry in entries:
        if entry.ended is not None and not entry.ended.done():
            entry.ended.set_result(None)

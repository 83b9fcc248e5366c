"""Outcomes on their way to the committer."""

import asyncio
from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

from crawler.outcome import Outcome

_MOST = 256
_LONGEST = 0.02
"""A batch is closed after this many outcomes or seconds, or as soon as workers idle."""


class Crew(Enum):
    """What workers are up to: whether they bring more by themselves."""

    BUSY = "busy"
    IDLE = "idle"
    """They will, once what they brought is known to the frontier."""
    STUCK = "stuck"
    """All of them wait until what they brought is committed."""


class Entry(NamedTuple):
    """An outcome, and what ends when it is committed, if somebody waits for that."""

    outcome: Outcome
    ended: asyncio.Future[None] | None = None


class Outbox:
    """A bounded queue of outcomes, taken out in batches.

    Who puts an outcome waits until it is committed: so no more is in hand than there are workers,
    and no more is done again after a crash. `crew()` says what the workers are up to.
    """

    def __init__(self, room: int, *, crew: Callable[[], Crew]) -> None:
        self._queue: asyncio.Queue[Entry | None] = asyncio.Queue(room)
        self._crew = crew
        self._deadline: float | None = None
        self.is_closed = False
        self.may_wait = False
        """True if what was gathered last need not be committed for workers to bring more.

        Whoever commits it all the same says so here.
        """

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
        """Return the outcomes at hand, and wait a little for more while workers bring some.

        If what was gathered before `may_wait`, that little has begun with it: then there may be
        none.
        """
        if not self.may_wait:
            self._deadline = None
        entries: list[Entry] = []
        try:
            while len(entries) < _MOST and (entry := await self._next()) is not None:
                entries.append(entry)
                if self._queue.empty() and (crew := self._crew()) is not Crew.BUSY:
                    self.may_wait = crew is Crew.IDLE and not self._is_late()
                    return entries
            self.is_closed = len(entries) < _MOST
        except TimeoutError:
            pass
        self.may_wait = False
        return entries

    def close(self) -> None:
        """Take nothing more; whoever waits to hand over need not."""
        self.is_closed = True
        while not self._queue.empty():
            if (entry := self._queue.get_nowait()) is not None:
                release([entry])

    def _is_late(self) -> bool:
        loop = asyncio.get_running_loop()
        return self._deadline is not None and loop.time() >= self._deadline

    async def _add(self, entry: Entry | None) -> None:
        await self._queue.put(entry)
        if self.is_closed:
            self.close()  # which made room for this one makes it for the next

    async def _next(self) -> Entry | None:
        if not self._queue.empty():
            entry = self._queue.get_nowait()
        elif self._deadline is None:
            entry = await self._queue.get()
        else:
            async with asyncio.timeout_at(self._deadline):
                entry = await self._queue.get()
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + _LONGEST
        return entry


def release(entries: Sequence[Entry]) -> None:
    """Let those go who wait for outcomes to be committed."""
    for entry in entries:
        if entry.ended is not None and not entry.ended.done():
            entry.ended.set_result(None)

"""Outcomes on their way to the committer."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
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
    """An outcome, and what is called when it is committed, or will not be."""

    outcome: Outcome
    ended: Callable[[], None] | None = None
    was_refused: bool = False
    """It could not be posted."""


Post = Callable[[Sequence[Entry]], Awaitable[bool]]
"""Lets workers go on with what outcomes found, before these are committed; False: it did not."""


class _Sign(Enum):
    END = "nothing more comes"
    LATE = "what came first has waited long enough"


class Outbox:
    """A bounded queue of outcomes, taken out in batches.

    `crew()` says what the workers are up to; `posted()` is called when somebody else than a worker
    posted what they can go on with.
    """

    def __init__(
        self,
        room: int,
        *,
        crew: Callable[[], Crew],
        posted: Callable[[], None],
        longest: float = _LONGEST,
    ) -> None:
        self._queue: asyncio.Queue[Entry | _Sign] = asyncio.Queue(room)
        self._crew = crew
        self._posted = posted
        self._longest = longest
        self._gathered: list[Entry] = []
        self._post: Post | None = None  # while somebody gathers
        self._posting = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._is_late = False
        self.is_closed = False

    async def put(self, outcome: Outcome) -> None:
        """Hand over an outcome, and wait until it is committed, or will not be."""
        if not self.is_closed:
            ended = asyncio.Event()
            await self._add(Entry(outcome, ended.set))
            await ended.wait()

    async def hand_over(
        self,
        outcome: Outcome,
        *,
        ended: Callable[[], None] | None = None,
        was_refused: bool = False,
    ) -> None:
        """Hand over an outcome; `ended()` is called when it is committed, or will not be."""
        if not self.is_closed:
            await self._add(Entry(outcome, ended, was_refused))
        elif ended is not None:
            ended()

    async def post(self, outcome: Outcome, *, ended: Callable[[], None]) -> bool:
        """Hand over an outcome; True if it is posted, and there is something to go on with."""
        # Without the detour over the queue, which costs a chain of pages a tenth of its time.
        is_first = not self._gathered and self._queue.empty() and not self.is_closed
        may_post = is_first and self._may_post()
        if may_post and await self._is_posted([Entry(outcome, ended)]):
            return True
        await self.hand_over(outcome, ended=ended, was_refused=may_post)
        return False

    async def end(self) -> None:
        """Say that nothing more comes."""
        if not self.is_closed:
            await self._add(_Sign.END)

    async def gather(self, post: Post) -> list[Entry]:
        """Return the outcomes to be committed now, with what was posted meanwhile.

        Now is when workers bring no more without that, or a little after the first of all. If they
        would with what outcomes found, these are posted instead.
        """
        self._post = post
        try:
            await self._gather()
        finally:
            self._post = None
        async with self._posting:  # whoever began before is done
            self._stop_timer()
            entries, self._gathered = self._gathered, []
            return entries

    def close(self) -> None:
        """Take nothing more; whoever waits to hand over need not."""
        self.is_closed = True
        while not self._queue.empty():
            if isinstance(entry := self._queue.get_nowait(), Entry):
                release([entry])

    async def _gather(self) -> None:
        while len(self._gathered) < _MOST:
            taken = await self._queue.get()
            if taken is _Sign.END:
                self.is_closed = True
                return
            if isinstance(taken, Entry):
                self._gathered.append(taken)
                self._start_timer()
            if self._queue.empty() and (self._is_late or await self._is_time()):
                return

    async def _is_time(self) -> bool:
        """True if what is gathered is to be committed; if it can be posted, it is."""
        if not self._gathered or self._crew() is Crew.BUSY:
            return False
        if any(entry.was_refused for entry in self._gathered) or not self._may_post():
            return True
        if not await self._is_posted(self._gathered):
            return True
        self._gathered.clear()
        self._posted()
        return False

    def _may_post(self) -> bool:
        """True if workers idle until it is known what outcomes found."""
        return self._post is not None and not self._is_late and self._crew() is Crew.IDLE

    async def _is_posted(self, entries: Sequence[Entry]) -> bool:
        async with self._posting:
            done = self._post is not None and await self._post(entries)
            if done:
                self._start_timer()
        return done

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._longest, self._ring)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._is_late = None, False

    def _ring(self) -> None:
        self._is_late = True
        if self._queue.empty():
            self._queue.put_nowait(_Sign.LATE)

    async def _add(self, taken: Entry | _Sign) -> None:
        await self._queue.put(taken)
        if self.is_closed:
            self.close()  # which made room for this one makes it for the next


def release(entries: Sequence[Entry]) -> None:
    """Let those go who wait for outcomes to be committed."""
    for entry in entries:
        if entry.ended is not None:
            entry.ended()

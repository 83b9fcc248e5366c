"""A process's looks for work."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable

from msgspec import structs

from crawler.frontier.changes import Changes, wait
from crawler.frontier.ledger import Taken
from crawler.protocols import Clock


class Looking:
    """Looks for work until there is some: at once, when something changed, when something is due.

    While it waits, whoever changes something on the frontier's thread looks there and then
    (`along`): a page whose only link was just committed is followed without another hop.
    """

    def __init__(self, changes: Changes, *, clock: Clock) -> None:
        self._changes = changes
        self._clock = clock
        self._limit: int | None = None
        self._found: Taken | None = None  # leases that a look along with a commit brought
        self._vain: Taken | None = None  # what another look would find
        self._seen: asyncio.Event | None = None  # nothing changed since, if it is still the next

    async def next(self, limit: int, look: Callable[[int], Awaitable[Taken]]) -> Taken:
        """Return what there is to do, or that all is over; `look(limit)` says what it sees now."""
        while True:
            changed = self._changes.next
            taken, self._found = self._found or self._still(changed), None
            if taken is None:
                taken = await look(limit)
                self._see(taken, changed)
            if taken.leases or taken.over:
                return taken
            self._limit = limit
            try:
                await wait(changed, due=taken.due, clock=self._clock)
            finally:
                self._limit = None

    def along(self, take: Callable[[int], Taken]) -> Taken | None:
        """Look on the thread where something changed, if somebody waits; `heard` tells the loop."""
        if (limit := self._limit) is None or self._found is not None:
            return None
        try:
            return take(limit)
        except sqlite3.Error:
            return None  # what changed is true; whoever waits looks for themselves, and hears why

    def heard(self, taken: Taken | None, *, since: asyncio.Event) -> None:
        """Let those look again who wait; `taken` is what `along` saw, asked for before `since`."""
        is_last = self._changes.next is since  # nothing else changed meanwhile
        self._changes.wake()
        if taken is not None:
            if is_last:
                self._see(taken, self._changes.next)
            self._found = taken if taken.leases else None

    def _see(self, taken: Taken, changed: asyncio.Event) -> None:
        # Whoever has what there was finds nothing until then either.
        self._vain = structs.replace(taken, leases=())
        self._seen = changed

    def _still(self, changed: asyncio.Event) -> Taken | None:
        """Return what another look would come to, if that is known: nothing."""
        if self._vain is None or self._seen is not changed:
            return None
        due = self._vain.due
        return self._vain if due is None or due > self._clock() else None

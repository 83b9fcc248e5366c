"""How many pages may be begun, of the run's `max_pages`."""

import asyncio
from collections.abc import Awaitable, Callable


class Allowance:
    """Pages of the run that this process has set aside, for requests it has at hand.

    No more than it finds requests for: others could not have the rest, and would wait for ever.
    `reserve` is a frontier's; `at_hand()` says how many requests wait for nothing but their turn.
    """

    def __init__(
        self,
        most: int | None,
        *,
        step: int,
        at_hand: Callable[[], int],
        reserve: Callable[[int], Awaitable[int]],
    ) -> None:
        self._most = most
        self._step = step
        self._at_hand = at_hand
        self._reserve = reserve
        self._in_hand = 0
        self._allowed = 0
        self._changed = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """True if something is set aside that nothing at hand needs."""
        return self._most is not None and self._allowed > self._in_hand and not self._at_hand()

    async def take(self) -> None:
        """Wait until one more page cannot make more than `max_pages`."""
        while not self.take_at_once():
            self._changed.clear()
            more = await self._reserve(min(self._step, 1 + self._at_hand()))
            self._allowed += more
            if not more:
                await self._changed.wait()

    def take_at_once(self) -> bool:
        """Take one more page if that needs no waiting."""
        if self._most is not None and self._in_hand >= self._allowed:
            return False
        self._in_hand += 1
        return True

    def put_back(self) -> None:
        """Hear that a page that was taken is not made now."""
        self._in_hand -= 1
        self._changed.set()

    def settled(self, *, pages: int, delivered: int) -> None:
        """Hear that pages are committed, those that were delivered as pages of the run."""
        self._in_hand -= pages
        self._allowed -= delivered
        self._changed.set()

    def look_again(self) -> None:
        """Hear that others may have given something back."""
        self._changed.set()

    async def give_back(self) -> None:
        """Let other processes have what we find no requests for."""
        if self.is_idle:
            spare = self._allowed - self._in_hand
            self._allowed -= spare
            await self._reserve(-spare)

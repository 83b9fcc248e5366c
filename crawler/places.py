"""How many requests are begun and not committed."""

import asyncio

_FEW_BUSY = 2


class Places:
    """A place for each of so many requests, from its beginning to the commit of its outcome.

    So no more than that many are made again after a crash, and no worker waits for a commit.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._changed = asyncio.Event()
        self._uncommitted = 0
        self.busy = 0
        """How many are in the hands of workers."""

    @property
    def free(self) -> int:
        """How many more may begin."""
        return self._number - self.busy - self._uncommitted

    async def begin(self) -> None:
        """Take a place, when one is free."""
        while self.free < 1:
            self._changed.clear()
            await self._changed.wait()
        self.busy += 1

    async def in_step(self) -> None:
        """Let others come as far, where several are busy, so that all go on from here in a row.

        A page runs so much code that the processor's caches have lost it when the next page comes.
        What many pages do in a row they keep: that saves 10 % of a page for two turns of the loop.
        """
        if self.busy > _FEW_BUSY:
            await asyncio.sleep(0)

    def leave(self) -> None:
        """Give a place back: the request comes to nothing that is committed."""
        self.busy -= 1
        self._changed.set()

    def hand_over(self) -> None:
        """Hear that a request's outcome is on its way to be committed."""
        self.busy -= 1
        self._uncommitted += 1

    def committed(self) -> None:
        """Hear that an outcome is committed, or will not be."""
        self._uncommitted -= 1
        self._changed.set()

"""Requests that may go now, and wait for a worker."""

import asyncio

from crawler.request import Request

# What waits here holds its host's slot all the same, so whose turn it is, is decided late where
# workers are many: with a place for each of 1,000, slow hosts had a third of the pages of fast
# ones. Places for a few keep the pump from waking for each page.
_FEW_PLACES = 64
_WORKERS_A_PLACE = 4


class Ready:
    """A bounded queue from the pump to so many workers."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._places = min(workers, max(_FEW_PLACES, workers // _WORKERS_A_PLACE))
        self._queue: asyncio.Queue[Request | None] = asyncio.Queue()
        self._low = asyncio.Event()

    @property
    def is_empty(self) -> bool:
        """True if nothing waits for a worker."""
        return self._queue.empty()

    async def room(self) -> None:
        """Wait until there is a place; once all were taken, until half of them are free."""
        if self._queue.qsize() >= self._places:
            self._low.clear()
            await self._low.wait()

    def put(self, request: Request) -> None:
        """Take a place; see `room`."""
        self._queue.put_nowait(request)

    async def next(self) -> Request | None:
        """Return what waits the longest, when there is something; None: nothing more comes."""
        request = await self._queue.get()
        if self._queue.qsize() <= self._places // 2:
            self._low.set()
        return request

    def dismiss(self) -> None:
        """Let nobody have what waits, and each worker end."""
        while not self._queue.empty():
            self._queue.get_nowait()
        for _ in range(self._workers):
            self._queue.put_nowait(None)

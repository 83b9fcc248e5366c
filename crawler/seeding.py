"""Puts what a seeding finds, in chunks."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from crawler.errors import Signal
from crawler.outcome import Outcome, Verdict
from crawler.request import Request
from crawler.usercode import Raised

_CHUNK = 500
_LONGEST = 0.2
"""So many requests are put together, or those of so many seconds."""

Ended = Signal | Raised | None
Put = Callable[[Outcome], Awaitable[None]]
Watch = Callable[[Coroutine[Any, Any, Ended]], Coroutine[Any, Any, Ended]]


class Chunks:
    """Empties `found` as it grows: a seeding may be long, slow, or without end."""

    def __init__(self, request: Request, found: list[Request], *, put: Put) -> None:
        self._request = request
        self._found = found
        self._put = put
        self._some = asyncio.Event()
        self._ended = asyncio.Event()

    async def grown(self) -> None:
        """Hear that `found` may have grown."""
        self._some.set()
        if len(self._found) >= _CHUNK:
            await self._flush()

    async def flush_slow_ones(self) -> None:
        """Let no request wait for its chunk to fill, until the end; its rest stays in `found`."""
        while not self._ended.is_set():
            await self._some.wait()
            try:
                async with asyncio.timeout(_LONGEST):
                    await self._ended.wait()
            except TimeoutError:
                await self._flush()

    def end(self) -> None:
        """Hear that `found` grows no more."""
        self._ended.set()
        self._some.set()

    async def _flush(self) -> None:
        self._some.clear()
        chunk = self._found.copy()
        self._found.clear()
        if chunk:
            await self._put(Outcome(self._request, Verdict.PARTIAL, found=chunk))

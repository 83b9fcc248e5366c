"""Waits for a change."""

import asyncio

from crawler.protocols import Clock


class Changes:
    """Wakes all who wait now; those who come later wait for the next change.

    Whoever looks for something takes `next` before, so that no change is missed in between.
    """

    def __init__(self) -> None:
        self.next = asyncio.Event()

    def wake(self) -> None:
        """Say that something changed."""
        changed, self.next = self.next, asyncio.Event()
        changed.set()


async def wait(changed: asyncio.Event, *, due: float | None, clock: Clock) -> None:
    """Wait for a change, or until `due` by `clock`."""
    if due is None:
        await changed.wait()
        return
    try:
        async with asyncio.timeout(max(0.0, due - clock())):
            await changed.wait()
    except TimeoutError:
        return

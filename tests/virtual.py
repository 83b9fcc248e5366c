"""An event loop whose time is a value: it jumps to the next timer instead of waiting for it."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_TURN = 1e-8
"""One turn of the loop. Timers fire up to 1e-9 s early; a time that stood still then would stand
for ever."""


class _Selector(selectors.DefaultSelector):
    """Waits for nothing but what is ready; hands the waiting over to the loop's clock."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        self.skipped += _TURN
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise RuntimeError("deadlock: nothing is ready, and no timer will ever be")
        self.skipped += max(0.0, timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs hours of timers in no time; raises instead of hanging."""

    def __init__(self) -> None:
        self._hops = _Selector()
        super().__init__(self._hops)

    def time(self) -> float:
        return 1_000_000.0 + self._hops.skipped


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` on a virtual loop."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)

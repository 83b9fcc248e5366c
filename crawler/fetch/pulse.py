"""Does a body come fast enough?"""

from collections.abc import Callable

from crawler.errors import TimedOut

_WINDOW = 10.0


class Pulse:
    """Counts a body's bytes, as they come off the wire, in windows of ten seconds.

    `least` is bytes a second. A server that is silent is none of ours: that is `read_timeout`.
    """

    __slots__ = ("_began", "_bytes", "_clock", "_least")

    def __init__(self, least: int, *, clock: Callable[[], float]) -> None:
        self._least = least
        self._clock = clock
        self.restart()

    def restart(self) -> None:
        """Begin a new window: nothing was read for a while, and that was our own doing."""
        self._began = self._clock()
        self._bytes = 0

    def beat(self, size: int) -> None:
        """Hear of `size` bytes more. Raises `TimedOut`."""
        self._bytes += size
        seconds = self._clock() - self._began
        if seconds >= _WINDOW:
            if self._bytes < self._least * seconds:
                raise TimedOut(f"fewer than min_rate_bytes, {self._least:,} bytes a second")
            self.restart()

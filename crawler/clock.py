"""Time that never jumps."""

import time


class SteadyClock:
    """Seconds since the epoch when it was made, and from there by the system's monotonic clock."""

    def __init__(self) -> None:
        self._ahead = time.time() - time.monotonic()

    def __call__(self) -> float:
        """Return the time."""
        return self._ahead + time.monotonic()

    def set_ahead(self, seconds: float) -> None:
        """Go by the clock of a run that other processes crawl already."""
        self._ahead = seconds

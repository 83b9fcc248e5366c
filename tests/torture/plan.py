"""When to kill, and whom."""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from tests.torture.processes import Mode

_EARLY = 0.2
"""The share of kills that come while a crawl starts: it cuts back and opens again."""
_LATE = 0.15
"""The share that comes when every page has been answered: parts are joined then."""


class Strike(NamedTuple):
    """Kill after so many more pages have been answered, and so many seconds then."""

    mode: Mode
    pages: int
    rest: float


class Plan:
    """Draws so many kills for one crawl of `pages` pages, spread over all of it."""

    def __init__(self, kills: int, *, pages: int, modes: Sequence[Mode], draw: Random) -> None:
        self.draw = draw
        self._modes = modes
        self._left = kills
        self._late = max(1, round(kills * _LATE)) if kills else 0
        self._gap = pages / (kills + 1)

    def next(self, *, is_over: bool) -> Strike | None:
        """Return the next kill, None if there is none; `is_over` when all pages are answered."""
        if not self._left or (is_over and not self._late):
            return None
        mode = self.draw.choice(self._modes)
        if is_over:
            return Strike(mode, 0, self.draw.uniform(0.0, 1.2))
        if self.draw.random() < _EARLY:
            return Strike(mode, 0, self.draw.uniform(0.05, 0.6))
        return Strike(mode, round(self.draw.expovariate(1 / self._gap)), self.draw.uniform(0, 0.1))

    def hit(self, *, is_over: bool) -> None:
        """Hear that a kill has hit."""
        self._left -= 1
        self._late -= is_over

"""When is a host that keeps failing, or refusing, left alone?"""

import math

_RESTS = (30.0, 60.0)


class Parking:
    """The failures of one host in a row: after `most` of them it rests, twice; then it is given up.

    What was asked before a rest began says nothing new. A good answer ends it all.
    """

    __slots__ = ("_failures", "_rests", "_until", "total")

    def __init__(self) -> None:
        self._failures = 0
        self._rests = 0
        self._until = 0.0
        self.total = 0
        """Failures since the last good answer."""

    def fail(self, *, most: int, asked: float, now: float) -> float | None:
        """Hear of a failure; return the seconds that the host is to rest, inf for good, or None."""
        if asked < self._until:
            return None
        self._failures += 1
        self.total += 1
        if self._failures < most:
            return None
        rest = _RESTS[self._rests] if self._rests < len(_RESTS) else math.inf
        self._failures = 0
        self._rests += 1
        self._until = now + rest
        return rest


class Refusals:
    """The 429s and 503s of one host in a row, of which the first was heard at `since`.

    What was asked before the last of them says nothing new. A good answer ends it all.
    """

    __slots__ = ("_last", "since", "total")

    def __init__(self, since: float) -> None:
        self._last = -math.inf
        self.since = since
        self.total = 0

    def refuse(self, *, asked: float, now: float) -> None:
        """Hear of one more."""
        if asked >= self._last:
            self._last = now
            self.total += 1

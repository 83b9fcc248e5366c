"""When is a host that keeps failing left alone?"""

_FIRST_REST = 30.0


class Parking:
    """The failures of one host in a row: after `most` of them it rests, and longer each time.

    What was asked before a rest began says nothing new. A good answer ends it all.
    """

    __slots__ = ("_failures", "_rest", "_until", "total")

    def __init__(self) -> None:
        self._failures = 0
        self._rest = _FIRST_REST
        self._until = 0.0
        self.total = 0
        """Failures since the last good answer."""

    def fail(self, *, most: int, asked: float, now: float) -> float | None:
        """Hear of a failure; return the seconds that the host is to rest, if it is."""
        if asked < self._until:
            return None
        self._failures += 1
        self.total += 1
        if self._failures < most:
            return None
        rest, self._rest = self._rest, 2 * self._rest
        self._failures = 0
        self._until = now + rest
        return rest

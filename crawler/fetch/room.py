"""Bodies held at once stay in bounds."""

import asyncio
import heapq
from itertools import count

_STALL = 5.0


class Room:
    """The bytes of all bodies between fetch and commit: at most `limit_bytes`, readers wait.

    The oldest body is served first. Two exceptions keep things moving, and each lets one body, the
    oldest unfinished, pass the limit: when every byte is held by bodies that wait themselves, and
    when nothing was given back for `stall` seconds (a callback that holds its page may be waiting
    for `page.fetch`, which this class cannot see).
    """

    def __init__(self, limit_bytes: int, *, stall: float = _STALL) -> None:
        self._limit = limit_bytes
        self._stall = stall
        self._numbers = count()
        self._waiting: list[tuple[int, int, Hold, int, asyncio.Future[None]]] = []
        self._stalled: asyncio.TimerHandle | None = None
        self._busy = 0
        self.used = 0

    def hold(self) -> "Hold":
        """Return a place for one body, empty at first."""
        return Hold(self, next(self._numbers))

    def _grant(self, hold: "Hold", size: int) -> None:
        if not hold.size and size:
            self._busy += 1
        hold.size += size
        self.used += size

    def _fits(self, hold: "Hold", size: int) -> bool:
        return hold.free or self.used + size <= self._limit

    async def _wait(self, hold: "Hold", size: int) -> None:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (hold.age, next(self._numbers), hold, size, ready))
        self._busy -= 1 if hold.size else 0
        self._serve()
        try:
            await ready
        finally:
            if not ready.done() or ready.cancelled():
                self._busy += 1 if hold.size else 0
                self._serve()

    def _serve(self) -> None:
        """Let go on who may: the oldest that fits, or the oldest if nobody else will ever free."""
        while self._waiting:
            _, _, hold, size, ready = self._waiting[0]
            if ready.done():  # cancelled while it waited
                heapq.heappop(self._waiting)
            elif self._fits(hold, size) or not self._busy:
                self._admit()
            else:
                break
        self._watch()

    def _admit(self) -> None:
        _, _, hold, size, ready = heapq.heappop(self._waiting)
        self._busy += 1 if hold.size else 0
        self._grant(hold, size)
        ready.set_result(None)

    def _watch(self) -> None:
        """Keep a timer while somebody waits; `_give_back` starts it anew."""
        if not self._waiting and self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        elif self._waiting and self._stalled is None:
            loop = asyncio.get_running_loop()
            self._stalled = loop.call_later(self._stall, self._overrun)

    def _overrun(self) -> None:
        self._stalled = None
        self._waiting[0][2].free = True
        self._serve()

    def _give_back(self, hold: "Hold") -> None:
        self._busy -= 1 if hold.size else 0
        self.used -= hold.size
        hold.size = 0
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        self._serve()


class Hold:
    """One body's part of the room; a lower `age` is older, a `free` one may pass the limit."""

    __slots__ = ("_room", "age", "free", "size")

    def __init__(self, room: Room, age: int) -> None:
        self._room = room
        self.age = age
        self.free = False
        self.size = 0

    def try_grow(self, size: int) -> bool:
        """Take `size` bytes more if nobody waits and they fit."""
        room = self._room
        if not room._fits(self, size) or (room._waiting and not self.free):
            return False
        room._grant(self, size)
        return True

    async def grow(self, size: int) -> None:
        """Take `size` bytes more, when there is room for them."""
        if not self.try_grow(size):
            await self._room._wait(self, size)

    def release(self) -> None:
        """Give all of it back; more than once is fine."""
        if self.size:
            self._room._give_back(self)

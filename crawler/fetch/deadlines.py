"""Requests end in time, all by one timer."""

import asyncio
import heapq
import math
from itertools import count
from types import TracebackType

_FEW = 1_000


class Deadlines:
    """Makes `Deadline`s: `asyncio.timeout` for very many blocks of which hardly one is late.

    A timer of the loop for each costs 12 µs of a request's 500; an entry in a heap costs one. What
    ended in time leaves its entry behind until its time comes, or most entries are such. Made and
    used inside a running loop.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._heap: list[tuple[float, int, Deadline]] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None
        self._open = 0

    def after(self, seconds: float) -> "Deadline":
        """Return a context that raises `TimeoutError` when it lasts longer."""
        return Deadline(self, seconds)

    def close(self) -> None:
        """Let go of all that has not ended."""
        self._heap.clear()
        self._arm()

    def _enter(self, deadline: "Deadline") -> None:
        if len(self._heap) > _FEW + 2 * self._open:
            self._heap = [entry for entry in self._heap if entry[2].when == entry[0]]
            heapq.heapify(self._heap)
        heapq.heappush(self._heap, (deadline.when, next(self._numbers), deadline))
        if self._timer is None or deadline.when < self._timer.when():
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._heap:
            self._timer = self._loop.call_at(self._heap[0][0], self._expire)

    def _expire(self) -> None:
        now = self._loop.time()
        while self._heap and self._heap[0][0] <= now:
            when, _, deadline = heapq.heappop(self._heap)
            if deadline.when == when:
                deadline._expire()
        self._arm()


class Deadline:
    """A block that is cancelled at `when` (loop time), and then raises `TimeoutError`."""

    __slots__ = ("_cancelling", "_deadlines", "_expired", "_seconds", "_task", "began", "when")

    def __init__(self, deadlines: Deadlines, seconds: float) -> None:
        self._deadlines = deadlines
        self._seconds = seconds
        self._expired = False
        self._task: asyncio.Task[object] | None = None
        self.began = math.nan
        """When the block began."""
        self.when = math.inf
        """When it ends; infinity while it is paused, and once the block has ended."""

    def __enter__(self) -> "Deadline":
        loop = self._deadlines._loop
        self._task = asyncio.current_task(loop)
        if self._task is None:
            raise RuntimeError("a Deadline is used inside a task only")
        self._cancelling = self._task.cancelling()
        self._deadlines._open += 1
        self.began = loop.time()
        self.move(self.began + self._seconds)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.when = math.inf
        self._deadlines._open -= 1
        task, self._task = self._task, None
        # As in asyncio.timeout: another's cancellation in the same moment stays one.
        late = self._expired and task is not None and task.uncancel() <= self._cancelling
        if late and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def time(self) -> float:
        """Return the loop's time."""
        return self._deadlines._loop.time()

    def move(self, when: float) -> None:
        """End at another time."""
        self.when = when
        if when < math.inf:
            self._deadlines._enter(self)

    def _expire(self) -> None:
        self.when = math.inf
        if self._task is not None:
            self._expired = True
            self._task.cancel()

"""Requests whose callbacks may kill the process."""

import asyncio
import types
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Self, TypeVar

from crawler.errors import Crashed
from crawler.protocols import Note
from crawler.request import Request

T = TypeVar("T")
R = TypeVar("R")

_MOST_CRASHES = 3


def crash_of(request: Request) -> Crashed | None:
    """Return the failure of a request whose callback the process died in too often."""
    if request.crashes < _MOST_CRASHES:
        return None
    return Crashed(f"crashed the process {request.crashes} times", url=request.url)


def is_killed_by_telling(request: Request) -> bool:
    """True if the process died once more when the spider was told of those deaths."""
    return request.crashes > _MOST_CRASHES


class Mark:
    """A context in which a request is in the hands of the spider: its note says what it does."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self._works = False
        self._elsewhere = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._elsewhere += 1  # a task of the spider's that outlives its page
        self._note.clear()

    async def watch(self, work: Coroutine[Any, Any, R]) -> R:
        """Await `work`: the note says when its code runs, and when it waits for something."""
        return await self._step(work)

    def but_for(self, call: Callable[[T], Awaitable[R]]) -> Callable[[T], Awaitable[R]]:
        """Return `call`; who waits for it is not what kills the process meanwhile."""

        async def wait(asked: T) -> R:
            self._elsewhere += 1
            self._say()
            try:
                return await call(asked)
            finally:
                self._elsewhere -= 1
                self._say()

        return wait

    def _say(self) -> None:
        if self._works:
            self._note.work()
        elif self._elsewhere:
            self._note.clear()
        else:
            self._note.wait()

    @types.coroutine
    def _step(self, work: Coroutine[Any, Any, R]) -> Generator[Any, Any, R]:
        """Drive `work` from one of its waits to the next, as `await` does."""
        go: Callable[[Any], Any] = work.send
        given: Any = None
        while True:
            self._works = True
            self._note.work()
            try:
                waited_for = go(given)
            except StopIteration as end:
                result: R = end.value
                return result
            finally:
                self._works = False
                self._say()
            try:
                go, given = work.send, (yield waited_for)
            except GeneratorExit:
                work.close()
                raise
            except BaseException as error:  # noqa: BLE001  # it is thrown on, into `work`
                go, given = work.throw, error


class Isolation:
    """Lets who is suspected be alone: who dies with it then was killed by nobody else."""

    def __init__(self) -> None:
        self._inside = 0
        self._suspects = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def of(self, request: Request) -> "_Place":
        """Return a context that keeps suspects apart from all others; seeding is beside them all.

        Comes back when nobody is there whom that concerns.
        """
        if request.kind == "seed":
            return _Place(None, suspect=False)
        if self._suspects or request.suspect:
            await self._come_in(suspect=request.suspect)
        self._inside += 1
        return _Place(self, suspect=request.suspect)

    def leave(self, *, suspect: bool) -> None:
        """Let others come in."""
        self._inside -= 1
        if self._suspects:
            self._left(suspect=suspect)

    async def _come_in(self, *, suspect: bool) -> None:
        self._suspects += suspect
        try:
            while self._inside if suspect else self._suspects:
                await self._change()
        except BaseException:
            self._left(suspect=suspect)
            raise

    def _left(self, *, suspect: bool) -> None:
        self._suspects -= suspect
        while self._waiting:
            if not (waiting := self._waiting.popleft()).done():
                waiting.set_result(None)

    async def _change(self) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        await waiting


class _Place:
    """A request's block in an `Isolation`; no generator, for every request has one."""

    __slots__ = ("_isolation", "_suspect")

    def __init__(self, isolation: Isolation | None, *, suspect: bool) -> None:
        self._isolation = isolation
        self._suspect = suspect

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._isolation is not None:
            self._isolation.leave(suspect=self._suspect)

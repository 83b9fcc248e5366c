"""Requests whose callbacks may kill the process."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self, TypeVar

from crawler.errors import Crashed
from crawler.request import Request

T = TypeVar("T")
R = TypeVar("R")

_MOST_CRASHES = 3


def crash_of(request: Request) -> Crashed | None:
    """Return the failure of a request whose callback the process died in too often."""
    if request.crashes < _MOST_CRASHES:
        return None
    return Crashed(f"crashed the process {request.crashes} times", url=request.url)


class Mark:
    """A context in which a request's callback is noted as running, but for what it waits for.

    `running(request)` makes the note, for as long as it is entered.
    """

    def __init__(
        self, request: Request, running: Callable[[Request], AbstractContextManager[None]]
    ) -> None:
        self._request = request
        self._running = running
        self._note: AbstractContextManager[None] | None = None

    def __enter__(self) -> Self:
        self._set()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._clear()

    def but_for(self, call: Callable[[T], Awaitable[R]]) -> Callable[[T], Awaitable[R]]:
        """Return `call`; who waits for it is not what kills the process meanwhile."""

        async def wait(asked: T) -> R:
            self._clear()
            try:
                return await call(asked)
            finally:
                self._set()

        return wait

    def _set(self) -> None:
        # Set it may be: of two calls that are waited for at once, one has ended before.
        if self._note is None:
            self._note = self._running(self._request)
            self._note.__enter__()

    def _clear(self) -> None:
        if self._note is not None:
            note, self._note = self._note, None
            note.__exit__(None, None, None)

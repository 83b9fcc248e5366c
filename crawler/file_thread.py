"""One thread for one owner's files."""

from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from aiofiles.os import wrap

P = ParamSpec("P")
T = TypeVar("T")


def _call(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return work(*args, **kwargs)


# One for all: making one costs as much as going through it.
_hop = wrap(_call)


class _Executor(ThreadPoolExecutor):
    """One thread, and the calls that it has not ended."""

    def __init__(self, name: str) -> None:
        super().__init__(1, thread_name_prefix=name)
        self._calls: deque[Future[Any]] = deque()

    @property
    def is_idle(self) -> bool:
        """True if nothing is left to do; one that was cancelled may wait behind one that runs."""
        self._drop_ended()
        return not self._calls

    def submit(self, *args: Any, **kwargs: Any) -> "Future[Any]":
        """See `ThreadPoolExecutor.submit`."""
        call = super().submit(*args, **kwargs)
        self._drop_ended()
        self._calls.append(call)
        return call

    def _drop_ended(self) -> None:
        while self._calls and self._calls[0].done():
            self._calls.popleft()


class FileThread:
    """Runs file work off the event loop, in order, each call one aiofiles hop.

    The loop's default executor is shared with name resolution and has few threads; a slow disk
    there would hold up everything else.
    """

    def __init__(self, name: str) -> None:
        self._executor = _Executor(name)

    @property
    def rests(self) -> bool:
        """True if all that was asked of it is done: whoever asks may do as it would."""
        return self._executor.is_idle

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `work` returns; a cancelled call ends on its thread if it has begun."""
        hop: Callable[..., Awaitable[T]] = _hop
        return await hop(work, *args, executor=self._executor, **kwargs)

    def start(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Let `work` be done in its turn; nobody hears what became of it."""
        self._executor.submit(work, *args, **kwargs)

    def close(self) -> None:
        """Let the thread end after the work it has."""
        self._executor.shutdown(wait=False)

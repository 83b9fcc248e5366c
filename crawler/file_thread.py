"""One thread for one owner's files."""

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
    """One thread, whose last call is known."""

    last: "Future[Any] | None" = None

    def submit(self, *args: Any, **kwargs: Any) -> "Future[Any]":
        """See `ThreadPoolExecutor.submit`."""
        self.last = super().submit(*args, **kwargs)
        return self.last


class FileThread:
    """Runs file work off the event loop, in order, each call one aiofiles hop.

    The loop's default executor is shared with name resolution and has few threads; a slow disk
    there would hold up everything else.
    """

    def __init__(self, name: str) -> None:
        self._executor = _Executor(1, thread_name_prefix=name)

    @property
    def rests(self) -> bool:
        """True if all that was asked of it is done: whoever asks may do as it would."""
        return self._executor.last is None or self._executor.last.done()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `work` returns; a cancelled call still ends on its thread, in its turn."""
        hop: Callable[..., Awaitable[T]] = _hop
        return await hop(work, *args, executor=self._executor, **kwargs)

    def start(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Let `work` be done in its turn; nobody hears what became of it."""
        self._executor.submit(work, *args, **kwargs)

    def close(self) -> None:
        """Let the thread end after the work it has."""
        self._executor.shutdown(wait=False)

"""Threads for what takes long of a page's text."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """A few threads that begin when they are first wanted, and anew in a process that was forked.

    The loop's default executor is for what users do there: pages in a row would hold it up.
    """

    def __init__(self, number: int, name: str) -> None:
        self._number, self._name = number, name
        self._executor: ThreadPoolExecutor | None = None
        self._owner = 0

    def submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Have `work` called by a thread, in its turn."""
        if self._executor is None or self._owner != os.getpid():
            self._owner = os.getpid()
            self._executor = ThreadPoolExecutor(self._number, thread_name_prefix=self._name)
        return self._executor.submit(work, *args, **kwargs)

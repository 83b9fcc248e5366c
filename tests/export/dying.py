"""Processes that die in the middle of a write."""

import os
import signal
import traceback
from collections.abc import Callable
from typing import Any

_WHOLE = 8  # bytes that start at a multiple of 8 are of one page


def dies_at(byte: int, work: Callable[[Callable[[], None]], object]) -> bool:
    """Do some work in a process of its own, killed when it has written so many bytes.

    These are counted from when it calls what it is given. The kernel, too, leaves a write undone
    in its midst when a process is killed, but for one within a page. Returns False if the work
    ended before that.
    """
    child = os.fork()
    if child == 0:
        try:
            work(lambda: _arm(byte))
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(2)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _arm(byte: int) -> None:
    left = byte
    pwrite, ftruncate = os.pwrite, os.ftruncate

    def mortal(fd: int, data: Any, at: int) -> int:
        nonlocal left
        size = len(data)
        if size > left:
            pwrite(fd, memoryview(data)[: left if size > _WHOLE else 0], at)
            os.kill(os.getpid(), signal.SIGKILL)
        left -= size
        return pwrite(fd, data, at)

    def cutting(fd: int, length: int) -> None:
        nonlocal left
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        ftruncate(fd, length)

    os.pwrite, os.ftruncate = mortal, cutting

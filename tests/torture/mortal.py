"""Lets a process kill itself at named steps.

TORTURE_STEPS is STEP:ODDS, or several of them; TORTURE_MARKS is a folder in which a process leaves
its mark before it dies. Without them nothing happens.
"""

import os
import random
import re
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

_MARKS = os.environ.get("TORTURE_MARKS", "")
_ODDS = {
    step: float(odds)
    for step, _, odds in (one.partition(":") for one in os.environ.get("TORTURE_STEPS", "").split())
}
_draw = random.Random(f"{os.getpid()} {time.time_ns()}")
_LONGEST_COMMIT = 0.003

Call = Callable[..., Any]


def reached(step: str) -> None:
    """Die here if this is such a step, and the lot falls so."""
    if _lot(step):
        _die(step)


def arm() -> None:
    """Put the steps into the standard library, so that no crawler knows of them."""
    sqlite3.connect = sqlite3.dbapi2.connect = _connecting(sqlite3.connect)
    os.pwrite = _cut_short(os.pwrite, "within_write", r"\.jsonl")
    os.write = _cut_short(os.write, "within_body", r"\.part-\d+")
    os.replace = _between(os.replace, "rename")
    os.rename = _between(os.rename, "rename")
    os.unlink = os.remove = _between(os.unlink, "unlink")
    os.ftruncate = _cutting(os.ftruncate)


def _lot(step: str) -> bool:
    return step in _ODDS and _draw.random() < _ODDS[step]


def _die(step: str) -> None:
    mark = os.path.join(_MARKS, f"{step}-{os.getpid()}-{time.time_ns()}")
    os.close(os.open(mark, os.O_CREAT | os.O_WRONLY))
    os.kill(os.getpid(), signal.SIGKILL)


class _Connection(sqlite3.Connection):
    """A connection that hears of its commits."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._commits = False
        self.set_trace_callback(self._begins)

    def _begins(self, statement: str) -> None:
        """Hear of a statement before it is done; a commit is, when the next one begins."""
        if self._commits:
            reached("after_commit")
        self._commits = statement.lstrip()[:6].upper() == "COMMIT"
        if self._commits:
            reached("before_commit")
            if _lot("in_commit"):
                threading.Timer(_draw.random() * _LONGEST_COMMIT, _die, ["in_commit"]).start()


def _connecting(connect: Call) -> Call:
    def connecting(*args: Any, factory: type = sqlite3.Connection, **kwargs: Any) -> Any:
        return connect(*args, factory=type("Mortal", (_Connection, factory), {}), **kwargs)

    return connecting


def _cut_short(write: Call, step: str, ending: str) -> Call:
    """Return a write to a file of that name which may die when a part is written."""

    def writing(fd: int, data: Any, *at: int) -> Any:
        if step in _ODDS and re.search(f"{ending}$", _path(fd)) and _lot(step):
            write(fd, bytes(data)[: _draw.randrange(len(data) + 1)], *at)
            _die(step)
        return write(fd, data, *at)

    return writing


def _between(call: Call, name: str) -> Call:
    """Return a call whose last argument is a path, with a step before it and one after it.

    A body's step is another than that of a run's own files.
    """

    def calling(*args: Any, **kwargs: Any) -> Any:
        folder = kwargs.get("dst_dir_fd", kwargs.get("dir_fd"))  # pages are reached by folders
        path = os.path.join(_path(folder) if folder is not None else "", os.fsdecode(args[-1]))
        what = "body" if "/pages/" in path else "file"
        reached(f"before_{name}_{what}")
        result = call(*args, **kwargs)
        reached(f"after_{name}_{what}")
        return result

    return calling


def _cutting(cut: Call) -> Call:
    def cutting(fd: int, length: int) -> Any:
        is_shorter = os.fstat(fd).st_size > length
        if is_shorter:
            reached("before_truncate")
        cut(fd, length)
        if is_shorter:
            reached("after_truncate")

    return cutting


def _path(fd: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return ""

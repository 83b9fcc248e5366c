"""Other processes, as Linux shows them in /proc."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_TICK = 0.01


def lives(pid: int) -> bool:
    """True unless the process is gone, or only waits to be reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def children(pid: int) -> list[int]:
    """Return the processes that any thread of a process started."""
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def descendants(pid: int) -> list[int]:
    """Return the children of a process, theirs, and so on."""
    found: list[int] = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def command_of(pid: int) -> str:
    """Return a process's command line, "" if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def kill(pid: int) -> bool:
    """Kill a process; False if it was gone already."""
    lived = lives(pid)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return lived


def outlived(pids: Sequence[int], *, seconds: float) -> list[int]:
    """Wait until processes are gone; return, and kill, those that are not in time."""
    until = time.monotonic() + seconds
    while (left := [pid for pid in pids if lives(pid)]) and time.monotonic() < until:
        time.sleep(_TICK)
    for pid in left:
        kill(pid)
    return left

"""One crawl measured: seconds, CPU seconds and peak memory of a process and all it starts."""

import os
import subprocess
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path

import msgspec

_EVERY = 0.05
_LONGEST = 900.0
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Cost(msgspec.Struct, frozen=True):
    """What a crawl took; `peak_bytes` counts what its processes share once for each of them."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


class Lap(msgspec.Struct, frozen=True):
    """One crawl of one crawler in one round."""

    entry: str
    site: str
    round: int
    pages: int
    cost: Cost

    @property
    def pages_per_second(self) -> float:
        return self.pages / self.cost.seconds

    @property
    def core_share(self) -> float:
        """Cores it had: below 1 with much to do, others had them too."""
        return self.cost.cpu_seconds / self.cost.seconds

    @property
    def cpu_ms_per_page(self) -> float:
        return self.cost.cpu_seconds * 1000 / self.pages


def measure(
    command: Sequence[str],
    *,
    cores: Collection[int],
    folder: Path,
    statuses: Collection[int] = (0,),
) -> Cost:
    """Run a command on these cores, with `folder` as its home and its place for temporary files.

    Raises `SystemExit` with the end of its output when its exit status is none of `statuses`.
    """
    log = folder / "log"
    env = {**os.environ, "HOME": str(folder), "TMPDIR": str(folder)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # or each start compiles what it imports
    pinned = ["taskset", "-c", ",".join(map(str, sorted(cores))), *command]
    with log.open("wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(pinned, stdout=output, stderr=output, cwd=folder, env=env)
        watch = _Watch(process)
        watch.start()
        # wait4 gives what the process used and those of its descendants that were waited for.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    watch.join()
    if process.returncode not in statuses:
        tail = log.read_text(errors="replace")[-2000:]
        raise SystemExit(f"{' '.join(command[:3])} … ended with {process.returncode}:\n{tail}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, watch.peak_bytes)


class _Watch(threading.Thread):
    """Samples the memory of a process tree; ends a crawl that hangs.

    Not `ru_maxrss`: that of a child is never less than its parent's was when it was forked.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self._process = process
        self._deadline = time.monotonic() + _LONGEST

    def run(self) -> None:
        while rss := sum(map(_rss_bytes, _tree(self._process.pid))):
            self.peak_bytes = max(self.peak_bytes, rss, _high_water_bytes(self._process.pid))
            if time.monotonic() > self._deadline:
                self._process.kill()
            time.sleep(_EVERY)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        found = [Path(f"/proc/{pid}/task/{t}/children").read_text().split() for t in threads]
    except OSError:  # it, or one of its threads, has just ended
        return
    for child in chain.from_iterable(found):
        yield from _tree(int(child))


def _rss_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):  # it has just ended
        return 0


def _high_water_bytes(pid: int) -> int:
    """Return the most one process ever had: what falls between two samples is in it."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)

"""A crawl's processes: started, watched, killed."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Literal, NamedTuple, Self

from tests.torture import procfs

Mode = Literal["all", "one", "parent"]
MODES: tuple[Mode, ...] = ("all", "one", "parent")

ROOT = Path(__file__).parents[2]
SPIDER = f"{Path(__file__).with_name('spiders.py')}:Walker"
_OURS = ("CRAWLER_", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM")
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_GRACE = 20.0
"""Seconds in which workers have to see that their first process is gone."""


class Crawl(NamedTuple):
    """One crawl: its folder, and the command that starts it and goes on with it."""

    folder: Path
    words: tuple[str, ...]
    run: Path
    items: Path
    copy: Path | None = None

    @property
    def said(self) -> Path:
        """What all its processes wrote to standard error."""
        return self.folder / "stderr.txt"

    @classmethod
    def in_memory(cls, folder: Path, start: str) -> Self:
        """Return the crawl that all others are held against: never killed, nothing on disk."""
        items = folder / "items.jsonl"
        options = ("-s", "frontier=memory", "-s", f"output_dir={folder / 'output'}")
        words = ("run", SPIDER, "-a", f"start={start}", "-o", str(items), *options)
        return cls(folder, words, folder / "output", items)

    @classmethod
    def durable(cls, folder: Path, start: str, *, processes: int, options: tuple[str, ...]) -> Self:
        """Return a crawl that the same command goes on with, whatever happened to it."""
        run, items, copy = folder / "run", folder / "items.jsonl", folder / "items.json"
        where = ("--job", str(run), "-o", str(items), "-o", str(copy))
        workers = ("--processes", str(processes)) if processes > 1 else ()
        words = ("run", SPIDER, "-a", f"start={start}", *where, *workers, *options)
        return cls(folder, words, run, items, copy)


class Life:
    """A crawl's processes, from a start to their end; a context manager that ends them all.

    `under` are the words of a program that starts the crawl, and watches it.
    """

    def __init__(
        self, crawl: Crawl, env: Mapping[str, str] | None = None, *, under: Sequence[str] = ()
    ) -> None:
        crawl.folder.mkdir(parents=True, exist_ok=True)
        with crawl.said.open("ab") as said:
            self._process = subprocess.Popen(
                [*under, sys.executable, "-m", "crawler", *crawl.words],
                cwd=crawl.folder,
                env=_environment(env or {}),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                process_group=0,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  # one thread, and one system call
            )
        self.pid = self._process.pid
        self.outlived: list[int] = []
        """What lived on for too long after the first process was killed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            others = procfs.descendants(self.pid)
            self._end()
            self._process.wait()
            procfs.outlived(others, seconds=0)

    @property
    def status(self) -> int | None:
        """The exit status, None while it lives; that of a signal is 128 more, as shells say it."""
        status = self._process.poll()
        return 128 - status if status is not None and status < 0 else status

    def wait(self, seconds: float) -> int | None:
        """Return the exit status, or None if it still lives after so many seconds."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self.status

    def workers(self) -> list[int]:
        """Return the crawl's processes besides the first."""
        return [pid for pid in procfs.children(self.pid) if _is_worker(pid)]

    def kill(self, mode: Mode, draw: Random) -> Mode | None:
        """Kill all processes, one worker, or the first process; return which it was.

        Without workers they are all killed; None if it was over before.
        """
        workers = self.workers()
        if mode == "one" and workers:
            return mode if procfs.kill(draw.choice(workers)) else None
        if self._process.poll() is not None:
            return None
        mode = mode if workers else "all"
        others = procfs.descendants(self.pid)
        (self._process.kill if mode == "parent" else self._end)()
        for pid in others if mode == "all" else ():
            procfs.kill(pid)
        hit = self._process.wait() == -signal.SIGKILL
        self.outlived = procfs.outlived(others, seconds=_GRACE)
        return mode if hit else None

    def signal(self, number: signal.Signals, *, group: bool) -> None:
        """Send a signal to the first process, or as a terminal does, to all."""
        with suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.pid, number)

    def _end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


def _is_worker(pid: int) -> bool:
    # What Python itself starts beside the processes of `multiprocessing` is no worker.
    return procfs.lives(pid) and "resource_tracker" not in procfs.command_of(pid)


def _die_with_parent() -> None:
    """Let the kernel end the crawl when the driver is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return our own environment without what the command line minds."""
    own = {name: text for name, text in os.environ.items() if not name.startswith(_OURS)}
    return {**own, "PYTHONPATH": str(ROOT), **given}

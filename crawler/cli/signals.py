"""Ctrl-C and SIGTERM."""

import asyncio
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any

from crawler.cli.logs import NOTICES
from crawler.cli.units import counted
from crawler.export.standard_output import StandardOutput
from crawler.fleet import Fleet
from crawler.frontier.presence import pardon
from crawler.run import Run

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
_GRACE = 2.0
"""Seconds that whatever has to end gets before the process is ended around it."""


class Signals:
    """The first Ctrl-C or SIGTERM ends the crawl in good order, the second at once.

    Python's own handlers, not the loop's: those are deaf while a callback blocks the loop. What
    does not end in its time then (a callback that blocks, or that catches its own cancelling) ends
    with the process. `again` is the command line that goes on with the run.
    """

    def __init__(self, again: str = "") -> None:
        self._to_go_on = f"; to go on with it: {again}" if again else ""
        self.received: signal.Signals | None = None
        self._again = False
        self._over = False

    @contextmanager
    def watching(self, run: Run | Fleet) -> Iterator[None]:
        """Act on signals until the block ends."""
        loop = asyncio.get_running_loop()

        def hear(number: int, _frame: FrameType | None) -> None:
            if self.received is None:
                self.received = signal.Signals(number)
                self._first(run, loop)
            else:
                self._again = True
                end = partial(run.stop, self.received.name, at_once=True)
                loop.call_soon_threadsafe(end)
                _later(_GRACE, self._force, run)

        before: dict[int, Any] = {number: signal.signal(number, hear) for number in _SIGNALS}
        try:
            yield
        finally:
            self._over = True
            for number, handler in before.items():
                signal.signal(number, handler)
            if self._again:
                NOTICES.info("ended at once; %s", kept(run))
            if self.received is not None:
                _later(_GRACE, self._force, run)  # threads of the user's may still hold us

    def _first(self, run: Run | Fleet, loop: asyncio.AbstractEventLoop) -> None:
        assert self.received is not None
        seconds = run.settings.stop_seconds
        NOTICES.info(
            "stopping on %s: pages in hand get %g s to finish; once more ends at once",
            _NAMES[self.received],
            seconds,
        )
        loop.call_soon_threadsafe(run.stop, self.received.name)
        _later(seconds + _GRACE / 2, self._remind, run, loop)

    def _remind(self, run: Run | Fleet, loop: asyncio.AbstractEventLoop) -> None:
        """Say what is to do when pages do not end; end a crawl whose loop hears of nothing."""
        hears = threading.Event()
        with suppress(RuntimeError):  # a loop that is closed by now
            loop.call_soon_threadsafe(hears.set)
        if not self._over and not hears.wait(_GRACE / 2):
            self._force(run)
        if not self._over:
            NOTICES.info("pages in hand do not end; once more ends at once")

    def _force(self, run: Run | Fleet) -> None:
        """End the process; whole lines are in the files, since a write takes no such time."""
        assert self.received is not None
        words = f"crawl: ended by force, {_holding()} did not let go; {kept(run)}{self._to_go_on}\n"
        shows_cursor = "\x1b[?25h" if sys.stderr.isatty() else ""
        with suppress(OSError):
            os.write(2, (shows_cursor + words).encode(errors="replace"))
        pardon()
        os._exit(128 + self.received)


def kept(run: Run | Fleet) -> str:
    """Say what a crawl has kept so far, and where."""
    stats = run.stats
    return f"{counted(stats.pages, 'page')} and {counted(stats.items, 'item')} kept in {run.folder}"


def _later(seconds: float, call: Callable[..., None], *given: object) -> None:
    # A thread: the loop may be what does not let go. A daemon: the process need not wait for it.
    timer = threading.Timer(seconds, call, given)
    timer.daemon = True
    timer.start()


def _holding() -> str:
    """Name the line of user code that blocks the loop, if it is one."""
    running = sys._current_frames()
    if any(frame.f_code is StandardOutput.put.__code__ for frame in running.values()):
        return "whoever reads standard output"
    main = running.get(threading.main_thread().ident or 0)
    frames = traceback.extract_stack(main) if main is not None else []
    package = os.path.dirname(os.path.dirname(__file__))
    inside = [number for number, f in enumerate(frames) if f.filename.startswith(package)]
    after = frames[inside[-1] + 1 :] if inside else []
    if not after or "asyncio" in after[0].filename:
        return "a callback"
    deepest = [f for f in after if f.filename == after[0].filename][-1]
    return f"{os.path.basename(deepest.filename)}:{deepest.lineno}"

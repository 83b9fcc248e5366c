"""Runs what users wrote."""

import asyncio
import os
import sysconfig
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from traceback import FrameSummary, StackSummary, TracebackException
from typing import Any

from msgspec import Struct

from crawler.errors import CallbackError, CrawlerError, Signal
from crawler.words import one_line

_OURS = f"{Path(__file__).parent}{os.sep}"
_LIBRARIES = (
    "<frozen ",
    *(sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")),
)


class Raised(Struct, frozen=True):
    """An exception that left user code; `where` is its line there, `text` the traceback."""

    error: Exception
    where: str
    text: str

    @property
    def reason(self) -> str:
        """One line for people."""
        words = one_line(_words(self.error))
        if "'coroutine' object" in words:
            words += "; an await is missing"
        name = type(self.error).__name__
        return f"{name}: {words}{self.where}" if words else f"{name}{self.where}"


async def run_guarded(
    call: Callable[[], Awaitable[Any]], *, timeout: float | None = None
) -> Signal | Raised | None:
    """Await `call()`; return what it raised, as a value. Only this file catches everything.

    A bug in a callback, a step or a listener is its page's bad luck, never the crawl's end.
    """
    clock = None if timeout is None else asyncio.timeout(timeout)
    try:
        if clock is None:
            await call()
        else:
            async with clock:
                await call()
    except Signal as signal:
        return signal
    except asyncio.CancelledError as error:
        # One of the user's own tasks was cancelled, not this one: passed on it would end a worker
        # unseen, and the crawl would wait for its page for ever.
        if (task := asyncio.current_task()) is None or task.cancelling():
            raise
        cancelled = CallbackError("something it waited for was cancelled")
        return Raised(cancelled, _where(error), _text(error))
    except SystemExit as error:
        wrong = CallbackError("sys.exit ends no crawl; raise Stop does")
        return Raised(wrong, _where(error), _text(error))
    except Exception as error:  # noqa: BLE001  # user code may raise anything
        if clock is not None and clock.expired():
            late = CallbackError(f"took longer than callback_timeout, {timeout:g} s")
            return Raised(late, _where(error.__cause__ or error), "")
        return Raised(error, _where(error), _text(error))
    return None


def load_guarded(load: Callable[[], None]) -> Raised | None:
    """Call `load()`, which imports a user's file; return what it raised, as a value."""
    try:
        load()
    except Exception as error:  # noqa: BLE001  # a module's own code may raise anything
        return Raised(error, _where(error), _text(error))
    return None


def _words(error: Exception) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # an exception's own text is user code too
        return "its text cannot be shown"


def _where(error: BaseException) -> str:
    """Return ` (file.py:12)` for the deepest line of the user's own, or of a library of theirs."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not _is_ours(f)]
    own = [frame for frame in frames if not frame.filename.startswith(_LIBRARIES)] or frames
    return f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""


def _text(error: BaseException) -> str:
    """Return the traceback from the first line of the user's on.

    What lies below stays, for it may be our bug; but not for an error raised on purpose.
    """
    shown = TracebackException.from_exception(error)
    theirs = [frame for frame in shown.stack if not _is_ours(frame)]
    if theirs:
        whole = shown.stack[shown.stack.index(theirs[0]) :]
        shown.stack = StackSummary.from_list(theirs if isinstance(error, CrawlerError) else whole)
    return "".join(shown.format())


def _is_ours(frame: FrameSummary) -> bool:
    return frame.filename.startswith(_OURS)

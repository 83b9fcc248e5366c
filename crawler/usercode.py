"""Runs what users wrote."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct

from crawler.errors import CallbackError, Signal


class Raised(Struct, frozen=True):
    """An exception that left user code; `where` is its own line there, `text` the traceback."""

    error: Exception
    where: str
    text: str

    @property
    def reason(self) -> str:
        """One line for people."""
        words = " ".join(str(self.error).split())
        name = type(self.error).__name__
        return f"{name}: {words}{self.where}" if words else f"{name}{self.where}"


async def run_guarded(
    call: Callable[[], Awaitable[Any]], *, timeout: float | None = None
) -> Signal | Raised | None:
    """Await `call()`; return what it raised, as a value. Only this file catches everything.

    A bug in a callback, a step or a listener is its page's bad luck, never the crawl's end.
    """
    clock = asyncio.timeout(timeout)
    try:
        if timeout is None:
            await call()
        else:
            async with clock:
                await call()
    except Signal as signal:
        return signal
    except asyncio.CancelledError as error:
        # What awaits a task that was cancelled raises this too; nobody cancelled us then, and
        # passed on it would end our worker without a word.
        if (task := asyncio.current_task()) is None or task.cancelling():
            raise
        cancelled = CallbackError("something it waited for was cancelled")
        return Raised(cancelled, _where(error), "".join(traceback.format_exception(error)))
    except Exception as error:  # noqa: BLE001  # user code may raise anything
        if clock.expired():
            late = CallbackError(f"took longer than callback_timeout, {timeout:g} s")
            return Raised(late, "", "")
        return Raised(error, _where(error), "".join(traceback.format_exception(error)))
    return None


def load_guarded(load: Callable[[], None]) -> Raised | None:
    """Call `load()`, which imports a user's file; return what it raised, as a value."""
    try:
        load()
    except Exception as error:  # noqa: BLE001  # a module's own code may raise anything
        return Raised(error, "", "".join(traceback.format_exception(error)))
    return None


def _where(error: BaseException) -> str:
    """Return ` (file.py:12)` for the deepest line outside this package."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/crawler/" not in frame.filename.replace("\\", "/")]
    if not own:
        return ""
    return f" ({own[-1].filename.rpartition('/')[2]}:{own[-1].lineno})"

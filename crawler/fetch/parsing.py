"""Large documents are parsed off the loop."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from crawler.protocols import Fetch, Note
from crawler.request import Request
from crawler.response import Response

# A hop to a thread is worth it for a millisecond of parsing, if a core is there to do it: pages of
# python3-doc are crawled 1.13 to 1.16 times as fast then, and at 0.94 on one core. There only what
# would hold the loop up for 10 ms is parsed in between.
_LARGE = 100_000
_HUGE = 1_000_000
_MOST_THREADS = 2


class ParseLayer:
    """Parses large HTML in threads before the callback asks for it; an async context manager.

    `processes`: how many share the cores; `cores`: how many, where that is not to be found out.
    Lexbor parses without the GIL: 1.7 MB take 90 ms, in which the loop is never away for more than
    the switch interval of 5 ms. `note(request)` says so meanwhile: a parser may crash too.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        note: Callable[[Request], Note],
        processes: int = 1,
        cores: int | None = None,
    ) -> None:
        self._fetch = fetch
        spare = (cores or _cores()) - processes
        self._large = _LARGE if spare > 0 else _HUGE
        self._note = note
        # One tree more that waits for its turn may be 100 MB.
        threads = max(1, min(spare, _MOST_THREADS))
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="parse")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, request: Request) -> Response:
        """Fetch `request`; a large HTML page comes back parsed."""
        response = await self._fetch(request)
        if request.kind == "page" and len(response.body) > self._large and response.is_html:
            note = self._note(request)
            note.work()
            try:
                await asyncio.get_running_loop().run_in_executor(self._threads, _parse, response)
            except BaseException:
                response.release()
                raise
            finally:
                note.clear()
        return response


def _cores() -> int:
    """Return how many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _parse(response: Response) -> None:
    _ = response.tree  # kept by the response

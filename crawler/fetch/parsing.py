"""Large documents are parsed off the loop."""

import asyncio
import os
from collections.abc import Callable
from contextlib import ExitStack
from threading import Thread

from crawler.ceiling import CEILING
from crawler.protocols import Fetch, Note
from crawler.request import Request
from crawler.response import Response

# A hop to a thread is worth it for a millisecond of parsing, if a core is there to do it: pages of
# python3-doc are crawled 1.13 to 1.16 times as fast then, and at 0.94 on one core. There only what
# would hold the loop up for 10 ms is parsed in between: a bomb of 1 MB holds it up for 45 s.
_LARGE = 100_000
_LARGE_ALONE = 300_000
_HUGE_TEXT = 1_000_000
_MOST_THREADS = 2
# 10 MB of links, more than `html_bytes` lets through, take 0.5 s.
_LONGEST = 10.0
_MOST_STUCK = 4
# 2 MB that are no bomb take 0.1 s; a bomb takes 1 GB a second.
_LATE = 0.25
_MORE_BYTES = 256_000_000
# What nobody waits for any more may go on for minutes, in which all else wants memory too.
_STUCK_BYTES = 1_000_000_000


class ParseLayer:
    """Decodes and parses large documents in threads before the callback asks for it.

    `processes`: how many share the cores; `cores`: how many, where that is not to be found out.
    Lexbor parses without the GIL: 1.7 MB take 90 ms, in which the loop is never away for more than
    the switch interval of 5 ms. `note(request)` says so meanwhile: a parser may crash too. What is
    not parsed after `longest` seconds goes unparsed. Nobody can end its thread, which holds up no
    other page, nor the end of the process; where four go on so, no large page is parsed. One that
    takes a quarter of a second is refused more memory than 256 MB, and goes unparsed as well; the
    process of one that goes on is kept from growing by more than 1 GB until it ends.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        note: Callable[[Request], Note],
        processes: int = 1,
        cores: int | None = None,
        longest: float = _LONGEST,
    ) -> None:
        self._fetch = fetch
        spare = (cores or _cores()) - processes
        self._large = _LARGE if spare > 0 else _LARGE_ALONE
        self._note = note
        self._longest = longest
        # One tree more that waits for its turn may be 100 MB.
        self._turns = asyncio.Semaphore(max(1, min(spare, _MOST_THREADS)))
        self._stuck = 0

    async def __call__(self, request: Request) -> Response:
        """Fetch `request`; a large HTML page comes back parsed, a huge text decoded."""
        response = await self._fetch(request)
        if request.kind != "page" or not self._takes_long(response):
            return response
        try:
            async with self._turns:
                await self._parse(request, response)
        except BaseException:
            response.release()
            raise
        return response

    def _takes_long(self, response: Response) -> bool:
        size = len(response.body)
        if size <= self._large:
            return False
        # 10 MB of garbage take 3 s in some encodings.
        return response.is_html or (size > _HUGE_TEXT and response.is_text)

    async def _parse(self, request: Request, response: Response) -> None:
        if self._stuck >= _MOST_STUCK:
            response.leave_unparsed()
            return
        loop = asyncio.get_running_loop()
        parsed: asyncio.Future[None] = loop.create_future()
        ceiling = ExitStack()

        def end() -> None:
            ceiling.close()
            if parsed.cancelled():
                self._stuck -= 1
            else:
                parsed.set_result(None)

        def run() -> None:
            try:
                response.prepare()
            finally:
                try:
                    loop.call_soon_threadsafe(end)
                except RuntimeError:  # the loop is closed
                    ceiling.close()

        note = self._note(request)
        note.work()
        try:
            Thread(target=run, name="parse", daemon=True).start()
            async with asyncio.timeout(self._longest):
                await asyncio.wait([parsed], timeout=_LATE)
                if not parsed.done():
                    ceiling.enter_context(CEILING.held(_MORE_BYTES))
                    await asyncio.wait([parsed])
        except RuntimeError:  # the system gives no thread, or no memory for it
            response.leave_unparsed()
        except BaseException as error:
            if parsed.cancel():
                self._stuck += 1
                ceiling.close()
                ceiling.enter_context(CEILING.held(_STUCK_BYTES))
            if not isinstance(error, TimeoutError):
                raise
            response.leave_unparsed()
        finally:
            note.clear()


def _cores() -> int:
    """Return how many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

"""Large documents are parsed off the loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from crawler.protocols import Fetch, Note
from crawler.request import Request
from crawler.response import Response

_LARGE = 100_000  # some 5 ms; less is not worth a hop to a thread
_THREADS = 2


class ParseLayer:
    """Parses large HTML in threads before the callback asks for it; an async context manager.

    Lexbor parses without the GIL: 1.7 MB take 90 ms, in which the loop is never away for more than
    the switch interval of 5 ms. `note(request)` says so meanwhile: a parser may crash too.
    """

    def __init__(self, fetch: Fetch, *, note: Callable[[Request], Note]) -> None:
        self._fetch = fetch
        self._note = note
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="parse")

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
        if request.kind == "page" and len(response.body) > _LARGE and response.is_html:
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


def _parse(response: Response) -> None:
    _ = response.tree  # kept by the response

"""What `page.fetch` calls."""

import asyncio
from collections import OrderedDict
from weakref import WeakValueDictionary

import msgspec
from msgspec import structs

from crawler.errors import CrawlerError, LeasesLost, RunError, TargetError
from crawler.outcome import Saved
from crawler.protocols import Fetch
from crawler.request import Request
from crawler.response import Response

_ENDS = (LeasesLost, RunError, TargetError)
"""What comes up through `page.fetch` and is no failure of the page: the crawl cannot go on."""

_MOST_FILES = 10_000


class Shelf:
    """The files that callbacks have awaited: who awaits one of them has it at once.

    Many items may show the same picture. Two that await one at the same time ask for it once.
    """

    def __init__(self) -> None:
        self._files: OrderedDict[bytes, Saved] = OrderedDict()
        self._locks: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    async def take(self, request: Request, fetch: Fetch) -> Saved:
        """Return the file that `request` is for."""
        key = msgspec.msgpack.encode((request.url, request.jar, request.saving))
        async with self._locks.setdefault(key, asyncio.Lock()):
            if not request.again and (found := self._files.get(key)):
                self._files.move_to_end(key)
                return structs.replace(found, page=request.parent, before=True)
            page = await fetch(request)
            page.release()
            assert page.media is not None, "what is no file is a FetchError"
            media = structs.replace(page.media, url=request.url)
            saved = self._files[key] = Saved(media, final=page.url, page=request.parent)
            if len(self._files) > _MOST_FILES:
                self._files.popitem(last=False)
            return saved


class PageFetch:
    """Serves `fetch` of a page while its callback runs, and of what was fetched so.

    No closure, which would hold itself: such garbage cost 12 µs a page to find and collect.
    """

    __slots__ = ("_ended", "_fetch", "_fetched", "_shelf", "saved")

    def __init__(self, fetch: Fetch, *, shelf: Shelf) -> None:
        self._fetch = fetch
        self._shelf = shelf
        self._fetched: list[Response] = []
        self.saved: list[Saved] = []
        """The files that the callback awaited."""
        self._ended: CrawlerError | None = None

    async def __call__(self, request: Request) -> Response:
        """Fetch `request`, and keep the response until the end."""
        try:
            if request.kind == "media":
                return await self._bring(request)
            response = await self._fetch(request)
        except _ENDS as error:
            self._ended = self._ended or error
            raise
        self._fetched.append(response)
        response.attach(self)
        return response

    async def _bring(self, request: Request) -> Response:
        saved = await self._shelf.take(request, self._fetch)
        self.saved.append(saved)
        response = Response(saved.final, request=request)
        response.media = saved.media
        return response

    def end(self, page: Response) -> None:
        """Let go what was fetched, if it is not kept with its `page`.

        Raises what ends the crawl, whatever the callback made of it.
        """
        for response in self._fetched:
            response.detach()
            if response.exchanges:
                page.fetched += (response,)
            else:
                response.release()
        if self._ended is not None:
            raise self._ended

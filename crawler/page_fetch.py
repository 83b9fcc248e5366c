"""What `page.fetch` calls."""

from crawler.errors import CrawlerError, LeasesLost, RunError, TargetError
from crawler.protocols import Fetch
from crawler.request import Request
from crawler.response import Response

_ENDS = (LeasesLost, RunError, TargetError)
"""What comes up through `page.fetch` and is no failure of the page: the crawl cannot go on."""


class PageFetch:
    """Serves `fetch` of a page while its callback runs, and of what was fetched so.

    No closure, which would hold itself: such garbage cost 12 µs a page to find and collect.
    """

    __slots__ = ("_ended", "_fetch", "_fetched")

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._fetched: list[Response] = []
        self._ended: CrawlerError | None = None

    async def __call__(self, request: Request) -> Response:
        """Fetch `request`, and keep the response until the end."""
        try:
            response = await self._fetch(request)
        except _ENDS as error:
            self._ended = self._ended or error
            raise
        self._fetched.append(response)
        response.attach(self)
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

"""What robots.txt forbids is not asked."""

from crawler.protocols import Fetch
from crawler.request import Request
from crawler.response import Response
from crawler.rules.book import RobotsBook


class RobotsLayer:
    """Refuses what robots.txt forbids, before anything is asked of the site.

    Sits below redirects, so that every hop is judged. Raises `RobotsDenied`, `RobotsUnreachable`.
    """

    def __init__(self, fetch: Fetch, *, book: RobotsBook) -> None:
        self._fetch = fetch
        self._book = book

    async def __call__(self, request: Request) -> Response:
        """Fetch `request` if its host lets us; robots.txt itself always may be asked for."""
        if request.kind != "robots" and (refusal := self._book.check(request.url)):
            raise refusal
        return await self._fetch(request)

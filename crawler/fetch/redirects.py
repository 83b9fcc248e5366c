"""Follow redirects on one host."""

import sys
from collections.abc import Collection, Container
from contextlib import ExitStack

from crawler import urls
from crawler.errors import RedirectError, TooLongUrl
from crawler.exchange import Exchange
from crawler.protocols import Fetch
from crawler.request import Request
from crawler.response import Response
from crawler.rules.hops import FOR_ORIGIN, hop

# RFC 9309 2.3.1.2: at least five; with more of them there is no robots.txt.
_MOST_OF_ROBOTS = 5


class RedirectLayer:
    """Follows redirects that stay on their host, and those of robots.txt to any host.

    A page's redirect to another host is returned as it is: `rules.hops.hop` makes a request of it,
    which waits for that host's turn. The last response has the first request (and what was `asked`
    in the end), the URLs that led to it and the seconds of all. Statuses in `statuses` are wanted
    by the user and not followed; headers in `secret` stay with their origin. Raises `RedirectError`
    after `max_redirects` hops (5 for robots.txt), and when they lead in a loop; `TooLongUrl` when a
    page's lead to a URL longer than `url_bytes`.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        max_redirects: int,
        statuses: Collection[int] = (),
        secret: Container[str] = FOR_ORIGIN,
        url_bytes: int = sys.maxsize,
    ) -> None:
        self._fetch = fetch
        self._most = max_redirects
        self._longest = url_bytes
        self._wanted = frozenset(statuses)
        self._secret = secret

    async def __call__(self, request: Request) -> Response:
        """Fetch `request`, and what it redirects to."""
        response = await self._fetch(request)
        if (target := self._next(request, response)) is None:
            return response
        led: list[str] = []
        seen = {_identity(request)}
        seconds = 0.0
        with ExitStack() as kept:
            exchanges: tuple[Exchange, ...] = ()
            while target is not None:
                exchanges += response.exchanges
                kept.callback(response.release) if response.exchanges else response.release()
                led.append(response.url)
                seconds += response.seconds
                if "Set-Cookie" in response.headers:
                    seen.clear()  # with a new cookie the same URL may answer differently
                self._judge(target, led, seen)
                response = await self._fetch(target)
                asked, target = target, self._next(target, response)
            if exchanges:
                response.follows(exchanges, kept.pop_all().close)
        response.request, response.asked = request, asked
        response.redirects = tuple(led)
        response.seconds += seconds
        return response

    def _next(self, request: Request, response: Response) -> Request | None:
        if request.kind == "robots":
            return hop(response, secret=self._secret)
        target = None if response.status in self._wanted else hop(response, secret=self._secret)
        if target is None:
            return None
        return target if urls.host_of(target.url) == urls.host_of(response.url) else None

    def _judge(self, target: Request, led: list[str], seen: set[tuple[str, str]]) -> None:
        most = _MOST_OF_ROBOTS if target.kind == "robots" else self._most
        if len(led) > most:
            raise RedirectError(f"more than {most} redirects", url=led[0])
        if len(target.url) > self._longest and target.kind != "robots":
            reason = f"leads to a URL of {len(target.url):,} bytes, more than {self._longest:,}"
            raise TooLongUrl(reason, url=led[0])
        if _identity(target) in seen:
            raise RedirectError("redirects lead in a loop", url=led[0])
        seen.add(_identity(target))


def _identity(request: Request) -> tuple[str, str]:
    return request.method, request.url

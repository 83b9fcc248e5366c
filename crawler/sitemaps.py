"""What sitemaps bring, in chunks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from crawler.callbacks import Callbacks
from crawler.outcome import Outcome, Verdict
from crawler.parse.sitemaps import Listing
from crawler.request import Request, link_request
from crawler.response import Response
from crawler.rules.robots import Robots
from crawler.rules.sitemaps import SitemapRules

log = logging.getLogger(__name__)

# A commit of so many found URLs takes some 10 ms, in which the loop may have to wait.
_CHUNK = 1_000


class Sitemaps:
    """Reads sitemaps, feeds and robots.txt in a thread, and puts what they list as they go on.

    One that is cut off is read again from its beginning: what is known falls out.
    """

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks
        self._rules = callbacks.sitemap_rules
        # A sitemap may have 50 MB, and the default executor is everybody's.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="sitemaps")

    def close(self) -> None:
        """End the thread."""
        self._reader.shutdown(wait=False, cancel_futures=True)

    async def read(self, page: Response, *, put: Callable[[Outcome], Awaitable[None]]) -> Outcome:
        """Return the end of what the sitemap lists; all before it is `put` by then."""
        reading = _Reading(page, rules=self._rules)
        chunk = await self._next(reading)
        while True:
            outcome = self._outcome(page, chunk, old=reading.taken_old())
            chunk = await self._next(reading)
            if not chunk:
                outcome.page = page
                outcome.counts |= {"sitemaps": 1, **_judged(page, reading)}
                return outcome
            outcome.verdict = Verdict.PARTIAL
            await put(outcome)

    async def _next(self, reading: "_Reading") -> list[Request]:
        return await asyncio.get_running_loop().run_in_executor(self._reader, reading.chunk)

    def _outcome(self, page: Response, listed: list[Request], *, old: int) -> Outcome:
        """Judge what is listed. A robots.txt vouches for sitemaps of other hosts."""
        outcome = self._callbacks.listed(page, [one for one in listed if one.kind == "page"])
        counts = outcome.counts
        if old:
            counts["sitemap_since"] = old
        for sitemap in (one for one in listed if one.kind == "sitemap"):
            refused = None
            if not is_robots(page):
                refused = self._callbacks.scope.refusal(sitemap.url)
            refused = refused or self._rules.refusal(page.url, depth=sitemap.depth)
            if refused is None:
                outcome.found = [*outcome.found, sitemap]
            else:
                counts[refused] = counts.get(refused, 0) + 1
        return outcome


def _judged(page: Response, reading: "_Reading") -> dict[str, int]:
    """Return what a sitemap that was read to its end has wrong; a broken one is told of."""
    counts = {"invalid_urls": reading.invalid} if reading.invalid else {}
    if reading.fault is not None:
        log.warning("sitemap is broken (%s): %s", reading.fault, page.url)
        counts["sitemaps_broken"] = 1
    return counts


class _Reading:
    """Makes requests of a sitemap's entries; its methods run in a thread.

    After the last chunk, `fault` and `invalid` are those of the `Listing`.
    """

    def __init__(self, page: Response, *, rules: SitemapRules) -> None:
        self._page = page
        self._rules = rules
        self._old = 0
        self.fault: str | None = None
        self.invalid = 0
        self._requests = self._robots() if is_robots(page) else self._listing()

    def chunk(self) -> list[Request]:
        return list(islice(self._requests, _CHUNK))

    def taken_old(self) -> int:
        """Return how many entries were too old since the last call."""
        old, self._old = self._old, 0
        return old

    def _robots(self) -> Iterator[Request]:
        named = Robots.parse(self._page.body).sitemaps
        if not named:
            self.fault = "it names no sitemap"
        return map(self._sitemap, named)

    def _listing(self) -> Iterator[Request]:
        listing = Listing(self._page.body, self._page.url)
        for entry in listing:
            if not self._rules.is_new_enough(entry):
                self._old += 1
            elif listing.kind == "index":
                yield self._sitemap(entry.url)
            else:
                # Depth 0: what a sitemap lists is a beginning, as a seed is.
                yield link_request(
                    url=entry.url, callback=self._page.request.callback, parent=self._page.url
                )
        self.fault, self.invalid = listing.fault, listing.invalid

    def _sitemap(self, url: str) -> Request:
        asked = self._page.request
        return link_request(
            url=url,
            kind="sitemap",
            callback=asked.callback,
            parent=self._page.url,
            depth=asked.depth + (not is_robots(self._page)),
        )


def is_robots(page: Response) -> bool:
    """True for a robots.txt, wherever redirects led to it."""
    return any(
        url.partition("?")[0].endswith("/robots.txt") for url in (page.request.url, page.url)
    )

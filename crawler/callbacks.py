"""Calls the spider, and collects what it yields."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from msgspec import structs

from crawler import urls
from crawler.errors import (
    CallbackError,
    Drop,
    FetchError,
    InvalidUrl,
    ItemError,
    Retry,
    Signal,
    SpiderError,
)
from crawler.fitness import Call, callbacks_of, check_parts, check_seeds, prepare, too_long
from crawler.items import ItemKinds, ItemLine, is_item
from crawler.outcome import Failure, Outcome, Verdict
from crawler.page_fetch import PageFetch
from crawler.parse.forms import Form
from crawler.parse.links import Link
from crawler.parse.nodes import Element
from crawler.protocols import Fetch
from crawler.request import Request
from crawler.response import Response
from crawler.rules.scope import Scope
from crawler.rules.sitemaps import SitemapRules
from crawler.seeding import Chunks, Put, Watch
from crawler.settings import Settings
from crawler.sieve import Sieve
from crawler.spider import Spider, tally
from crawler.usercode import Raised, run_guarded
from crawler.yielding import drive, nonsense

_DEFAULTS = Settings()


class Callbacks:
    """Runs a spider's callbacks; each run gives one `Outcome`, whole or empty.

    Raises `SpiderError` at once for callbacks that could never be called, `SettingError` for a
    `sitemap_since` that is no date.
    """

    def __init__(
        self,
        spider: Spider[Any],
        *,
        scope: Scope,
        settings: Settings = _DEFAULTS,
    ) -> None:
        check_seeds(spider, url_bytes=scope.url_bytes)
        check_parts(spider)
        self.spider = spider
        self.scope = scope
        self.seeded = [scope.add_seed]
        """Whoever hears the URL of every seed."""
        self.sitemap_rules = SitemapRules(settings)
        self.sieve = Sieve(duplicates=settings.duplicates, soft_404=settings.soft_404)
        self.kinds = ItemKinds(spider.item_types)
        self._timeout = settings.callback_timeout
        self.calls = {name: prepare(spider, name) for name in callbacks_of(spider)}

    def require(self, name: str) -> Call:
        """Return the callback of that name. Raises `CallbackError` if the spider has none."""
        call = self.calls.get(name)
        if call is None:
            try:
                call = self.calls[name] = prepare(self.spider, name)
            except SpiderError as error:
                raise CallbackError(str(error)) from None
        return call

    async def deliver(self, page: Response, *, fetch: Fetch, copy_of: str | None = None) -> Outcome:
        """Call the callback that the page's request names; `fetch` serves `page.fetch`.

        `copy_of` is the URL of a page that may take this one's place, as in `Outcome`. A page that
        the sieve keeps back is not shown to it. What ends the crawl is raised here, whatever the
        callback made of it.
        """
        sifted = None if self.sieve.is_idle else await self.sieve.sift(page, fetch=fetch)
        if sifted is not None and sifted.verdict is not None:
            return Outcome(page.request, sifted.verdict, page=page, counts=dict(sifted.counts))
        found = _Found(self, request=page.request, page=page)
        fetching = PageFetch(fetch)

        def call() -> Awaitable[None]:
            return drive(self.require(page.request.callback)(page), found.take)

        page.attach(fetching)
        ended = await self._run(call, found, timeout=self._timeout)
        page.detach()
        fetching.end(page)
        outcome = self._outcome(ended, found)
        if sifted is not None:
            if sifted.likeness is not None:
                self.sieve.settle(copy_of or page.url, sifted.likeness, outcome.verdict)
            if outcome.verdict is not Verdict.RETRY:
                outcome.counts |= sifted.counts
        return outcome

    async def report(self, failure: Failure) -> Outcome:
        """Tell the spider's `on_error` of a request that failed; it may yield like a callback."""
        request = failure.request
        page = failure.response or Response(request.url, request=request, status=0)
        found = _Found(self, request=request, page=page)

        def call() -> Awaitable[None]:
            return drive(self.spider.on_error(failure), found.take)

        ended = await self._run(call, found, timeout=self._timeout)
        outcome = self._outcome(ended, found, name="on_error")
        outcome.page, outcome.delivered = failure.response, False
        if outcome.verdict is not Verdict.RETRY:
            outcome.verdict = Verdict.FAILED
            outcome.failures = [failure, *outcome.failures]
        return outcome

    async def seed(
        self, request: Request, *, put: Put, stopping: asyncio.Event, watch: Watch
    ) -> Outcome | None:
        """Run `start()` and the sitemaps; put what they yield in chunks, return the end of it.

        Items count at the end only: a seeding that is cut off runs again from its beginning.
        Returns None if the crawl is stopped meanwhile: `start()` is cancelled where it waits.
        """
        found = _Found(self, request=request, page=None)
        chunks = Chunks(request, found.requests, put=put)

        async def take(value: object) -> None:
            found.take(value)
            await chunks.grown()

        async def call() -> None:
            await drive(self.spider.start(), take)
            for url in self.spider.sitemaps:
                await take(Request(url, kind="sitemap"))

        async with asyncio.TaskGroup() as group:
            seeding = group.create_task(watch(self._run(call, found, timeout=None)))
            flushing = group.create_task(chunks.flush_slow_ones())
            stopped = group.create_task(stopping.wait())
            stopped.add_done_callback(lambda _: seeding.cancel())
            seeding.add_done_callback(lambda _: chunks.end())
            await asyncio.wait([seeding, flushing])
            stopped.cancel()
        return None if seeding.cancelled() else self._outcome(seeding.result(), found)

    def listed(self, page: Response, pages: Sequence[Request]) -> Outcome:
        """Take requests for what a sitemap lists."""
        found = _Found(self, request=page.request, page=page)
        found.take(pages)
        return Outcome(page.request, Verdict.DONE, found=found.requests, counts=found.counts)

    async def _run(
        self, call: Callable[[], Awaitable[None]], found: "_Found", *, timeout: float | None
    ) -> Signal | Raised | None:
        token = tally.set(found.counts)
        try:
            return await run_guarded(call, timeout=timeout)
        finally:
            tally.reset(token)

    def _outcome(
        self, ended: Signal | Raised | None, found: "_Found", *, name: str | None = None
    ) -> Outcome:
        """Turn a run's end into an outcome: all it found, or nothing."""
        request, page = found.request, found.page
        if isinstance(ended, Raised):
            reason = _reason(ended)
            name = name or request.callback
            self.spider.log.error("%s failed: %s: %s\n%s", name, reason, request.url, ended.text)
            failure = Failure(request, "callback", reason, response=page)
            return Outcome(request, Verdict.FAILED, page=page, delivered=True, failures=[failure])
        if isinstance(ended, Retry):
            return Outcome(request, Verdict.RETRY, page=page, signal=ended)
        if isinstance(ended, Drop):
            counts = {f"dropped.{ended.reason or 'page'}": 1}
            return Outcome(request, Verdict.DROPPED, page=page, counts=counts)
        return Outcome(
            request,
            Verdict.DONE,
            items=found.items,
            found=found.requests,
            page=page,
            delivered=page is not None,
            failures=found.failures,
            counts=found.counts,
            signal=ended,
        )


class _Found:
    """What one run of user code yields: items, requests in scope, bad items, counters."""

    def __init__(self, callbacks: Callbacks, *, request: Request, page: Response | None) -> None:
        self._callbacks = callbacks
        self.request = request
        self.page = page
        self.items: list[ItemLine] = []
        self.requests: list[Request] = []
        self.failures: list[Failure] = []
        self.counts: dict[str, int] = {}
        self.seeded_again = 0

    def take(self, value: object) -> None:
        """Sort one yielded value. Raises `CallbackError` for what is none of the known things."""
        if isinstance(value, Request):
            self._take_request(value)
        elif isinstance(value, list | tuple):
            self._take_several(value)
        elif is_item(value) and not isinstance(value, Link | Element | Form):
            self._take_item(value)
        elif value is not None:
            raise CallbackError(nonsense(value))

    def _take_several(self, values: Sequence[object]) -> None:
        """Take each; most often they are requests for pages of one host, which is in scope."""
        scope, calls, append = self._callbacks.scope, self._callbacks.calls, self.requests.append
        has_page = self.page is not None
        surely, longest = scope.surely, scope.url_bytes
        for value in values:
            if (
                isinstance(value, Request)
                and value.url.startswith(surely)
                and len(value.url) <= longest
                and value.depth
                and value.callback in calls
                and has_page
            ):
                append(value)
            else:
                self.take(value)
                surely = scope.surely

    def _take_item(self, item: object) -> None:
        try:
            self.items.append(self._callbacks.kinds.check(item))
        except ItemError as error:
            self.failures.append(Failure(self.request, "item", str(error)))

    def _take_request(self, request: Request) -> None:
        self._callbacks.require(request.callback)
        scope = self._callbacks.scope
        # Only a copy made past `Request.replace` can be such; in the frontier it would be a crash.
        if not request.url.startswith(urls.SCHEMES) or request.url.count("/") < 3:
            raise InvalidUrl(request.url, "a request's url must be a whole URL")
        if "@" in request.url and (url := urls.without_credentials(request.url)) != request.url:
            request = structs.replace(request, url=url)
        if self.page is None:
            if len(request.url) > scope.url_bytes:
                raise CallbackError(too_long(request.url, scope.url_bytes))
            for seeded in self._callbacks.seeded:
                seeded(request.url)
            if request.again:
                self.seeded_again += 1
                request = structs.replace(request, seeded=self.seeded_again)
        elif not request.depth and self.request.kind != "sitemap":
            request = structs.replace(
                request, depth=self.page.depth + 1, parent=request.parent or self.page.url
            )
        refused = scope.refusal(request.url, depth=request.depth)
        if refused is None:
            self.requests.append(request)
        else:
            self.counts[refused] = self.counts.get(refused, 0) + 1


def _reason(ended: Raised) -> str:
    """Name the URL that `page.fetch` failed for: it is not the page's own."""
    url = ended.error.url if isinstance(ended.error, FetchError) else ""
    return f"{ended.reason}: {url}" if url else ended.reason

"""What a worker makes of one request."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from random import random

from msgspec import structs

from crawler.callbacks import Callbacks, read_sitemap
from crawler.errors import (
    FetchError,
    HostGivenUp,
    Retry,
    RobotsDenied,
    StatusError,
    UnwantedType,
)
from crawler.outcome import Failure, Outcome, Verdict
from crawler.protocols import Clock, Fetch
from crawler.request import Request
from crawler.response import Response
from crawler.rules.book import notes_of
from crawler.rules.hops import hop
from crawler.rules.pacing import retry_after, retry_in
from crawler.settings import Settings

_ASK_LATER = frozenset({429, 503})
"""Statuses by which a whole host, not one page, asks for peace."""


def is_transient(status: int) -> bool:
    """True if asking again may bring another answer."""
    return status in (408, 429) or status >= 500


class _AskedAgain(FetchError):
    """The spider raised Retry."""

    kind = "retry"
    transient = True


class Visits:
    """Fetches a request, judges the answer, calls the spider: one `Outcome` a visit.

    `freed(request)` is called as soon as the body is in: the host's slot is free then, however long
    the callback takes. `rest(host, until)` hears that a host wants peace.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        fetch: Fetch,
        callbacks: Callbacks,
        clock: Clock,
        freed: Callable[[Request], None],
        rest: Callable[[str, float], None],
    ) -> None:
        self._settings = settings
        self._fetch = fetch
        self._callbacks = callbacks
        self._clock = clock
        self._freed = freed
        self._rest = rest
        self._given_up: dict[str, str] = {}

    async def seed(
        self,
        request: Request,
        *,
        put: Callable[[Outcome], Awaitable[None]],
        stopping: asyncio.Event,
    ) -> Outcome | None:
        """Run the seeding; None if the crawl stopped meanwhile."""
        outcome = await self._callbacks.seed(request, put=put, stopping=stopping)
        if outcome is not None and isinstance(outcome.signal, Retry):
            return self._once_more(outcome, outcome.signal)
        return outcome

    async def visit(self, request: Request, *, errand: Fetch) -> Outcome:
        """Return all that came of one request; `errand` serves `page.fetch`."""
        answer = await self.ask(request)
        if request.kind == "robots":
            return self._robots(request, answer)
        if isinstance(answer, RobotsDenied | UnwantedType):
            return await self._leave_out(request, answer)
        if isinstance(answer, FetchError):
            return await self._failed(request, answer)
        if (target := hop(request, answer)) and not self.is_wanted(answer.status):
            return await self._elsewhere(request, answer, target)
        if not self.is_wanted(answer.status):
            return await self._failed(request, self._refusal(answer), page=answer)
        if request.kind == "sitemap":
            return await self._sitemap(answer)
        outcome = await self._callbacks.deliver(answer, fetch=errand)
        if isinstance(outcome.signal, Retry):
            outcome = self._once_more(outcome, outcome.signal)
            if outcome.verdict is Verdict.FAILED:
                return await self._tell(outcome.failures[0])
        return outcome

    async def ask(self, request: Request) -> Response | FetchError:
        """Fetch, and free the host's slot; the failure is a value."""
        try:
            if reason := self._given_up.get(request.host):
                return HostGivenUp(reason, url=request.url)
            return await self._fetch(request)
        except FetchError as error:
            return error
        finally:
            self._freed(request)

    def judge(self, answer: Response | FetchError) -> Response | FetchError:
        """Return an answer that nobody wants as the failure it is."""
        if isinstance(answer, FetchError) or self.is_wanted(answer.status):
            return answer
        if hop(answer.request, answer):
            return answer
        answer.release()
        return self._refusal(answer)

    def retry_wait(self, request: Request, error: FetchError) -> float | None:
        """Return the seconds until a failed request may be asked again, None to give up."""
        transient = (
            is_transient(error.status) if isinstance(error, StatusError) else error.transient
        )
        retries = self._settings.retries if request.retries is None else request.retries
        if not transient or request.attempt > retries:
            return None
        backoff = self._settings.backoff
        return retry_in(request.attempt, backoff=backoff, asked=error.retry_after, random=random)

    def is_wanted(self, status: int) -> bool:
        """True for a status that callbacks get."""
        return 200 <= status < 300 or status in self._settings.statuses

    def _refusal(self, page: Response) -> StatusError:
        asked = retry_after(page.headers.get("Retry-After"), self._clock())
        return StatusError(
            _status_line(page.status), status=page.status, url=page.url, retry_after=asked
        )

    def _robots(self, request: Request, answer: Response | FetchError) -> Outcome:
        """Make the host's notes of what it answered; ask again if that may help."""
        error = answer if isinstance(answer, FetchError) else None
        page = answer if isinstance(answer, Response) else None
        if page is not None and is_transient(page.status):
            error = self._refusal(page)
        if error is not None and (wait := self.retry_wait(request, error)) is not None:
            wait = min(wait, self._settings.max_wait)
            return Outcome(request, Verdict.RETRY, page=page, wait=self._clock() + wait)
        notes = notes_of(page, error, self._settings.user_agent)
        outcome = Outcome(request, Verdict.DONE, page=page, notes=notes, counts={"robots": 1})
        if (notes.crawl_delay or 0.0) > self._settings.max_wait:
            outcome.gives_up = f"its robots.txt asks for {notes.crawl_delay:g} s between requests"
            self._given_up[request.host] = outcome.gives_up
        return outcome

    async def _leave_out(self, request: Request, error: RobotsDenied | UnwantedType) -> Outcome:
        """Count what is not wanted: no failure. `on_error` hears what robots.txt forbids."""
        outcome = Outcome(request, Verdict.DROPPED)
        if isinstance(error, RobotsDenied):
            outcome = await self._callbacks.report(Failure(request, error.kind, str(error)))
            outcome.verdict, outcome.failures = Verdict.DROPPED, outcome.failures[1:]
        outcome.counts[error.kind] = outcome.counts.get(error.kind, 0) + 1
        return outcome

    async def _failed(
        self, request: Request, error: FetchError, *, page: Response | None = None
    ) -> Outcome:
        """Ask again if that may help; else it is a failure, which the spider hears of."""
        wait = self.retry_wait(request, error)
        status = page.status if page is not None else None
        if wait is not None and wait <= self._settings.max_wait:
            outcome = Outcome(request, Verdict.RETRY, page=page, wait=self._clock() + wait)
            if error.retry_after is not None or status in _ASK_LATER:
                self._rest(request.host, outcome.wait)
            return outcome
        failure = Failure(request, error.kind, str(error), status=status, response=page)
        outcome = await self._tell(failure)
        if wait is not None:
            outcome.gives_up = f"it asks for a rest of {wait:,.0f} s"
            self._given_up[request.host] = outcome.gives_up
        return outcome

    async def _tell(self, failure: Failure) -> Outcome:
        """Tell the spider of a failure; it may ask for the request once more."""
        outcome = await self._callbacks.report(failure)
        if isinstance(outcome.signal, Retry):
            outcome = self._once_more(outcome, outcome.signal)
            if outcome.verdict is Verdict.FAILED:
                outcome.failures = [failure]
        return outcome

    def _once_more(self, outcome: Outcome, signal: Retry) -> Outcome:
        """Queue a page again because its callback said so, as often as `retries` allows."""
        request = outcome.request
        reason = signal.reason or "the callback asked for it again"
        error = _AskedAgain(reason, url=request.url, retry_after=signal.after)
        wait = self.retry_wait(request, error)
        if wait is not None:
            outcome.wait = self._clock() + wait
            return outcome
        failure = Failure(request, error.kind, reason, response=outcome.page)
        return Outcome(request, Verdict.FAILED, page=outcome.page, failures=[failure])

    async def _elsewhere(self, request: Request, page: Response, target: Request) -> Outcome:
        """Make a redirect to another host a request of its own, which waits for its turn there."""
        scope = self._callbacks.scope
        if request.depth == 0:
            scope.add_seed(target.url)
        outcome = Outcome(request, Verdict.DONE, page=page, counts={"redirected": 1})
        refused = scope.refusal(target.url, depth=request.depth)
        if request.hops >= self._settings.max_redirects:
            reason = f"more than {self._settings.max_redirects} redirects"
            failure = Failure(request, "redirect", reason, status=page.status, response=page)
            return await self._tell(failure)
        if refused:
            outcome.counts[refused] = 1
        else:
            outcome.found = [
                structs.replace(target, id=0, attempt=1, crashes=0, hops=request.hops + 1)
            ]
        return outcome

    async def _sitemap(self, page: Response) -> Outcome:
        entries = await asyncio.to_thread(read_sitemap, page)
        return self._callbacks.sitemap(page, entries)


def _status_line(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"

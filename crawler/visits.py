"""What a worker makes of one request."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from msgspec import structs

from crawler.callbacks import Callbacks
from crawler.errors import (
    AddressRefused,
    FetchError,
    Retry,
    RobotsDenied,
    RobotsUnreachable,
    StatusError,
    TooLongUrl,
    UnwantedType,
)
from crawler.outcome import Failure, Outcome, Verdict
from crawler.patience import Patience, is_transient
from crawler.poison import Mark, crash_of, is_killed_by_telling
from crawler.protocols import Clock, Fetch, Note
from crawler.request import Request
from crawler.response import Response
from crawler.rules.book import lasting, notes_of
from crawler.rules.credentials import secret_names
from crawler.rules.hops import hop, onward
from crawler.rules.pacing import crawl_delay_of, retry_after
from crawler.rules.wishes import Wishes, heed
from crawler.settings import Settings
from crawler.sitemaps import Sitemaps
from crawler.turns import Turns

_UNWANTED = (RobotsDenied, UnwantedType, TooLongUrl)


class _AskedAgain(FetchError):
    """The spider raised Retry."""

    kind = "retry"
    transient = True


class Visits:
    """Fetches a request, judges the answer, calls the spider: one `Outcome` a visit.

    A host's slot is free as soon as the body is in, however long the callback takes.
    `note(request)` says what a request does while it is in the hands of parser and spider;
    `in_step()` lets other visits catch up.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        fetch: Fetch,
        callbacks: Callbacks,
        clock: Clock,
        turns: Turns,
        note: Callable[[Request], Note],
        in_step: Callable[[], Awaitable[None]],
        put: Callable[[Outcome], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._fetch = fetch
        self._callbacks = callbacks
        self._clock = clock
        self._turns = turns
        self.patience = Patience(settings, clock=clock, turns=turns)
        self._note = note
        self._in_step = in_step
        self._secret = secret_names(settings)
        self._put = put
        self._sitemaps = Sitemaps(callbacks)
        self._wishes = Wishes(settings, scope=callbacks.scope)

    def close(self) -> None:
        """End the thread that reads sitemaps."""
        self._sitemaps.close()

    async def seed(self, request: Request, *, stopping: asyncio.Event) -> Outcome | None:
        """Run the seeding; None if the crawl stopped meanwhile."""
        if (crash := crash_of(request)) is not None:
            failure = Failure(request, crash.kind, f"start() {crash}")
            return Outcome(request, Verdict.FAILED, failures=[failure])
        with Mark(self._note(request)) as mark:
            put = mark.but_for(self._put)
            seeding = self._callbacks.seed(request, put=put, stopping=stopping, watch=mark.watch)
            outcome = await seeding
        if outcome is not None and isinstance(outcome.signal, Retry):
            return self._once_more(outcome, outcome.signal)
        return outcome

    async def visit(self, request: Request, *, errand: Fetch) -> Outcome:
        """Return all that came of one request; `errand` serves `page.fetch`."""
        answer = await self.ask(request)
        if isinstance(answer, Response) and request.redirects:
            answer.redirects = (*request.redirects, *answer.redirects)
        await self._in_step()
        with Mark(self._note(request)) as mark:
            return await mark.watch(self._judged(request, answer, errand, mark))

    async def _judged(
        self, request: Request, answer: Response | FetchError, errand: Fetch, mark: Mark
    ) -> Outcome:
        if request.kind == "robots":
            return self._robots(request, answer)
        if isinstance(answer, _UNWANTED) and not _is_missed(request, answer):
            return await self._leave_out(request, answer)
        if isinstance(answer, FetchError):
            return await self._failed(request, answer)
        is_wanted = self.is_wanted(answer.status)
        if target := onward(answer, is_wanted=is_wanted, secret=self._secret):
            return await self._elsewhere(request, answer, target)
        if not _is_brought(request, answer) or not is_wanted:
            return await self._failed(request, self._refusal(answer), page=answer)
        if request.kind == "sitemap":
            return await self._sitemaps.read(answer, put=mark.but_for(self._put))
        if request.kind == "media":
            outcome = await self._callbacks.bring(answer)
        else:
            wishes = self._wishes.of(answer)
            outcome = await self._callbacks.deliver(
                answer, fetch=mark.but_for(errand), copy_of=wishes[1]
            )
            heed(outcome, *wishes)
        if isinstance(outcome.signal, Retry):
            outcome = self._once_more(outcome, outcome.signal)
            if outcome.verdict is Verdict.FAILED:
                return await self._tell(outcome.failures[0])
        return outcome

    async def ask(self, request: Request) -> Response | FetchError:
        """Fetch, and free the host's slot; the failure is a value."""
        refusal = crash_of(request) or self.patience.refusal(request)
        if refusal is not None:
            self._turns.freed(request, tried=False)
            return refusal
        tried, asked = False, self._clock()
        try:
            answer: Response | FetchError = await self._fetch(request)
        except FetchError as error:
            tried = not isinstance(error, AddressRefused | RobotsDenied | RobotsUnreachable)
            answer = error
        finally:
            self._turns.freed(request, tried=tried)
        self.patience.hear(request, answer, asked=asked)
        return answer

    def judge(self, answer: Response | FetchError) -> Response | FetchError:
        """Return an answer that nobody wants as the failure it is."""
        if isinstance(answer, FetchError):
            return answer
        if self.is_wanted(answer.status) and _is_brought(answer.request, answer):
            return answer
        if hop(answer):
            return answer
        answer.release()
        return self._refusal(answer)

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
        gives_up = self.patience.heed(request, error) if error is not None else ""
        if error is not None and not gives_up:
            wait = self.patience.retry_wait(request, error)
            if wait is not None:
                return Outcome(request, Verdict.RETRY, page=page, wait=self._clock() + wait)
        notes = lasting(notes_of(page, error, self._settings.user_agent), self._clock())
        outcome = Outcome(request, Verdict.DONE, page=page, notes=notes, counts={"robots": 1})
        outcome.gives_up = gives_up
        delay = crawl_delay_of(self._settings, notes)
        if delay is not None and delay > self._settings.max_wait:
            reason = f"its robots.txt asks for {notes.crawl_delay:g} s between requests"
            outcome.gives_up = self.patience.give_up(request.host, reason)
        return outcome

    async def _leave_out(self, request: Request, error: FetchError) -> Outcome:
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
        request = structs.replace(request, attempt=1) if error.went_on else request
        gives_up = self.patience.heed(request, error)
        wait = self.patience.retry_wait(request, error)
        if wait is not None and not gives_up:
            return Outcome(request, Verdict.RETRY, page=page, wait=self._clock() + wait)
        status = page.status if page is not None else None
        failure = Failure(request, error.kind, str(error), status=status, response=page)
        outcome = await self._tell(failure)
        outcome.gives_up = gives_up
        return outcome

    async def _tell(self, failure: Failure) -> Outcome:
        """Tell the spider of a failure; it may ask for the request once more."""
        if is_killed_by_telling(failure.request):
            return Outcome(failure.request, Verdict.FAILED, failures=[failure])
        outcome = await self._callbacks.report(failure)
        if isinstance(outcome.signal, Retry):
            outcome = self._once_more(outcome, outcome.signal)
            if outcome.verdict is Verdict.FAILED:
                outcome.failures = [failure]
        return outcome

    def _once_more(self, outcome: Outcome, signal: Retry) -> Outcome:
        """Queue a page again because its callback said so, as often as `retries` allows."""
        request, page = outcome.request, outcome.page
        reason = signal.reason or "the callback asked for it again"
        error = _AskedAgain(reason, url=request.url, retry_after=signal.after)
        wait = self.patience.retry_wait(request, error)
        if wait is not None:
            outcome.wait = self._clock() + wait
            return outcome
        failure = Failure(request, error.kind, reason, response=page)
        return Outcome(request, Verdict.FAILED, page=page, failures=[failure])

    async def _elsewhere(self, request: Request, page: Response, target: Request) -> Outcome:
        """Make a redirect to another host a request of its own, which waits for its turn there."""
        scope = self._callbacks.scope
        if not request.depth and not request.parent:
            scope.add_seed(target.url)
        outcome = Outcome(request, Verdict.DONE, page=page, counts={"redirected": 1})
        refused = scope.refusal(target.url, depth=request.depth)
        if len(request.redirects) >= self._settings.max_redirects:
            reason = f"more than {self._settings.max_redirects} redirects"
            failure = Failure(request, "redirect", reason, status=page.status, response=page)
            return await self._tell(failure)
        if refused:
            outcome.counts[refused] = 1
        else:
            led = (*page.redirects, page.url)  # with those of other hosts before
            outcome.found = [
                structs.replace(
                    target,
                    id=0,
                    attempt=1,
                    crashes=0,
                    suspect=False,
                    redirects=led,
                    # Back where it came from, with a cookie now, it is a known URL, and wanted;
                    # so is what a form led to.
                    again=request.again or target.url in led or request.method != "GET",
                )
            ]
        return outcome


def _is_brought(request: Request, answer: Response) -> bool:
    """True unless a file was asked for, and none came."""
    return request.kind != "media" or answer.media is not None


def _is_missed(request: Request, error: FetchError) -> bool:
    """True if a file was asked for by name: that it is another is no page left out."""
    return request.kind == "media" and isinstance(error, UnwantedType)


def _status_line(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"

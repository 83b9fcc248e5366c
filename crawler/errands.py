"""Fetches from inside callbacks."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import ExitStack
from typing import Any, Protocol, TypeVar

from msgspec import structs

from crawler import urls
from crawler.errors import FetchError, HostGivenUp, RedirectError
from crawler.exchange import Exchange
from crawler.outcome import HostLease, Outcome, Verdict
from crawler.protocols import Clock, Frontier
from crawler.request import Request, link_request
from crawler.response import Response
from crawler.rules.credentials import secret_names
from crawler.rules.hops import onward
from crawler.settings import Settings
from crawler.turns import Turns
from crawler.visits import Visits

T = TypeVar("T")


class Patiently(Protocol):
    """Does something that writes; waits a while if there is no room for it just now."""

    async def __call__(self, write: Callable[[], Awaitable[T]]) -> T: ...  # noqa: D102


class Errands:
    """What `page.fetch` does: the same politeness, robots.txt and retries, at once.

    The worker that waits for an errand makes it itself, so errands never wait for workers. `put`
    takes outcomes to the committer; `spawn` owns the request for an unknown host's robots.txt.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        frontier: Frontier,
        turns: Turns,
        visits: Visits,
        clock: Clock,
        patiently: Patiently,
        put: Callable[[Outcome], Coroutine[Any, Any, None]],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._settings = settings
        self._frontier = frontier
        self._turns = turns
        self._visits = visits
        self._patience = visits.patience
        self._clock = clock
        self._patiently = patiently
        self._put = put
        self._spawn = spawn
        self._secret = secret_names(settings)

    async def fetch(self, request: Request) -> Response:
        """Return what `request` brings, redirects followed to any host. Raises `FetchError`."""
        led: list[str] = []
        target: Request | None = request
        exchanges: tuple[Exchange, ...] = ()
        with ExitStack() as kept:
            while target is not None:
                page = await self._ask(target)
                led.extend(page.redirects)
                page.redirects = tuple(led)
                target = None
                is_wanted = self._visits.is_wanted(page.status)
                if to := onward(page, is_wanted=is_wanted, secret=self._secret):
                    led.append(page.url)
                    exchanges += page.exchanges
                    kept.callback(page.release) if page.exchanges else page.release()
                    target = structs.replace(to, attempt=1)
                if len(led) > self._settings.max_redirects:
                    raise RedirectError("too many redirects", url=request.url)
            if exchanges:
                page.follows(exchanges, kept.pop_all().close)
        page.request = request
        return page

    async def lend(self, wish: int, lease: HostLease) -> None:
        """Let another process ask a host of ours, when its turn comes here."""
        request = link_request(url=f"http://{lease.host}/")
        granted = structs.replace(request, id=-1)
        try:
            async with self._patience.in_hope(request):
                granted = await self._turns.grant(lease, request)
            await self._patiently(lambda: self._frontier.lend(wish))
            self._turns.freed(granted)
        except HostGivenUp:
            await self._patiently(lambda: self._frontier.refuse(wish))
        finally:
            self._spawn(self._put(Outcome(granted, Verdict.DONE)))

    async def _ask(self, request: Request) -> Response:
        """Ask once a host, and again as long as that may help."""
        while True:
            lease = await self._lease(request)
            granted, answer = await self._made(lease, request)
            # Its host's next time and pages have to reach the frontier too.
            outcome = Outcome(granted, Verdict.DONE, counts={"errands": 1})
            if isinstance(answer, Response):
                is_page = request.kind == "page"
                outcome.delivered = is_page and self._visits.is_wanted(answer.status)
                await self._put(outcome)
                return answer
            outcome.gives_up = self._patience.heed(request, answer)
            await self._put(outcome)
            wait = self._patience.retry_wait(request, answer)
            if wait is None or outcome.gives_up or self._patience.is_parked(request.host):
                raise answer
            async with self._patience.in_hope(request):
                await asyncio.sleep(wait)
            request = structs.replace(request, attempt=request.attempt + 1)

    async def _made(
        self, lease: HostLease, request: Request
    ) -> tuple[Request, Response | FetchError]:
        """Make a request when its turn comes; one that is cancelled lets its host go."""
        granted = structs.replace(request, id=-1)
        ended = False
        try:
            async with self._patience.in_hope(request):
                granted = await self._turns.grant(lease, request)
            answer = self._visits.judge(await self._visits.ask(granted))
            ended = True
        finally:
            if not ended:
                self._spawn(self._put(Outcome(granted, Verdict.DONE)))
        return granted, answer

    async def _lease(self, request: Request) -> HostLease:
        """Return the request's host, its robots.txt known. Raises `HostGivenUp`."""
        self._patience.check(request)
        while True:
            (lease,) = await self._patiently(lambda: self._frontier.lease(0, host=request.host))
            if lease.alone:
                raise HostGivenUp(lease.alone, url=request.url)
            if lease.notes is not None:
                return lease
            # Not made here: the callback may be cancelled, and others wait for it as well.
            if robots := self._turns.take_over(lease, urls.origin_of(request.url)):
                self._spawn(self._ask_robots(lease, *robots))
            async with self._patience.in_hope(request):
                await self._turns.known(request.host)

    async def _ask_robots(self, lease: HostLease, request: Request, due: float) -> None:
        while True:
            await asyncio.sleep(max(0.0, due - self._clock()))
            granted = await self._turns.grant(lease, request)
            outcome = await self._visits.visit(granted, errand=self.fetch)
            if outcome.verdict is not Verdict.RETRY:
                await self._put(outcome)
                return
            if outcome.page is not None:
                outcome.page.release()
            request, due = structs.replace(request, attempt=request.attempt + 1), outcome.wait

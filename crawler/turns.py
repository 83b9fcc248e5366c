"""Lets requests go when their hosts may be asked."""

import asyncio
from collections.abc import Iterable
from itertools import count

from msgspec import structs

from crawler.outcome import HostLease, HostNotes, Outcome
from crawler.protocols import Clock
from crawler.request import Request, link_request
from crawler.rules.book import RobotsBook
from crawler.rules.pacer import Pacer
from crawler.rules.pacing import Pace, pace_of
from crawler.settings import Settings

_NO_PACE = Pace(0.0, 1)


class _Turn:
    """An errand that waits in its host's queue like a request, but ahead of it."""

    __slots__ = ("granted", "host", "id")

    def __init__(self, number: int, host: str) -> None:
        self.id = number
        self.host = host
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Turns:
    """The hosts at hand: their leased requests, their pace, and what their robots.txt said.

    `hungry` is set while no request may go, so that more hosts should be leased.
    """

    def __init__(self, settings: Settings, *, clock: Clock, book: RobotsBook) -> None:
        self._settings = settings
        self._clock = clock
        self._book = book
        self._pacer: Pacer[Request | _Turn] = Pacer()
        self._own_ids = count(-1, -1)  # of requests that no frontier numbered
        self._changed = asyncio.Event()
        self.hungry = asyncio.Event()

    def pace(self, host: str, notes: HostNotes | None) -> Pace:
        """Return how fast a host may be asked."""
        if not host:
            return _NO_PACE
        delay = notes.crawl_delay if notes is not None else None
        return pace_of(
            delay=self._settings.delay, per_host=self._settings.per_host, crawl_delay=delay
        )

    def admit(self, leases: Iterable[HostLease]) -> None:
        """Take leased hosts in. One without notes gets a request for its robots.txt first."""
        for lease in leases:
            requests = lease.requests
            if lease.notes is None:
                requests = [self.robots_request(lease.origin)]
            else:
                self._book.learn(lease.host, lease.notes)
            pace = self.pace(lease.host, lease.notes)
            self._pacer.admit(lease.host, requests, pace=pace, due=lease.due)
        self.hungry.clear()
        self._changed.set()

    def readmit(self, outcome: Outcome) -> None:
        """Take a robots.txt request in again, which no frontier holds, for `outcome.wait`."""
        if outcome.page is not None:
            outcome.page.release()
        request = structs.replace(outcome.request, attempt=outcome.request.attempt + 1)
        pace = self.pace(request.host, None)
        self._pacer.push(request.host, request, pace=pace, due=outcome.wait)
        self._changed.set()

    async def next(self) -> Request:
        """Return the next request that may go now; waits until there is one."""
        while True:
            self._changed.clear()
            ticket = self._pacer.take(self._clock())
            if isinstance(ticket, Request):
                return ticket
            if ticket is None:
                self.hungry.set()
                await self._until(self._pacer.next_due())
            elif ticket.granted.cancelled():
                self._end(ticket)
            else:
                ticket.granted.set_result(None)

    async def grant(self, lease: HostLease, request: Request) -> Request:
        """Wait for a turn on a leased host, ahead of its queue; return the request to make then.

        The turn ends with `freed(request)`.
        """
        if lease.notes is not None:
            self._book.learn(lease.host, lease.notes)
        turn = _Turn(next(self._own_ids), lease.host)
        self._pacer.push(lease.host, turn, pace=self.pace(lease.host, lease.notes), due=lease.due)
        self._changed.set()
        began = False
        try:
            await turn.granted
            began = True
        finally:
            if not began and turn.granted.done() and not turn.granted.cancelled():
                self._end(turn)  # cancelled in the moment it was granted
        return structs.replace(request, id=turn.id)

    def robots_request(self, origin: str) -> Request:
        """Return the request for the robots.txt of scheme://host."""
        return link_request(url=f"{origin}/robots.txt", kind="robots", id=next(self._own_ids))

    def sent(self, request: Request) -> None:
        """Hear that a request went out on the wire: its host rests from now."""
        self._pacer.sent(request.host, request.id, self._clock())
        self._changed.set()

    def freed(self, request: Request) -> None:
        """Hear that an answer is in: its host's slot is free."""
        self._end(request)

    def rest(self, host: str, until: float) -> None:
        """Leave a host in peace until then."""
        self._pacer.rest(host, until)

    def due(self, host: str) -> float:
        """Return when a host may next be asked (clock seconds)."""
        return self._pacer.due(host)

    def forget(self, host: str) -> None:
        """Drop a host that nothing waits for and nothing is under way to."""
        if self._pacer.forget(host):
            self._book.forget(host)

    def _end(self, ticket: Request | _Turn) -> None:
        self._pacer.finished(ticket.host, ticket.id)
        self._changed.set()

    async def _until(self, due: float | None) -> None:
        """Wait for a change, or until the next request is due."""
        try:
            async with asyncio.timeout(None if due is None else max(0.0, due - self._clock())):
                await self._changed.wait()
        except TimeoutError:
            return

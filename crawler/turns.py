"""Lets requests go when their hosts may be asked."""

import asyncio
from collections.abc import Callable, Iterable
from itertools import count

from msgspec import structs

from crawler.errors import FetchError
from crawler.lookups import LookUp, Lookups
from crawler.manners import Change, Manners
from crawler.outcome import HostLease, HostNotes, Outcome
from crawler.protocols import Clock
from crawler.request import Request, link_request
from crawler.response import Response
from crawler.rules.book import RobotsBook
from crawler.rules.pacer import Pacer
from crawler.rules.pacing import Pace, crawl_delay_of, pace_at
from crawler.settings import Settings
from crawler.tickets import ErrandTurn, RobotsAsk


class Turns:
    """The hosts at hand: their leased requests, their pace, and what their robots.txt said.

    `hungry` is set while more hosts should be leased: no request may go, or soon none is at hand.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        book: RobotsBook,
        slowed: Callable[[str, float], None] = lambda host, delay: None,  # noqa: ARG005
        parked: Callable[[str, str], None] = lambda host, why: None,  # noqa: ARG005
        look_up: LookUp | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._book = book
        self.manners = Manners(settings, clock=clock, slowed=slowed, parked=parked)
        """How the hosts at hand are treated, for whoever writes that down."""
        self._lookups: Lookups | None = None
        at_address: Pace | None = None
        if look_up is not None and settings.per_ip is not None:
            self._lookups = Lookups(look_up, clock=clock, admit=self.admit)
            at_address = Pace(settings.delay, settings.per_ip)
        self._pacer: Pacer[Request | ErrandTurn] = Pacer(at_address=at_address)
        self._own_ids = count(-1, -1)  # of requests that no frontier numbered
        self._robots: dict[str, RobotsAsk] = {}
        self._changed = asyncio.Event()
        self._waiting_errands = 0
        self._changed_for_errands = asyncio.Event()
        self.hungry = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many requests at hand wait for nothing but their hosts."""
        return self._pacer.waiting

    def pace(self, notes: HostNotes) -> Pace:
        """Return how fast a host with such notes may be asked, all being well."""
        return pace_at(self._settings, crawl_delay_of(self._settings, notes))

    def admit(self, leases: Iterable[HostLease]) -> None:
        """Take leased hosts in. One without notes gets a request for its robots.txt first."""
        self.add(leases if self._lookups is None else self._lookups.sift(leases))
        self.hungry.clear()
        self._changed.set()  # if none of them may go now, whoever takes says so once more
        self.wake()

    def add(self, leases: Iterable[HostLease]) -> None:
        """Take leased hosts in, for a caller that goes on with `take`."""
        for lease in leases:
            self._locate(lease.host)
            requests = lease.requests
            if lease.notes is None:
                requests = self._first_request(lease)
            else:
                self._book.learn(lease.host, lease.notes)
            pace = self.manners.take(lease.host, lease.notes, lease.slots, lease.delay)
            self._pacer.admit(lease.host, requests, pace=pace, due=lease.due)

    def readmit(self, outcome: Outcome) -> None:
        """Take a robots.txt request in again, which no frontier holds, for `outcome.wait`."""
        if outcome.page is not None:
            outcome.page.release()
        request = structs.replace(outcome.request, attempt=outcome.request.attempt + 1)
        self._robots[request.host].put_off(request, outcome.wait)
        pace = self.manners.pace(request.host)
        self._locate(request.host)
        self._pacer.admit(request.host, [request], pace=pace, due=outcome.wait)
        self.wake()

    async def find_addresses(self) -> None:
        """Take in hosts whose addresses are to be found first, for as long as the crawl runs."""
        if self._lookups is not None:
            await self._lookups.run()

    async def next(self) -> Request:
        """Return the next request that may go now; waits until there is one."""
        while True:
            self._changed.clear()
            if (request := self.take()) is not None:
                return request
            await _wait(self._changed, self._seconds_to(self._pacer.next_due()))

    def take(self) -> Request | None:
        """Return the next request that may go now, if there is one."""
        request = self._pacer.take(self._clock())
        waiting = self._pacer.waiting
        if (request is None or waiting < self._settings.concurrency) and (
            self._lookups is None or self._lookups.has_room(waiting)
        ):
            self.hungry.set()
        return request if isinstance(request, Request) else None

    def begins(self, request: Request) -> bool:
        """True if whoever got `request` is to make it now.

        An errand may have taken its turn, so that it waits for another, or taken it over.
        """
        in_turn = self._pacer.begin(request.host, request)
        if request.kind == "robots":
            ask = self._robots.get(request.host)
            if ask is None or ask.begun:
                self._take_back(request, in_turn=in_turn)
                return False
            ask.begun = in_turn
        if not in_turn:
            self.wake()
        return in_turn

    async def grant_errands(self) -> None:
        """Let errands go when their hosts may be asked, for as long as the crawl runs.

        Beside `next`, whose caller may be waiting for a worker, which may be waiting for an errand.
        """
        while True:
            self._changed_for_errands.clear()
            turn = self._pacer.take_ahead(self._clock())
            if not isinstance(turn, ErrandTurn):
                due = self._pacer.next_due_ahead()
                await _wait(self._changed_for_errands, self._seconds_to(due))
            elif turn.granted.cancelled():
                self._end(turn)
            else:
                turn.granted.set_result(None)

    async def grant(self, lease: HostLease, request: Request) -> Request:
        """Wait for a turn on a leased host, ahead of its queue; return the request to make then.

        The turn ends with `freed(request)`.
        """
        if self._lookups is not None:
            await self._lookups.find(lease.host)
            self._locate(lease.host)
        if lease.notes is not None:
            self._book.learn(lease.host, lease.notes)
        turn = ErrandTurn(next(self._own_ids), lease.host)
        pace = self.manners.take(lease.host, lease.notes, lease.slots, lease.delay)
        self._pacer.push(lease.host, turn, pace=pace, due=lease.due)
        self._waiting_errands += 1
        self.wake()
        began = False
        try:
            await turn.granted
            began = True
        finally:
            self._waiting_errands -= 1
            if not began and turn.granted.done() and not turn.granted.cancelled():
                self._end(turn)  # cancelled in the moment it was granted
        return structs.replace(request, id=turn.id)

    def take_over(self, lease: HostLease, origin: str) -> tuple[Request, float] | None:
        """Return the request for a host's robots.txt, and when, if the caller is to make it.

        None: somebody makes it already. A worker's own may wait for that worker for ever, if all
        workers wait for errands to this host.
        """
        ask = self._robots.get(lease.host)
        if ask is None:
            ask = self._robots[lease.host] = RobotsAsk(self._robots_request(origin))
        elif ask.begun:
            return None
        self._pacer.withdraw(lease.host, ask.request.id)
        ask.begun = True
        return ask.request, ask.due

    async def known(self, host: str) -> None:
        """Wait until a robots.txt that somebody asks for is known, or may be taken over."""
        if (ask := self._robots.get(host)) is not None:
            await ask.changed.wait()

    def learned(self, host: str) -> None:
        """Hear that a host's notes are committed."""
        if (ask := self._robots.pop(host, None)) is not None:
            ask.changed.set()

    def sent(self, request: Request) -> None:
        """Hear that a request went out on the wire: its host rests from now."""
        self._pacer.sent(request.host, request.id, self._clock())
        self.wake()

    def freed(self, request: Request, *, tried: bool = True) -> None:
        """Hear that an answer is in: its host's slot is free.

        `tried`: somebody was asked, though it may not have come to a request on the wire.
        """
        if tried and self._pacer.is_unsent(request.host, request.id):
            self._pacer.sent(request.host, request.id, self._clock())
        self._end(request)

    def heard(self, request: Request, answer: Response | FetchError, asked: float) -> Change | None:
        """Hear what came of a request that was begun at `asked`, before it is `freed`.

        Its host may be asked less often, or more often again, or not at all.
        """
        again = request.attempt > 1
        change = self.manners.heard(request.host, answer, asked=asked, again=again)
        if change is not None:
            self._pacer.change(request.host, change.pace)
            if change.rest:
                self._pacer.rest(request.host, change.rest)
        return change

    def change_pace(self, host: str, notes: HostNotes) -> None:
        """Hear of new notes: the host keeps to them from its last request on."""
        self._pacer.change(host, self.manners.note(host, notes))

    def rest(self, host: str, until: float) -> None:
        """Leave a host in peace until then."""
        self._pacer.rest(host, until)

    def due(self, host: str) -> float:
        """Return when a host may next be asked (clock seconds)."""
        return self._pacer.due(host)

    def forget(self, host: str, *, committed: float) -> None:
        """Drop a host that nothing waits for and nothing is under way to.

        Unless it was asked since the due time that is `committed` was read: a commit may last.
        """
        if self._pacer.forget(host, committed):
            self._book.forget(host)
            self.manners.leave(host)

    def wake(self) -> None:
        """Let those look again who wait for something to go, if there is something."""
        if self._pacer.next_due() is not None:
            self._changed.set()
        if self._waiting_errands:
            self._changed_for_errands.set()

    def _locate(self, host: str) -> None:
        if self._lookups is not None and (address := self._lookups.known(host)) is not None:
            self._pacer.locate(host, address)

    def _first_request(self, lease: HostLease) -> list[Request]:
        """Return the request for a host's robots.txt; nothing if an errand makes it already."""
        if lease.host in self._robots:
            return []
        ask = self._robots[lease.host] = RobotsAsk(self._robots_request(lease.origin))
        return [ask.request]

    def _robots_request(self, origin: str) -> Request:
        return link_request(url=f"{origin}/robots.txt", kind="robots", id=next(self._own_ids))

    def _take_back(self, request: Request, *, in_turn: bool) -> None:
        if in_turn:
            self._end(request)
        else:
            self._pacer.withdraw(request.host, request.id)

    def _end(self, ticket: Request | ErrandTurn) -> None:
        self._pacer.finished(ticket.host, ticket.id)
        self.wake()

    def _seconds_to(self, due: float | None) -> float | None:
        return None if due is None else max(0.0, due - self._clock())


async def _wait(changed: asyncio.Event, seconds: float | None) -> None:
    """Wait for a change, at most that long."""
    if seconds is None:
        await changed.wait()
        return
    try:
        async with asyncio.timeout(seconds):
            await changed.wait()
    except TimeoutError:
        return

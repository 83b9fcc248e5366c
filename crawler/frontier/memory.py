"""The frontier in this process's memory."""

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from itertools import count

from msgspec import structs

from crawler import urls
from crawler.frontier.alone import Alone
from crawler.frontier.changes import Changes, wait
from crawler.frontier.memory_host import Host
from crawler.frontier.portions import portion
from crawler.outcome import (
    ALL_PAGES,
    MOST_EXAMPLES,
    MOST_SLOWEST,
    Batch,
    Commit,
    Counts,
    HostLease,
    HostNotes,
    Position,
    Totals,
)
from crawler.protocols import Clock
from crawler.request import Request
from crawler.rules.gate import Gate


class MemoryFrontier(Alone):
    """Hosts and their requests in dicts and heaps; nothing outlives the process.

    `batch` says how many requests of one host may be out at once; `host_pages` bounds the pages
    taken from one host, `shape_pages` those of one shape of its URLs that are queued, `max_pages`
    those of the run; `ask_notes=False` takes every host's notes as empty; `gate` judges what is
    new.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        batch: Callable[[HostNotes], int],
        rules: urls.KeyRules = urls.KeyRules(),  # noqa: B008  # frozen
        host_pages: int | None = None,
        shape_pages: int | None = None,
        max_pages: int | None = None,
        ask_notes: bool = True,
        gate: Gate | None = None,
    ) -> None:
        self._clock = clock
        self._batch = batch
        self._rules = rules
        self._host_pages = host_pages
        self._shape_pages = shape_pages
        self._gate = gate or Gate()
        self._max_pages = max_pages
        self._reserved = 0
        self._fresh_notes = None if ask_notes else HostNotes()
        self._hosts = {"": Host("", HostNotes())}  # "" is where seeding is leased from
        self._heap: list[tuple[float, int, Host]] = []
        self._delayed: list[tuple[float, int, Request]] = []
        self._known: dict[int, int] = {}
        self._item_keys: set[int] = set()
        self._leased: set[int] = set()
        self._queued = 0
        self._counts: Counter[str] = Counter()
        self._examples: list[str] = []
        self._lengths: Position = {}
        self._ids = count(1)
        self._entries = count()
        self._changes = Changes()

    async def lease(self, limit: int, *, host: str | None = None) -> Sequence[HostLease]:
        """See `Frontier.lease`."""
        if host is not None:
            return self._lease_out_of_turn(self._host(host))
        while True:
            changed = self._changes.next
            leases = self._take(limit)
            if leases or not (self._queued or self._delayed or self._leased):
                return leases
            dues = [heap[0][0] for heap in (self._heap, self._delayed) if heap]
            await wait(changed, due=min(dues, default=None), clock=self._clock)

    async def reserve(self, pages: int) -> int:
        """See `Frontier.reserve`."""
        if self._max_pages is not None and pages > 0:
            pages = min(pages, self._max_pages - self._counts["pages"] - self._reserved)
        self._reserved += pages
        return pages

    async def claim(self, finals: Mapping[int, int]) -> set[int]:
        """See `Frontier.claim`."""
        known = self._known
        return {id_ for id_, key in finals.items() if known.setdefault(key, id_) != id_}

    async def known_items(self, keys: Collection[int]) -> set[int]:
        """See `Frontier.known_items`."""
        return self._item_keys.intersection(keys)

    @property
    def may_post(self) -> bool:
        """See `Frontier.may_post`."""
        return self._host_pages is None

    async def post(
        self, settled: Sequence[Request], found: Sequence[Request], *, limit: int
    ) -> Sequence[HostLease] | None:
        """See `Frontier.post`: its part in queue and hosts is done, and not done twice."""
        if limit < 1 or any(request.again for request in found):
            return None
        touched = dict.fromkeys(request.host for request in found if self._add(request))
        if not touched:
            return None
        for request in settled:
            self._return(request)
        self._review_all([*touched, *(request.host for request in settled)])
        return ()

    async def commit(self, batch: Batch, *, posted: bool = False) -> Commit:  # noqa: ARG002
        """See `Frontier.commit`; in memory, that nothing awaits makes it one transaction."""
        # A dict, not a set: hosts that are due together go in the order they were found in.
        touched = dict.fromkeys(request.host for request in batch.settled)
        touched |= dict.fromkeys(request.host for request, _ in batch.retried)
        for name, reason in batch.given_up.items():
            host = self._host(name)
            host.given_up = host.given_up or reason
        for name, (answers, seconds) in batch.answers.items():
            host = self._host(name)
            host.answers, host.seconds = host.answers + answers, host.seconds + seconds
        for name, notes in batch.notes.items():
            host = self._host(name)
            host.notes, host.asking = notes, False
        for name, due in batch.due.items():
            host = self._host(name)
            host.due = max(host.due, due)
        for name, number in batch.pages.items():
            self._host(name).pages += number
        for request in batch.settled:
            self._return(request)
        for request, time in batch.retried:
            self._return(request)
            heapq.heappush(self._delayed, (time, request.id, request))
        for request in batch.found:
            if self._add(request):
                touched[request.host] = None
        self._review_all([*touched, *batch.notes, *batch.due, *batch.given_up])
        self._item_keys.update(batch.item_keys)
        self._counts.update(batch.counts)
        self._lengths.update(batch.lengths)
        self._reserved -= batch.counts.get("pages", 0)
        self._examples += batch.examples[: MOST_EXAMPLES - len(self._examples)]
        return Commit(counts=self._counts)

    async def lengths(self) -> Position:
        """See `Frontier.lengths`."""
        return self._lengths

    async def counts(self) -> Counts:
        """See `Frontier.counts`."""
        return Counts(
            queued=self._queued,
            delayed=len(self._delayed),
            leased=len(self._leased),
            hosts=len(self._hosts) - 1,
            known=len(self._known),
            counters=self._counts,
        )

    def turn(self) -> AbstractAsyncContextManager[Mapping[str, int]]:
        """See `Frontier.turn`."""
        return nullcontext(self._counts)

    async def totals(self) -> Totals:
        """See `Frontier.totals`."""
        hosts = self._hosts.values()
        asked = [(h.name, h.answers, h.seconds / h.answers) for h in hosts if h.answers]
        return Totals(
            counts=self._counts.copy(),
            slowest=heapq.nlargest(MOST_SLOWEST, asked, key=lambda entry: entry[2]),
            given_up={host.name: host.given_up for host in hosts if host.given_up},
            examples=tuple(self._examples),
            traps=self._gate.seen,
        )

    def _host(self, name: str) -> Host:
        host = self._hosts.get(name)
        if host is None:
            # Due from now: hosts that are known longer do not wait for all the new ones.
            host = self._hosts[name] = Host(name, self._fresh_notes, self._clock())
        return host

    def _add(self, request: Request) -> bool:
        """Queue a request unless its URL is known; `again` does not ask."""
        number = next(self._ids)
        key = request.fingerprint(self._rules)
        if self._known.setdefault(key, number) != number and not request.again:
            return False
        self._counts["discovered"] += request.kind != "seed"
        lag = self._gate.admit(request, self._count)
        if lag is None or not self._has_room(request):
            return False
        self._queue(structs.replace(request, id=number, lag=lag))
        return True

    def _count(self, name: str) -> None:
        self._counts[name] += 1

    def _has_room(self, request: Request) -> bool:
        """Count a page of its shape; False if there are enough."""
        if self._host(request.host).takes(request, self._shape_pages):
            return True
        self._count("left_out.shape_pages")
        return False

    def _queue(self, request: Request) -> Host:
        host = self._host(request.host)
        depth = request.depth + request.lag
        heapq.heappush(host.queue, (-request.priority, depth, request.id, request))
        self._queued += 1
        return host

    def _return(self, request: Request) -> None:
        """Take a request back from the process that held it."""
        if request.id in self._leased:
            self._leased.remove(request.id)
            self._host(request.host).out -= 1

    def _review_all(self, names: Iterable[str]) -> None:
        for name in names:
            self._review(self._hosts[name])
        self._changes.wake()

    def _review(self, host: Host) -> None:
        """Enter a host if it has something to lease; drop its queue if nobody may ask any more."""
        if host.queue and (reason := host.refusal(self._host_pages)):
            self._counts[f"left_out.{reason}"] += len(host.queue)
            self._queued -= len(host.queue)
            host.queue.clear()
        self._enter(host)

    def _enter(self, host: Host) -> None:
        """Put a host into the heap at the time it may be leased, if it may."""
        if not host.queue or self._allowance(host) < 1:
            return
        if host.entered is None or host.due < host.entered[0]:
            host.entered = (host.due, next(self._entries))
            heapq.heappush(self._heap, (*host.entered, host))

    def _allowance(self, host: Host) -> int:
        """Return how many requests may be leased: nothing until half of the last are back."""
        if host.notes is None:
            return 0 if host.asking else 1
        most = self._batch(host.notes)
        if host.out > most // 2:
            return 0
        if self._host_pages is not None:
            most = min(most, self._host_pages - host.pages)
        if most > host.out and not host.notes.are_fresh(self._clock()):
            return 0 if host.asking else 1
        return most - host.out

    def _take(self, limit: int) -> list[HostLease]:
        now = self._clock()
        while self._delayed and self._delayed[0][0] <= now:
            self._review(self._queue(heapq.heappop(self._delayed)[2]))
        leases: list[HostLease] = []
        most = portion(limit, hosts=len(self._heap))
        while limit > 0 and self._heap and self._heap[0][0] <= now:
            due, number, host = heapq.heappop(self._heap)
            if host.entered != (due, number):
                continue
            host.entered = None
            # A due time that moved since the host was entered: it takes its place by the new one.
            if host.due == due and host.queue and (room := self._allowance(host)) > 0:
                leases.append(self._lease(host, min(room, limit, most)))
                limit -= max(1, len(leases[-1].requests))
            self._enter(host)
        return leases

    def _lease(self, host: Host, limit: int) -> HostLease:
        origin = urls.origin_of(host.queue[0][3].url) if host.name else ""
        if host.notes_at(self._clock()) is None:
            host.asking = True
            return HostLease(host.name, origin, (), None, host.due)
        several = min(limit, len(host.queue))
        requests = [heapq.heappop(host.queue)[3] for _ in range(several)]
        self._leased.update(request.id for request in requests)
        host.out += several
        self._queued -= several
        return HostLease(host.name, origin, requests, host.notes, host.due)

    def _lease_out_of_turn(self, host: Host) -> list[HostLease]:
        if host.refusal(self._host_pages):
            return [HostLease(host.name, "", (), None, alone=host.given_up or ALL_PAGES)]
        return [HostLease(host.name, "", (), host.notes_at(self._clock()), host.due)]

"""When may which host be asked?"""

import heapq
import math
from collections import deque
from collections.abc import Iterable
from itertools import count
from typing import Generic, Protocol, TypeVar

from crawler.rules.address import Address, Addresses
from crawler.rules.pacing import Pace


class Ticket(Protocol):
    """What the pacer lets go: anything with an id of its own."""

    @property
    def id(self) -> int: ...  # noqa: D102


T = TypeVar("T", bound=Ticket)


class _Host(Generic[T]):
    """One host at hand: what waits for it, what is under way, when it may be asked next."""

    __slots__ = (
        "address",
        "ahead",
        "due",
        "entered",
        "in_flight",
        "let_go",
        "name",
        "pace",
        "revoked",
        "sent_at",
        "unsent",
        "waiting",
    )

    def __init__(self, name: str, pace: Pace, due: float, address: Address | None) -> None:
        self.name = name
        self.address = address
        self.pace = pace
        self.due = due
        self.waiting: deque[T] = deque()
        self.ahead: deque[T] = deque()
        self.in_flight = 0
        self.let_go: set[int] = set()  # taken, but nobody has begun with them
        self.revoked: set[int] = set()  # of these, those that lost their turn to an errand
        self.sent_at = -math.inf
        self.unsent: int | None = None  # let go, but not on the wire yet: its moment sets the next
        self.entered: int | None = None  # number of its one live entry in the heap

    @property
    def may_queue(self) -> bool:
        return (
            bool(self.waiting or self.ahead)
            and self.unsent is None
            and self.in_flight < self.pace.per_host
            and self.entered is None
        )


_Heap = list[tuple[float, int, _Host[T]]]


class Pacer(Generic[T]):
    """Says which request may go now: least delay between two to a host, and most in flight.

    Pure: no waiting, no clock of its own; O(log hosts) for each request. The delay is measured
    between the moments requests go out on the wire (`sent`), so a request answered from a cache
    costs its host nothing. Tickets that were pushed go ahead of their host's others, and are taken
    by `take_ahead` alone: who waits for them need not wait for whoever calls `take`. Hosts whose
    address was `located` keep to its pace as well, `at_address`; that costs O(hosts of the address)
    for each request. Times are clock seconds.
    """

    def __init__(self, *, at_address: Pace | None = None) -> None:
        self.waiting = 0
        """How many tickets that were admitted are not taken yet."""
        self._hosts: dict[str, _Host[T]] = {}
        self._heap: _Heap[T] = []
        self._heap_ahead: _Heap[T] = []
        self._numbers = count()
        self._addresses = Addresses(at_address) if at_address is not None else None

    def locate(self, host: str, address: str) -> None:
        """Hear the address of a host, before its first ticket."""
        if self._addresses is not None:
            self._addresses.locate(host, address)

    def admit(self, host: str, tickets: Iterable[T], *, pace: Pace, due: float = 0.0) -> None:
        """Add tickets behind those that wait already; the host rests until `due` at least."""
        entry = self._open(host, pace, due)
        before = len(entry.waiting)
        entry.waiting.extend(tickets)
        self.waiting += len(entry.waiting) - before
        self._enter(entry)

    def push(self, host: str, ticket: T, *, pace: Pace, due: float = 0.0) -> None:
        """Add one ticket ahead of those that were admitted."""
        entry = self._open(host, pace, due)
        entry.ahead.append(ticket)
        if entry.address is not None:
            entry.address.wanted.add(host)
        entry.entered = None  # it changes its heap
        self._revoke(entry)
        self._enter(entry)

    def withdraw(self, host: str, ticket_id: int) -> None:
        """Take back an admitted ticket, if it waits."""
        entry = self._hosts.get(host)
        if entry is None:
            return
        before = len(entry.waiting)
        entry.waiting = deque(ticket for ticket in entry.waiting if ticket.id != ticket_id)
        self.waiting += len(entry.waiting) - before
        entry.entered = None
        self._enter(entry)

    def take(self, now: float) -> T | None:
        """Return the admitted ticket that is due the longest, or None if none may go now."""
        if (host := self._next(self._heap, now)) is None:
            return None
        ticket = self._let_go(host, host.waiting, now)
        host.let_go.add(ticket.id)
        self.waiting -= 1
        return ticket

    def begin(self, host: str, ticket: T) -> bool:
        """Begin with a ticket that was taken; False: it lost its turn, and waits again."""
        entry = self._hosts[host]
        entry.let_go.discard(ticket.id)
        if ticket.id not in entry.revoked:
            return True
        entry.revoked.remove(ticket.id)
        entry.waiting.appendleft(ticket)
        self.waiting += 1
        self._enter(entry)
        return False

    def take_ahead(self, now: float) -> T | None:
        """Return the pushed ticket that is due the longest, or None if none may go now."""
        if (host := self._next(self._heap_ahead, now)) is None:
            return None
        ticket = self._let_go(host, host.ahead, now)
        if host.address is not None and not host.ahead:
            host.address.wanted.discard(host.name)
            self._unblock(host.address)
        return ticket

    def next_due(self) -> float | None:
        """Return when the next ticket may go, or None if that takes an event, not time."""
        return self._heap[0][0] if self._heap else None

    def next_due_ahead(self) -> float | None:
        """Return the same of pushed tickets."""
        return self._heap_ahead[0][0] if self._heap_ahead else None

    def sent(self, host: str, ticket_id: int, now: float) -> None:
        """Hear that a request went out: the delay to the next one starts now."""
        entry = self._hosts.get(host)
        if entry is None:
            return
        entry.sent_at = now
        entry.due = max(entry.due, now + entry.pace.delay)
        if entry.unsent == ticket_id:
            entry.unsent = None
        if entry.address is not None:
            entry.address.sent(ticket_id, now)
            self._unblock(entry.address)
        self._enter(entry)

    def finished(self, host: str, ticket_id: int) -> None:
        """Hear that a response is in, or the request failed: its slot is free."""
        entry = self._hosts[host]
        entry.in_flight -= 1
        if entry.unsent == ticket_id:
            entry.unsent = None
        if entry.address is not None:
            entry.address.back(ticket_id)
            self._unblock(entry.address)
        self._enter(entry)

    def is_unsent(self, host: str, ticket_id: int) -> bool:
        """True if a ticket that was taken has not been on the wire, as far as that matters."""
        entry = self._hosts.get(host)
        return entry is not None and entry.unsent == ticket_id

    def change(self, host: str, pace: Pace) -> None:
        """Give a host another pace, which counts from its last request."""
        if (entry := self._hosts.get(host)) is not None:
            entry.pace = pace
            entry.due = max(entry.due, entry.sent_at + pace.delay)

    def rest(self, host: str, until: float) -> None:
        """Leave a host in peace until then, as it asked."""
        entry = self._hosts.get(host)
        if entry is not None:
            entry.due = max(entry.due, until)

    def due(self, host: str) -> float:
        """Return when a host may next be asked; 0.0 if it is not at hand."""
        entry = self._hosts.get(host)
        return entry.due if entry is not None else 0.0

    def forget(self, host: str, due: float) -> bool:
        """Drop a host that nothing waits for and nothing is under way to; True if it is gone.

        `due` is what somebody else knows of its due time: a later one is not forgotten.
        """
        if (entry := self._hosts.get(host)) is None:
            return True
        if entry.waiting or entry.ahead or entry.in_flight or entry.revoked or entry.due > due:
            return False
        del self._hosts[host]
        if self._addresses is not None:
            self._addresses.leave(host)
        return True

    def _next(self, heap: "_Heap[T]", now: float) -> _Host[T] | None:
        """Return the host that is due the longest, out of its heap."""
        while heap and heap[0][0] <= now:
            _, number, host = heapq.heappop(heap)
            if host.entered != number:
                continue
            host.entered = None
            if host.due > now:  # it was told to rest after it was entered
                self._enter(host)
                continue
            if host.address is not None and not self._may_go(host, host.address, now):
                continue
            return host
        return None

    def _may_go(self, host: _Host[T], address: Address, now: float) -> bool:
        """True if a host's address lets it go; otherwise it waits for that."""
        if host.ahead:
            for name in address.hosts if address.is_full else ():
                self._revoke(self._hosts[name])  # who is to begin with them may wait for `host`
        elif any(self._hosts[name].due <= now for name in address.wanted):
            address.blocked[host.name] = None
            return False
        if address.is_full:
            address.blocked[host.name] = None
            return False
        if address.due > now:
            self._enter(host)
            return False
        return True

    def _unblock(self, address: Address) -> None:
        for name in address.unblocked():
            if (host := self._hosts.get(name)) is not None:
                self._enter(host)

    def _let_go(self, host: _Host[T], queue: deque[T], now: float) -> T:
        ticket = queue.popleft()
        host.in_flight += 1
        if host.address is not None:
            host.address.let_go(ticket.id)
        if host.pace.delay:
            host.unsent = ticket.id
        else:
            host.due = max(host.due, now)  # its next one comes after those of other hosts
        self._enter(host)
        return ticket

    def _revoke(self, host: _Host[T]) -> None:
        """Take back the turns that nobody has begun with.

        Their tickets may wait for a worker, which may wait for the errand that is ahead of them.
        """
        host.in_flight -= len(host.let_go)
        if host.unsent in host.let_go:
            host.unsent = None
        if host.address is not None:
            for ticket_id in host.let_go:
                host.address.back(ticket_id)
        host.revoked |= host.let_go
        host.let_go.clear()

    def _open(self, host: str, pace: Pace, due: float) -> _Host[T]:
        entry = self._hosts.get(host)
        if entry is None:
            address = self._addresses.of(host) if self._addresses is not None else None
            entry = self._hosts[host] = _Host(host, pace, due, address)
        entry.pace = pace
        entry.due = max(entry.due, due)
        return entry

    def _enter(self, host: _Host[T]) -> None:
        if host.may_queue:
            host.entered = next(self._numbers)
            heap = self._heap_ahead if host.ahead else self._heap
            due = host.due if host.address is None else max(host.due, host.address.due)
            heapq.heappush(heap, (due, host.entered, host))

"""Hosts held out of turn, and lent."""

from msgspec import Struct

from crawler.frontier.hosts import Change, Held
from crawler.frontier.ledger import Ledger
from crawler.outcome import ALL_PAGES, HostLease, HostNotes


class Borrowed(Struct, frozen=True):
    """What a try to hold a host came to: its lease.

    Of another process's there is a `wish`, and no lease before that is granted. `asks`: whoever
    got the lease finds out the host's notes. A lease that says `alone` holds nothing.
    """

    lease: HostLease | None = None
    wish: int | None = None
    asks: bool = False


class Borrowing:
    """Holds hosts for requests that go ahead of their queues, here or in another process."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def give_back(self, name: str, borrowed: Borrowed, wish: int | None) -> None:
        """Let go what somebody got, or wished for, who does not want it any more."""
        lease, held = borrowed.lease, self._ledger.hosts.held.get(name)
        if lease is None or lease.alone or borrowed.wish is not None:
            held = None  # it was not held for this
        elif held is not None and borrowed.asks:
            held.asking = False
        elif held is not None and lease.notes is not None:
            held.borrowed = max(0, held.borrowed - 1)
        free = held is not None and held.is_idle and not held.shared
        with self._ledger.transaction():
            if (number := borrowed.wish or wish) is not None:
                self._ledger.lending.withdraw(number)
            if held is not None and free:
                self._ledger.hosts.hold([held], None)
        if held is not None and free:
            del self._ledger.hosts.held[name]
        elif held is not None:
            self._ledger.enter(held)

    def borrow(self, name: str, wish: int | None) -> Borrowed:
        """Hold a host out of turn, or get a turn on one of another process that `wish` asks for."""
        now = self._ledger.clock()
        with self._ledger.transaction():
            held = self._ledger.hosts.held.get(name)
            change = self._ledger.hosts.change(name, now)
            if alone := self._why_alone(change, now):
                held = None
            elif held is not None:
                self._ledger.hosts.refresh(held, now)
            else:
                held, holder = self._ledger.hosts.find(change.id)
                if holder is not None:
                    return self._wish(held, wish)
                self._ledger.hosts.hold([held], self._ledger.peers.number)
            if wish is not None:
                self._ledger.lending.withdraw(wish)
        if held is None:
            return Borrowed(HostLease(name, "", (), None, alone=alone))
        self._ledger.hosts.held[name] = held
        notes = held.notes_at(now)
        asks = notes is None and not held.asking
        if notes is None:
            held.asking = True
        else:
            held.borrowed += 1
        self._ledger.enter(held)
        return Borrowed(_lease(held, notes), asks=asks)

    def _why_alone(self, change: Change, now: float) -> str:
        """Return why nobody may ask a host, "" if somebody may."""
        if change.refusal(self._ledger.options.host_pages):
            return change.was_given_up or ALL_PAGES
        return self._ledger.hosts.why_alone(change.id, now)

    def _wish(self, held: Held, wish: int | None) -> Borrowed:
        """Wish for a turn on a host of another process; return its lease once that is granted."""
        if wish is None or self._ledger.lending.is_over(wish):
            return Borrowed(wish=self._ledger.lending.wish(held.id, self._ledger.peers.number))
        if held.notes is None or not self._ledger.lending.is_granted(wish):
            return Borrowed(wish=wish)
        # Whoever lends it keeps its pace: here nothing is to wait for.
        return Borrowed(HostLease(held.name, "", (), held.notes), wish=wish)

    def grant(self, wish: int) -> None:
        """Say that the turn is there that another process wishes for."""
        with self._ledger.transaction():
            self._ledger.lending.grant(wish)

    def refuse(self, wish: int) -> None:
        """Say that no turn will come."""
        with self._ledger.transaction():
            self._ledger.lending.withdraw(wish)

    def wishes(self) -> list[tuple[int, HostLease]]:
        """Take up what others wish of hosts of ours; they are held until that is over."""
        wished = self._ledger.lending.wished(self._ledger.peers.number)
        ours = {
            held.id: held
            for held in (self._ledger.hosts.held.values() if wished else ())
            if held.notes is not None and held.id in wished
        }
        if not ours:
            return []  # most looks end here, and keep nobody from writing
        with self._ledger.transaction():
            wishes = self._ledger.lending.take_up(ours, self._ledger.peers.number)
        for wish in wishes:
            wish.held.borrowed += 1
        return [(wish.number, _lease(wish.held, wish.held.notes)) for wish in wishes]


def _lease(held: Held, notes: HostNotes | None) -> HostLease:
    return HostLease(held.name, "", (), notes, held.due, held.slots, held.delay)

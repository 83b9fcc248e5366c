"""Hosts held out of turn, and lent."""

from crawler.frontier.hosts import Held
from crawler.frontier.ledger import Ledger
from crawler.outcome import HostLease


class Borrowing:
    """Holds hosts for requests that go ahead of their queues, here or in another process."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def give_back(self, name: str) -> None:
        """Let go a host that was held out of turn, and not asked."""
        held = self._ledger.hosts.held.get(name)
        if held is None or held.borrowed < 1:
            return
        held.borrowed -= 1
        if held.is_idle and not held.shared:
            with self._ledger.transaction():
                self._ledger.hosts.hold([held], None)
            del self._ledger.hosts.held[name]

    def borrow(self, name: str, wish: int | None) -> HostLease | int | None:
        """Hold a host out of turn, or get a turn on one of another process that `wish` asks for.

        Returns its lease, None if nobody may ask it any more, or the number of a wish that has to
        be granted first.
        """
        with self._ledger.transaction():
            held = self._ledger.hosts.held.get(name)
            change = self._ledger.hosts.change(name, self._ledger.clock())
            if change.refusal(self._ledger.options.host_pages):
                held = None
            elif held is not None:
                self._ledger.hosts.refresh(held)
            else:
                held, holder = self._ledger.hosts.find(change.id)
                if holder is not None:
                    return self._wish(held, wish)
                self._ledger.hosts.hold([held], self._ledger.peers.number)
            if wish is not None:
                self._ledger.lending.withdraw(wish)
        if held is None:
            return None
        self._ledger.hosts.held[name] = held
        if held.notes is None:
            held.asking = True
        else:
            held.borrowed += 1
        self._ledger.enter(held)
        return _lease(held)

    def _wish(self, held: Held, wish: int | None) -> HostLease | int:
        """Wish for a turn on a host of another process; return its lease once that is granted."""
        if wish is None:
            return self._ledger.lending.wish(held.id, self._ledger.peers.number)
        if held.notes is None or not self._ledger.lending.is_granted(wish):
            return wish
        # Whoever lends it keeps its pace: here nothing is to wait for.
        return HostLease(held.name, "", (), held.notes)

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
        return [(wish.number, _lease(wish.held)) for wish in wishes]


def _lease(held: Held) -> HostLease:
    return HostLease(held.name, "", (), held.notes, held.due, held.slots)

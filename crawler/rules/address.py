"""What hosts of one address share."""

from collections import OrderedDict
from typing import Final

from crawler.rules.pacing import Pace

_MOST_LEFT: Final = 10_000


class Address:
    """The hosts at hand of one address, by name: what is in flight, when the next may be asked.

    `blocked` are hosts that wait for something to happen here; `wanted` those with a pushed ticket,
    whom others let go first. Times are clock seconds.
    """

    __slots__ = ("blocked", "due", "hosts", "in_flight", "pace", "unsent", "wanted")

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.due = 0.0
        self.in_flight = 0
        self.unsent: set[int] = set()
        self.hosts: set[str] = set()
        self.blocked: dict[str, None] = {}  # in order
        self.wanted: set[str] = set()

    @property
    def is_full(self) -> bool:
        """True if nothing may go before something comes back, or is on the wire."""
        return bool(self.unsent) or self.in_flight >= self.pace.per_host

    def let_go(self, ticket_id: int) -> None:
        """Hear that a ticket goes; with a delay it holds the next back until it is on the wire."""
        self.in_flight += 1
        if self.pace.delay:
            self.unsent.add(ticket_id)

    def sent(self, ticket_id: int, now: float) -> None:
        """Hear that a request is on the wire."""
        self.due = max(self.due, now + self.pace.delay)
        self.unsent.discard(ticket_id)

    def back(self, ticket_id: int) -> None:
        """Hear that a ticket is back, or lost its turn."""
        self.in_flight -= 1
        self.unsent.discard(ticket_id)

    def unblocked(self) -> list[str]:
        """Return the hosts that waited; they wait no more."""
        hosts = list(self.blocked)
        self.blocked.clear()
        return hosts


class Addresses:
    """The addresses of the hosts at hand; each has its due time for a while after its last host."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._by_host: dict[str, tuple[str, Address]] = {}
        self._by_name: dict[str, Address] = {}
        self._left: OrderedDict[str, Address] = OrderedDict()

    def locate(self, host: str, name: str) -> None:
        """Hear the address of a host that comes to hand; one at hand keeps what it has."""
        if host in self._by_host:
            return
        address = self._by_name.get(name)
        if address is None:
            address = self._left.pop(name, None) or Address(self._pace)
            self._by_name[name] = address
        address.hosts.add(host)
        self._by_host[host] = name, address

    def of(self, host: str) -> Address | None:
        """Return the address of a host at hand, if it is known."""
        found = self._by_host.get(host)
        return found[1] if found is not None else None

    def leave(self, host: str) -> None:
        """Hear that a host is at hand no more."""
        if (found := self._by_host.pop(host, None)) is None:
            return
        name, address = found
        address.hosts.discard(host)
        if not address.hosts:
            self._left[name] = self._by_name.pop(name)
            if len(self._left) > _MOST_LEFT:
                self._left.popitem(last=False)

"""How a process comes into a run, and leaves it."""

import time
from collections.abc import Callable, Iterable

from crawler.frontier.ledger import Ledger
from crawler.frontier.peers import Dead
from crawler.outcome import Restart


class Life:
    """One process in its run, from its coming to its end, and the deaths of others."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def begin(self, *, alone: bool, check: Callable[[], None]) -> Restart:
        """Become a process of the run; return what there is of it. Raises `RunError`."""
        with self._ledger.transaction(fenced=False):
            dead = self._ledger.peers.enter(alone=alone)
            self._count_crashes(dead)
            self._ledger.blame.look()
            self._set_clock(alone=alone)
            # By the run's clock: ours goes by it only once whoever opened us knows it.
            self._rest(dead, self._ledger.books.ahead() + time.monotonic())
            if alone:
                self._ledger.retrying.seeding()
        self._ledger.peers.forget(dead)
        if alone:
            check()
        sizes, kept = self._ledger.books.sizes(), self._ledger.books.kept()
        self._ledger.books.part = 0 if alone else self._ledger.peers.number
        return Restart(
            fresh=sizes.next_id == 1,
            position=self._ledger.books.position(self._ledger.books.part),
            counts=self._ledger.books.counts(),
            kept={name: value for name, value in kept.items() if value},
            queued=sizes.queued + sizes.delayed,
            in_flight=sum(process.in_hand for process in dead),
            callbacks=self._ledger.books.callbacks(),
            part=self._ledger.books.part,
            ahead=self._ledger.books.ahead(),
        )

    def bury(self) -> bool:
        """See who of the others has died, and let go what they held; True if somebody has."""
        with self._ledger.transaction():
            dead = self._ledger.peers.bury(self._ledger.peers.look())
            self._count_crashes(dead)
            self._rest(dead, self._ledger.clock())
        self._ledger.peers.forget(dead)
        return bool(dead)

    def end(self) -> None:
        """Let go all that this process holds; what is cut off may just have been asked."""
        held = self._ledger.hosts.held.values()
        with self._ledger.transaction(fenced=False):
            self._rest_hosts([host.id for host in held if not host.is_idle], self._ledger.clock())
            self._ledger.peers.leave(self._ledger.peers.number)

    def _count_crashes(self, dead: Iterable[Dead]) -> None:
        for process in dead:
            caught = [flight for flight in process.flights if flight.works]
            for flight in caught or process.flights:
                alone = bool(caught) or len(process.flights) == 1
                if self._ledger.blame.put(flight, alone=alone):
                    self._ledger.books.add("crashes", 1)

    def _rest(self, dead: Iterable[Dead], now: float) -> None:
        """Have no host of theirs asked too soon: what they asked last is written down nowhere."""
        for process in dead:
            self._rest_hosts(process.hosts, now)

    def _rest_hosts(self, numbers: Iterable[int], now: float) -> None:
        self._ledger.hosts.rest(numbers, now, seconds=self._ledger.options.rest)

    def _set_clock(self, *, alone: bool) -> None:
        """See to it that no host waits longer because a clock was set back since the last life."""
        if alone and (late := self._ledger.books.sizes().saved - self._ledger.clock()) > 0:
            self._ledger.hosts.shift(-late)
            self._ledger.requests.shift(-late)
        if alone:
            self._ledger.books.set_ahead(self._ledger.clock() - time.monotonic())

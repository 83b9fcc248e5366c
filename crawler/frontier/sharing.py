"""Shares hosts between processes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct

from crawler.frontier.hosts import Held, Hosts
from crawler.frontier.peers import Peers
from crawler.frontier.requests import Requests
from crawler.outcome import HostNotes


class _Before(Struct, frozen=True):
    """A host as it was held before it was changed here."""

    host: Held
    is_ours: bool
    shared: bool
    slots: int | None
    leaving: bool


class Sharing:
    """Lets another process have something to do: whole hosts, or slots of the only one.

    `slots(notes)` says how many requests may be in flight to a host that needs no rest between two;
    1 for one that does: only one process can keep to that. In a transaction of `take`.
    """

    def __init__(
        self, hosts: Hosts, requests: Requests, *, slots: Callable[[HostNotes], int]
    ) -> None:
        self._hosts = hosts
        self._requests = requests
        self._slots = slots
        self._before: list[_Before] = []
        self.is_sharing = False
        """True while a host of ours is shared, be the others alive or not."""

    @contextmanager
    def undoing(self) -> Iterator[None]:
        """Hold hosts as before if the block, and the transaction in it, comes to nothing."""
        self._before.clear()
        try:
            yield
        except BaseException:
            while self._before:
                self._undo(self._before.pop())
            self.is_sharing = self._is_sharing()
            raise

    def meet(self, peers: Peers) -> None:
        """Take the shares we were given, leave those with nothing to do, and give of ours."""
        for number, slots in peers.shares().items():
            self._adopt(number, slots)
        for held in [held for held in self._hosts.held.values() if held.shared]:
            if held.dry and held.is_idle:
                peers.leave_share(held.id, peers.number)
                self._note(held)
                del self._hosts.held[held.name]
        if (hungry := peers.hungry()) is not None:
            self._give(peers, hungry)
        else:
            for held in self._hosts.held.values():
                self._keep(held)
        self.is_sharing = self._is_sharing()

    def _is_sharing(self) -> bool:
        return any(held.shared for held in self._hosts.held.values())

    def _note(self, held: Held) -> None:
        """Keep how a host was held, for `undoing`."""
        is_ours = held.name in self._hosts.held
        self._before.append(_Before(held, is_ours, held.shared, held.slots, held.leaving))

    def _undo(self, before: _Before) -> None:
        held = before.host
        held.shared, held.slots, held.leaving = before.shared, before.slots, before.leaving
        if before.is_ours:
            self._hosts.held[held.name] = held
        else:
            self._hosts.held.pop(held.name, None)

    def _adopt(self, number: int, slots: int) -> None:
        for held in self._hosts.held.values():
            if held.id == number:
                self._note(held)
                held.slots = slots
                return
        held, _ = self._hosts.find(number)
        self._note(held)
        held.shared, held.slots = True, slots
        self._hosts.held[held.name] = held
        self._hosts.enter(held)

    def _give(self, peers: Peers, hungry: int) -> None:
        """Let half of our hosts go as soon as nothing of them is out, or share the only one."""
        ours = [held for held in self._hosts.held.values() if held.name and not held.asking]
        if len(ours) == 1:
            self._share(ours[0], peers, hungry)
        elif not any(held.leaving for held in ours):
            for held in ours[: len(ours) // 2]:
                self._note(held)
                held.leaving = not held.shared

    def _keep(self, held: Held) -> None:
        """Go on with a host that was to be let go."""
        if held.leaving:
            self._note(held)
            held.leaving = False
            self._hosts.enter(held)

    def _share(self, held: Held, peers: Peers, hungry: int) -> None:
        if held.notes is None:
            return
        slots = held.slots if held.slots is not None else self._slots(held.notes)
        own = (slots + 1) // 2
        if slots < 2 or hungry in peers.shares_of(held.id):
            self._keep(held)
            return
        if len(held.out) + held.borrowed > own:
            self._note(held)
            held.leaving = True  # no more of it before as much is out as we keep slots
            return
        self._note(held)
        held.leaving, held.shared, held.slots, held.dry = False, True, own, False
        peers.share(held.id, own=own, other=hungry, given=slots - own)
        places = [(rank, number) for number, rank in held.out.items()]
        self._requests.mark_taken(held.id, places, peers.number)
        self._hosts.enter(held)

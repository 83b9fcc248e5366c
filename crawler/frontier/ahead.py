"""What is handed out before the commit that queues it."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import structs

from crawler import urls
from crawler.frontier.blame import Blame
from crawler.frontier.books import Books
from crawler.frontier.hosts import Hosts
from crawler.frontier.known import Known
from crawler.frontier.options import Options
from crawler.frontier.requests import copy_of, rank_of
from crawler.frontier.solitude import Solitude
from crawler.outcome import HostLease
from crawler.request import Request

_MOST_FOUND = 2_000
"""Links of a page up to which they are looked at on the loop, in a few milliseconds."""


class Ahead:
    """Decides what a commit will: which links are new, what their ids are, that they may be made.

    For a process that is alone with the run, and for hosts whose queues have nothing else to offer:
    what is found here might come before what has a higher rank. Nothing of it is in the store
    before the commit, and the pages that it was found on are in the queue until then.
    """

    def __init__(
        self,
        hosts: Hosts,
        known: Known,
        books: Books,
        blame: Blame,
        solitude: Solitude,
        options: Options,
    ) -> None:
        self._hosts = hosts
        self._known = known
        self._books = books
        self._blame = blame
        self._options = options
        self._solitude = solitude
        self._is_prepared = False
        self.found: dict[int, Request] = {}
        """Requests that are not queued yet, by fingerprint."""
        self._keys: dict[int, int] = {}  # of these: id → fingerprint
        self.next_id = 1
        """Smaller ids are given out."""

    @property
    def needs_store(self) -> bool:
        """True if `hand_out` has to ask the store, on its thread."""
        return not (self._is_prepared and self._known.is_in_memory)

    def hand_out(
        self, settled: Sequence[Request], found: Sequence[Request], *, limit: int
    ) -> list[HostLease] | None:
        """Lease what `settled` requests found and is new; None: nothing is, or not now.

        All or nothing, as what is not leased here would wait for the commit; at most `limit`.
        """
        if len(found) > _MOST_FOUND or not self._may_go_on(request.host for request in settled):
            return None
        if not self._is_prepared and not self._prepare():
            return None
        new = self._new(found, limit)
        if not new or not self._may_go_on(new) or not (new := self._admitted(new)):
            return None
        if not self._solitude.keep():
            self.forget()
            return None
        return [self._lease(name, requests) for name, requests in new.items()]

    def unqueued_key(self, number: int) -> int:
        """Return the fingerprint of a request that is not queued yet; 0 if it is."""
        return self._keys.get(number, 0)

    def number_from(self, next_id: int) -> int:
        """Return the id of the next request that is queued, of which the store says `next_id`."""
        return max(next_id, self.next_id)

    def queued(self) -> None:
        """Hear that what was found is queued."""
        self.found.clear()
        self._keys.clear()
        self._solitude.end()

    def forget(self) -> None:
        """Hear that others may have changed something, or that a commit was undone."""
        self._is_prepared = False

    def _prepare(self) -> bool:
        """Look into the store for what `hand_out` has to know; False if we are not alone."""
        if not self._solitude.begin():
            return False
        if self._solitude.somebody_came:
            for held in self._hosts.held.values():
                held.is_empty = False
        self.next_id = self.number_from(self._books.sizes().next_id)
        self._known.load(self._options.most_keys)
        self._is_prepared = True
        return True

    def _new(self, found: Iterable[Request], limit: int) -> dict[str, dict[int, Request]]:
        """Return requests with new URLs, by host and fingerprint; nothing if that is too much.

        Nor if one of all is wanted though it may be known, or to blame: that is for a commit.
        """
        new: dict[str, dict[int, Request]] = {}
        for request in self._known.sifted(found):
            key = self._known.key_of(request)
            if request.again or request.seeded or key in self._blame.keys:
                return {}
            if key in self.found or self._known.has(key):
                continue
            host = new.setdefault(request.host, {})
            if key not in host:
                host[key] = request
                limit -= 1
                if limit < 0 or len(host) > self._room(request.host):
                    return {}
        return new

    def _admitted(self, new: Mapping[str, Mapping[int, Request]]) -> dict[str, dict[int, Request]]:
        """Return what is let in; the commit comes upon the rest again, leaves it out and counts."""
        admitted: dict[str, dict[int, Request]] = {}
        for name, requests in new.items():
            for key, request in requests.items():
                if (lag := self._options.gate.admit(request, _uncounted)) is not None:
                    placed = request if lag == request.lag else structs.replace(request, lag=lag)
                    admitted.setdefault(name, {})[key] = placed
        return admitted

    def _room(self, name: str) -> int:
        """Return how many more requests of a host may be out."""
        held = self._hosts.held.get(name)
        if held is None or (notes := held.notes_at(self._options.clock())) is None:
            return 0
        return self._options.batch(notes) - len(held.out)

    def _may_go_on(self, names: Iterable[str]) -> bool:
        """True if hosts are ours and have nothing else to offer."""
        for name in names:
            held = self._hosts.held.get(name)
            if held is None or not held.is_empty or held.shared or held.leaving or held.given_up:
                return False
        return True

    def _lease(self, name: str, requests: Mapping[int, Request]) -> HostLease:
        """Lease requests of a host, which were found under these keys."""
        held = self._hosts.held[name]
        leased = []
        for key, request in sorted(requests.items(), key=lambda found: rank_of(found[1])):
            number, self.next_id = self.next_id, self.next_id + 1
            self.found[key], self._keys[number] = structs.replace(request, id=number), key
            self._known.remember(request)
            held.out[number] = rank_of(request)
            leased.append(copy_of(self.found[key]))
        origin = urls.origin_of(leased[0].url)
        return HostLease(name, origin, leased, held.notes, held.due, held.slots)


def _uncounted(name: str) -> None:
    """Count nothing: what is not committed may never have been."""

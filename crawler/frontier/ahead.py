"""What is handed out before the commit that queues it."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import structs

from crawler import urls
from crawler.frontier.blame import Blame
from crawler.frontier.books import Books
from crawler.frontier.hosts import Hosts
from crawler.frontier.known import Known
from crawler.frontier.options import Options
from crawler.frontier.requests import rank_of
from crawler.frontier.solitude import Solitude
from crawler.outcome import HostLease
from crawler.request import Request


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
        self, settled: Sequence[Request], found: Iterable[Request]
    ) -> list[HostLease] | None:
        """Lease what `settled` requests found and is new; None: nothing is, or not now.

        All or nothing, as what is not leased here would wait for the commit.
        """
        if not self._is_prepared and not self._prepare():
            return None
        new = self._new(found)
        if not new or not self._may_go_on(settled, new):
            return None
        if not self._solitude.keep():
            self.forget()
            return None
        return [self._lease(name, requests) for name, requests in new.items()]

    def key_of(self, number: int) -> int:
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
        if self._solitude.begin():
            self.next_id = self.number_from(self._books.sizes().next_id)
            self._known.load(self._options.most_keys)
            self._is_prepared = True
        return self._is_prepared

    def _new(self, found: Iterable[Request]) -> dict[str, dict[int, Request]]:
        """Return requests with new URLs, by host and fingerprint.

        None if one of all is wanted though it is known: whether it is queued is for a commit.
        """
        new: dict[str, dict[int, Request]] = {}
        for request in self._known.sifted(found):
            if request.again or request.seeded:
                return {}
            key = self._known.key_of(request)
            if key not in self.found and not self._known.has(key):
                new.setdefault(request.host, {}).setdefault(key, request)
        return new

    def _may_go_on(
        self, settled: Iterable[Request], new: Mapping[str, Mapping[int, Request]]
    ) -> bool:
        """True if hosts have nothing else to offer, and may be asked for what is new."""
        for name in {*new, *[request.host for request in settled]}:
            held = self._hosts.held.get(name)
            if held is None or not held.is_empty or held.shared or held.leaving or held.given_up:
                return False
            if name in new:
                most = self._options.batch(held.notes) if held.notes is not None else 0
                if len(held.out) + len(new[name]) > most:
                    return False
        return not self._blame.waits

    def _lease(self, name: str, requests: Mapping[int, Request]) -> HostLease:
        """Lease requests of a host, which were found under these keys."""
        held = self._hosts.held[name]
        leased = []
        for key, request in requests.items():
            number, self.next_id = self.next_id, self.next_id + 1
            numbered = structs.replace(request, id=number)
            self.found[key], self._keys[number] = numbered, key
            self._known.remember(request)
            held.out[number] = rank_of(request)
            leased.append(numbered)
        origin = urls.origin_of(leased[0].url)
        return HostLease(name, origin, leased, held.notes, held.due, held.slots)

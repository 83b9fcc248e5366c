"""The frontier's transactions in SQLite."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec import Struct

from crawler import urls
from crawler.frontier.ahead import Ahead
from crawler.frontier.blame import Blame
from crawler.frontier.books import Books
from crawler.frontier.hosts import Change, Held, Hosts
from crawler.frontier.known import Known
from crawler.frontier.lending import Lending
from crawler.frontier.options import Options
from crawler.frontier.peers import Peers
from crawler.frontier.portions import portion
from crawler.frontier.posting import Posting
from crawler.frontier.presence import Flight
from crawler.frontier.requests import Requests, rank_of
from crawler.frontier.retrying import Retrying
from crawler.frontier.returned import Returned
from crawler.frontier.schema import Patience
from crawler.frontier.shapes import Shapes
from crawler.frontier.sharing import Sharing
from crawler.frontier.solitude import Solitude
from crawler.frontier.store import Store
from crawler.outcome import Batch, HostLease, HostNotes
from crawler.request import Request

_SHARED_BATCH = 8
"""Requests of a shared host that one process takes at once."""


class Taken(Struct, frozen=True):
    """What a look for work came to: `due` is when to look again, None if that takes an event."""

    leases: Sequence[HostLease]
    over: bool
    due: float | None


class Ledger:
    """Leases and commits: each one transaction, and what this process holds beside it.

    For one thread. What is held here changes only once its transaction is true.
    """

    def __init__(
        self, connection: Store, *, peers: Peers, solitude: Solitude, options: Options
    ) -> None:
        self._db = connection
        self._patience = Patience(connection)
        self.options = options
        self.clock = options.clock
        self.peers = peers
        self.hosts = Hosts(connection, ask_notes=options.ask_notes)
        self.known = Known(connection, rules=options.rules)
        self.requests = Requests(connection, known=self.known)
        self.books = Books(connection)
        self.lending = Lending(connection)
        self.retrying = Retrying(connection)
        self.blame = Blame(connection, self.requests, self.known)
        self.ahead = Ahead(self.hosts, self.known, self.books, self.blame, solitude, options)
        self._posting = Posting(
            self.hosts,
            self.requests,
            self.known,
            self.books,
            self.blame,
            shapes=Shapes(connection, most=options.shape_pages),
            gate=options.gate,
            host_pages=options.host_pages,
        )
        self._sharing = Sharing(self.hosts, self.requests, slots=options.slots)
        self.reserved = 0
        self.out = 0
        """How many requests this process has in hand."""

    def flight(self, request: Request) -> Flight | None:
        """Return what to blame for a death in the hands of the spider; None if it is not queued."""
        held = self.hosts.held.get(request.host)
        if held is None or request.id < 1:
            return None
        return Flight(held.id, rank_of(request), request.id, self.ahead.unqueued_key(request.id))

    def take(self, limit: int) -> Taken:
        """Take hosts that are due, with at most `limit` requests in all."""
        now = self.clock()
        try:
            with self._sharing.undoing(), self.transaction():
                for held in self._posting.wake(now):
                    held.restock()
                    self.enter(held)
                if self.peers.several or self._sharing.is_sharing:
                    self._sharing.meet(self.peers)
                taken = self._pick(limit, now)
                fresh = [held for held, _ in taken if held.name not in self.hosts.held]
                self.hosts.hold(fresh, self.peers.number)
                out = self.out + sum(len(lease.requests) for _, lease in taken)
                over = not taken and self.books.is_empty()
                if taken:
                    self.peers.stay(in_hand=out, reserved=self.reserved)
                elif self.peers.several and not over:
                    self.peers.starve()
                dues = [self.books.first_delayed(), self.hosts.first_free()]
        except BaseException:
            self.look_again()  # those that were looked at have to be looked at again
            raise
        self.out = out
        for held, lease in taken:
            self._keep(held, lease)
        dues.append(self.hosts.first_held())
        due = min((due for due in dues if due is not None), default=None)
        return Taken([lease for _, lease in taken], over, due)

    def post(
        self, settled: Sequence[Request], found: Sequence[Request], *, limit: int
    ) -> Sequence[HostLease] | None:
        """See `Frontier.post`; on the loop where it `needs_store` for nothing and that rests."""
        leases = self.ahead.hand_out(settled, found, limit=limit)
        self.out += sum(len(lease.requests) for lease in leases or ())
        return leases

    def commit(self, batch: Batch, *, posted: bool = False) -> None:
        """Make `batch` true; with `posted`, it has all that was posted."""
        now = self.clock()
        pages = batch.counts.get("pages", 0) if self.options.max_pages is not None else 0
        try:
            with self.transaction():
                changes = self._posting.write(batch, now, ahead=self.ahead, posted=posted)
                returned = Returned(batch)
                for name, change in changes.items():
                    held = self.hosts.held.get(name)
                    if held is not None and not held.shared:
                        change.released = returned.leaves_idle(held, batch)
                self._end_wishes(returned, changes)
                self.hosts.save(changes.values())
                self._posting.drop_refused(changes)
                out = self.out - sum(
                    len(held.out.keys() & ids)
                    for name, ids in returned.ids.items()
                    if (held := self.hosts.held.get(name)) is not None
                )
                self.peers.stay(in_hand=out, reserved=self.reserved - pages)
                self.books.commit(batch, now, process=self.peers.number)
        except BaseException:
            self._forget()
            raise
        if posted:
            self.ahead.queued()
        self.out = out
        self.reserved -= pages
        self.requests.forget_claims(request.id for request in batch.settled)
        for name, change in changes.items():
            if (held := self.hosts.held.get(name)) is not None:
                self._after(held, change, batch, returned)

    def claim(self, finals: Mapping[int, int]) -> set[int]:
        """See `Frontier.claim`."""
        try:
            with self.transaction():
                return self.requests.claim(finals)
        except BaseException:
            self._forget()
            raise

    def reserve(self, pages: int) -> int:
        """See `Frontier.reserve`."""
        most = self.options.max_pages
        with self.transaction():
            if most is not None and pages > 0:
                gone = self.books.count("pages") + self.peers.reserved_elsewhere() + self.reserved
                pages = max(0, min(pages, most - gone))
            self.peers.stay(in_hand=self.out, reserved=self.reserved + pages)
        self.reserved += pages
        return pages

    def look_again(self) -> None:
        """Hear that other processes changed something: dry queues may have got more."""
        self.ahead.forget()
        for held in self.hosts.held.values():
            held.restock()
            self.enter(held)

    @contextmanager
    def transaction(self, *, fenced: bool = True) -> Iterator[None]:
        """Do all of the block or nothing: see `Store.transaction`.

        `fenced`: raises `LeasesLost` if this process was taken for dead; others have what it held.
        """
        with self._patience.of(self._db.transaction()):
            if fenced:
                self.peers.check()
            yield

    def _forget(self) -> None:
        """Know nothing of the store by heart: a transaction was undone."""
        self.known.forget()
        self.ahead.forget()
        self.blame.look()

    def _end_wishes(self, returned: Returned, changes: Mapping[str, Change]) -> None:
        """Hear which requests to hosts of other processes are made."""
        for name, number in returned.errands.items():
            held = self.hosts.held.get(name)
            # More than we hold it for: they were granted before its holder died, and we got it.
            for _ in range(number - (held.borrowed if held is not None else 0)):
                self.lending.end(changes[name].id, self.peers.number)

    def _pick(self, limit: int, now: float) -> list[tuple[Held, HostLease]]:
        """Return hosts and leases of them, the longest due first."""
        taken: list[tuple[Held, HostLease]] = []
        free = self.hosts.free(now, limit)
        candidates = self.hosts.due(now) + free
        most = portion(limit, hosts=len(candidates))
        for held in sorted(candidates, key=lambda held: held.due):
            if limit < 1:
                self.enter(held)
            elif (lease := self._lease(held, min(limit, most), now)) is not None:
                taken.append((held, lease))
                limit -= max(1, len(lease.requests))
        return taken

    def _lease(self, held: Held, limit: int, now: float) -> HostLease | None:
        """Return a lease of a host with what it may have, or None if that is nothing now."""
        known = self.hosts.refresh(held, now)
        if reason := known.refusal(self.options.host_pages):
            # Said by another process, or by new settings of this life.
            self._posting.drop(held.id, held.name, reason)
        if held.due > now:
            self.enter(held)
            return None
        notes = held.notes_at(now)
        asks = notes is None
        room = min(limit, self._room(held, known, notes))
        some = room > 0 and self.requests.first(held.id, 1 if asks else room, without=held.out)
        held.dry = not some or (len(some) < room and not asks)
        held.is_empty = held.dry and room > 0 and not asks
        held.given_up = reason == "host_given_up"
        if not some:
            return None
        if held.shared and not asks:
            places = [(rank_of(request), request.id) for request in some]
            self.requests.mark_taken(held.id, places, self.peers.number)
        origin = urls.origin_of(some[0].url) if held.name else ""
        requests = () if asks else some
        return HostLease(held.name, origin, requests, notes, held.due, held.slots, held.delay)

    def _room(self, held: Held, known: Change, notes: HostNotes | None) -> int:
        """Return how many requests may be leased: nothing until half of the last are back."""
        if held.notes is None:
            return 0 if held.asking else 1
        most = self.options.batch(held.notes)
        if held.shared:
            most = min(most, _SHARED_BATCH)
        out = len(held.out)
        if out > most // 2 or held.leaving:
            return 0
        if self.options.host_pages is not None:
            others = self.requests.count_taken(held.id) - out if held.shared else 0
            most = min(most, self.options.host_pages - known.was_pages - others)
        if most > out and notes is None:
            return 0 if held.asking else 1
        return most - out

    def _keep(self, held: Held, lease: HostLease) -> None:
        """Note what is out, now that the transaction is true."""
        self.hosts.held[held.name] = held
        if lease.notes is None:
            held.asking = True
        held.out.update((request.id, rank_of(request)) for request in lease.requests)
        self.enter(held)

    def _after(self, held: Held, change: Change, batch: Batch, returned: Returned) -> None:
        """Take back what is settled; let a host go that the transaction released."""
        for number in returned.of(held):
            held.out.pop(number, None)
        held.borrowed = max(0, held.borrowed - returned.errands[held.name])
        if held.name in batch.notes:
            held.asking, held.notes = False, batch.notes[held.name]
        if change.released:
            del self.hosts.held[held.name]
            return
        held.due = max(held.due, change.due)
        held.dry = False
        held.is_empty = held.is_empty and not change.pushed
        held.given_up = change.refusal(None) is not None
        self.enter(held)

    def enter(self, held: Held) -> None:
        """Let a host of ours be looked at when it is due, if there may be something to lease."""
        full = held.notes is not None and len(held.out) > self.options.batch(held.notes) // 2
        idles = held.dry or held.leaving or held.asking or full
        if not idles and self.hosts.held.get(held.name) is held:
            self.hosts.enter(held)

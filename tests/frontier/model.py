"""A frontier as dicts and lists: what every frontier has to come to.

Requests are told apart by the number in their `data`, which is also their age.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from crawler.outcome import Batch, HostLease, HostNotes
from crawler.request import Request


class Host:
    """One host: its queue, what is out, and when it may be asked."""

    def __init__(self, due: float) -> None:
        self.due = due
        self.notes: HostNotes | None = None
        self.asking = False
        self.given_up: str | None = None
        self.pages = 0
        self.queue: list[Request] = []
        self.out: dict[int, Request] = {}
        self.answers, self.seconds = 0, 0.0

    def first(self, number: int) -> list[Request]:
        """Return the requests that go first."""
        place = sorted(self.queue, key=lambda r: (-r.priority, r.depth, r.data))
        return place[:number]


class Model:
    """What is queued, out, delayed and known, and what the run has counted so far."""

    def __init__(self, *, batch: int, host_pages: int | None, max_pages: int | None) -> None:
        self.now = 1000.0
        self.hosts: dict[str, Host] = {}
        self.delayed: list[tuple[float, Request]] = []
        self.known = {"seed:"}
        self.claims: dict[int, str] = {}
        self.counts: Counter[str] = Counter()
        self.kept: dict[str, bytes] = {}
        self.position: dict[str, int] = {}
        self.examples: list[str] = []
        self.reserved = 0
        self._earlier_claims: set[int] = set()
        self._batch, self._host_pages, self._max_pages = batch, host_pages, max_pages

    def host(self, name: str) -> Host:
        return self.hosts.setdefault(name, Host(self.now))

    def refusal(self, host: Host) -> str | None:
        """Return why nothing more may be asked of a host."""
        if host.given_up:
            return "host_given_up"
        most = self._host_pages
        return "host_pages" if most is not None and host.pages >= most else None

    def out(self) -> list[Request]:
        return [request for host in self.hosts.values() for request in host.out.values()]

    def is_over(self) -> bool:
        return not (self.delayed or any(host.queue or host.out for host in self.hosts.values()))

    def commit(self, batch: Batch, *, early: Sequence[Request] = ()) -> None:
        """Do what a batch says; `early`: what of it was leased before."""
        self._take_early([r for r in batch.found if r.data in {e.data for e in early}], early)
        for name, reason in batch.given_up.items():
            self.host(name).given_up = self.host(name).given_up or reason
        for name, notes in batch.notes.items():
            self.host(name).notes, self.host(name).asking = notes, False
        for name, due in batch.due.items():
            self.host(name).due = max(self.host(name).due, due)
        for name, number in batch.pages.items():
            self.host(name).pages += number
        for name, (answers, seconds) in batch.answers.items():
            self.host(name).answers += answers
            self.host(name).seconds += seconds
        failed = [request.data for request, _ in batch.failed]
        for request in batch.settled:
            self._settle(request, is_failed=request.data in failed)
        for request, due in batch.retried:
            del self.host(request.host).out[request.data]
            self.delayed.append((due, request))
        for name in {*batch.given_up, *batch.pages}:
            self._drop_refused(self.host(name))
        for request in batch.found:
            self._find(request)
        self.counts.update(batch.counts)
        self.kept.update(batch.kept)
        self.position.update(batch.position)
        self.examples = [*self.examples, *batch.examples][:10]
        self.reserved -= batch.counts.get("pages", 0)

    def _take_early(self, found: Sequence[Request], early: Sequence[Request]) -> None:
        for host in {request.host: self.hosts[request.host] for request in early}.values():
            assert self.knows(host)
            assert not host.queue  # else something may have to come first
            assert not self.refusal(host)
        by_data = {leased.data: leased for leased in early}
        assert len(by_data) == len(found) == len(early)
        for request in found:
            leased = by_data[request.data]
            assert plain(request) == plain(leased)
            self._find(request)
            host = self.hosts[request.host]
            host.queue.remove(request)
            host.out[request.data] = leased
            assert len(host.out) <= self._batch

    def _settle(self, request: Request, *, is_failed: bool) -> None:
        self.host(request.host).out.pop(request.data, None)  # not there: made out of turn
        if is_failed:
            return
        url = self.claims.pop(request.data, "")
        if request.data in self._earlier_claims:
            self.known.discard(url)

    def _find(self, request: Request) -> None:
        if request.url in self.known and not request.again:
            return
        self.known.add(request.url)
        self.counts["discovered"] += request.kind != "seed"
        host = self.host(request.host)
        if reason := self.refusal(host):
            self.counts[f"left_out.{reason}"] += 1
        else:
            host.queue.append(request)

    def _drop_refused(self, host: Host) -> None:
        if host.queue and (reason := self.refusal(host)):
            self.counts[f"left_out.{reason}"] += len(host.queue)
            host.queue.clear()

    def refused_again(self) -> bool:
        """True if hosts that may not be asked got something back from a life that ended."""
        return any(host.queue and self.refusal(host) for host in self.hosts.values())

    def wake(self) -> None:
        """Queue what is due again."""
        for due, request in self.delayed:
            if due <= self.now:
                self.host(request.host).queue.append(request)
                self._drop_refused(self.host(request.host))
        self.delayed = [(due, request) for due, request in self.delayed if due > self.now]
        for host in self.hosts.values():
            if host.due <= self.now:
                self._drop_refused(host)

    def knows(self, host: Host) -> bool:
        """True if a host's notes are there, and not too old."""
        return host.notes is not None and host.notes.are_fresh(self.now)

    def room(self, host: Host) -> int:
        """Return how many requests of a host may be leased now; one, if it is to be asked first."""
        if host.due > self.now or not host.queue:
            return 0
        if host.notes is not None and len(host.out) > self._batch // 2:
            return 0
        most = self._batch
        if self._host_pages is not None:
            most = min(most, self._host_pages - host.pages)
        if not self.knows(host) and most > len(host.out):
            return int(not host.asking)
        return max(0, min(most - len(host.out), len(host.queue)))

    def take(self, leases: Sequence[HostLease], limit: int) -> None:
        """Check what was leased, and let it be out."""
        dues = [lease.due for lease in leases]
        assert dues == sorted(dues)
        for lease in leases:
            host = self.hosts[lease.host]
            room = self.room(host)
            assert room
            assert lease.due == host.due
            assert (lease.notes is not None) == self.knows(host)
            expected = host.first(min(room, limit)) if self.knows(host) else []
            assert [plain(request) for request in lease.requests] == [plain(r) for r in expected]
            for request in expected:
                host.queue.remove(request)
            host.out.update((request.data, request) for request in lease.requests)
            host.asking = not self.knows(host)
            limit -= max(1, len(expected))
            assert limit >= 0
        left = [host.due for host in self.hosts.values() if self.room(host)]
        assert not left or (limit == 0 and min(left) >= max(dues))

    def claim(self, request: Request, url: str) -> bool:
        """Return True if a final URL is another's already."""
        self._earlier_claims.discard(request.data)
        if self.claims.get(request.data) == url:
            return False
        self.known.discard(self.claims.pop(request.data, ""))
        if url in self.known:
            return True
        self.known.add(url)
        self.claims[request.data] = url
        return False

    def reserve(self, pages: int) -> int:
        if self._max_pages is not None and pages > 0:
            pages = min(pages, self._max_pages - self.counts["pages"] - self.reserved)
        self.reserved += pages
        return pages

    def end_life(self) -> None:
        """Let what is out be queued again."""
        for host in self.hosts.values():
            host.queue += host.out.values()
            host.out.clear()
            host.asking = False
        self._earlier_claims = set(self.claims)
        self.reserved = 0


def plain(request: Request) -> dict[str, Any]:
    """Return a request as its fields, but for the id that a frontier gave it."""
    return {name: getattr(request, name) for name in request.__struct_fields__ if name != "id"}

"""What a commit does to queue and hosts."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from functools import partial

from msgspec import structs

from crawler.frontier.ahead import Ahead
from crawler.frontier.blame import Blame
from crawler.frontier.books import Books
from crawler.frontier.hosts import Change, Held, Hosts
from crawler.frontier.known import Known
from crawler.frontier.requests import Place, Requests, Row, rank_of
from crawler.frontier.shapes import Shapes
from crawler.outcome import Batch
from crawler.request import Request
from crawler.rules.gate import Gate


class Posting:
    """Writes down what batches do, in the transaction of whoever calls."""

    def __init__(
        self,
        hosts: Hosts,
        requests: Requests,
        known: Known,
        books: Books,
        blame: Blame,
        *,
        shapes: Shapes,
        gate: Gate,
        host_pages: int | None,
    ) -> None:
        self._hosts = hosts
        self._blame = blame
        self._requests = requests
        self._known = known
        self._books = books
        self._count = partial(books.add, number=1)
        self._shapes = shapes
        self._gate = gate
        self._host_pages = host_pages

    def write(self, batch: Batch, now: float, *, ahead: Ahead, posted: bool) -> dict[str, Change]:
        """Write what a batch does to requests; return what it does to hosts, to be saved.

        `posted`: what is `ahead` is queued as well.
        """
        changes = self._hosts.changes(batch.due)

        def change(name: str) -> Change:
            if name not in changes:
                changes[name] = self._hosts.change(name, now)
            return changes[name]

        for name, reason in batch.given_up.items():
            change(name).given_up = reason
        for name, notes in batch.notes.items():
            change(name).notes = notes
        for name, due in batch.due.items():
            change(name).due = due
        for name, delay in batch.delays.items():
            change(name).delay = delay
        for name, alone in batch.alone.items():
            change(name).alone = alone
        for name, number in batch.pages.items():
            change(name).pages += number
        for name, (answers, seconds) in batch.answers.items():
            change(name).answers, change(name).seconds = answers, seconds
        callbacks: Counter[str] = Counter()
        unborn = ahead.found if posted else {}
        back = self._return(batch, change, callbacks, unborn={r.id for r in unborn.values()})
        early = self._queue_early(unborn, batch, change, callbacks)
        queued, known = self._find(batch.found, change, callbacks, ahead)
        self._requests.count_callbacks(callbacks)
        if back or queued or known or early:
            self._books.resize(
                queued=queued + early - back,
                delayed=len(batch.retried),
                known=known + early,
                next_id=ahead.next_id if batch.found or early else None,
            )
        return changes

    def _return(
        self,
        batch: Batch,
        change: Callable[[str], Change],
        callbacks: Counter[str],
        *,
        unborn: Set[int],
    ) -> int:
        """Take settled requests out of the queue, and put those to be retried aside."""
        settled = [request for request in batch.settled if request.id > 0]
        back = 0
        places: list[Place] = []
        for request in (*batch.settled, *(request for request, _ in batch.retried)):
            host = change(request.host)
            if request.id > 0:
                host.added -= 1
                back += 1
                if request.id not in unborn:
                    places.append((host.id, rank_of(request), request.id))
        self._requests.remove(places)
        self._requests.delay(
            (due, r.id, change(r.host).id, rank_of(r), r) for r, due in batch.retried
        )
        # What failed may be tried again, and is to end at the URL that was its own.
        failed = {request.id for request, _ in batch.failed}
        self._requests.settle_claims(request.id for request in settled if request.id not in failed)
        self._requests.keep_failed(batch.failed)
        callbacks.subtract(request.callback for request in settled)
        return back

    def _queue_early(
        self,
        found: Mapping[int, Request],
        batch: Batch,
        change: Callable[[str], Change],
        callbacks: Counter[str],
    ) -> int:
        """Queue what was handed out, but for what is not there any more; return how many."""
        gone = {request.id for request in batch.settled}
        gone.update(request.id for request, _ in batch.retried)
        rows: list[Row] = []
        for request in found.values():
            host = change(request.host)
            host.added += 1
            callbacks[request.callback] += 1
            if request.id not in gone:
                rows.append(self._requests.push(host.id, request.id, request))
        self._requests.insert(sorted(rows))
        self._known.add_new(found)
        if found:
            self._books.add("discovered", len(found))
        return len(found)

    def _find(
        self,
        found: Sequence[Request],
        change: Callable[[str], Change],
        callbacks: Counter[str],
        ahead: Ahead,
    ) -> tuple[int, int]:
        """Queue what is new; return how many are, and how many URLs are."""
        if not found:
            return 0, 0
        rows: list[Row] = []
        known = seeds = discovered = 0
        number = ahead.number_from(self._books.sizes().next_id)
        for request in self._known.sifted(found):
            is_new, wanted = self._known.find(request)
            known += is_new
            if not wanted:
                continue
            seeds += not (request.depth or request.parent)
            discovered += request.kind != "seed"
            host = change(request.host)
            admitted = self._admitted(request, host)
            if admitted is None:
                continue
            host.added += 1
            host.pushed += 1
            rows.append(self._requests.push(host.id, number, self._blame.of(admitted)))
            callbacks[request.callback] += 1
            number += 1
        self._requests.insert(sorted(rows))
        if discovered:
            self._books.add("discovered", discovered)
        if seeds:
            self._requests.seeding_went_on()
        ahead.next_id = number
        return len(rows), known

    def _admitted(self, request: Request, host: Change) -> Request | None:
        """Return a request that is new as it is queued; None if it is left out, which counts."""
        lag = self._gate.admit(request, self._count)
        if lag is None:
            return None
        reason = host.refusal(self._host_pages)
        if reason is None and not self._shapes.has_room(request):
            reason = "shape_pages"
        if reason is not None:
            self._count(f"left_out.{reason}")
            return None
        return request if lag == request.lag else structs.replace(request, lag=lag)

    def drop_refused(self, changes: Mapping[str, Change]) -> None:
        """Empty the queues of hosts that nobody may ask any more."""
        for name, change in changes.items():
            if not (change.given_up or change.pages):
                continue
            if reason := change.refusal(self._host_pages):
                self.drop(change.id, name, reason)

    def drop(self, host: int, name: str, reason: str) -> None:
        """Empty the queue of a host, but for what is out; one of another process is left to it."""
        held = self._hosts.held.get(name)
        if held is None and self._hosts.find(host)[1]:
            return  # its holder alone knows what is out
        dropped = self._requests.drop(host, without=held.out if held is not None else ())
        if number := dropped.total():
            self._requests.count_callbacks({name: -n for name, n in dropped.items()})
            self._books.add(f"left_out.{reason}", number)
            self._books.resize(queued=-number)
            change = Change(host)
            change.added = -number
            self._hosts.save([change])

    def wake(self, now: float) -> list[Held]:
        """Queue delayed requests that are due again; return those of our hosts that got some."""
        ours = []
        woken = self._requests.wake(now)
        for host, number in woken.items():
            held, _ = self._hosts.find(host)
            change = self._hosts.refresh(held, now)
            change.added = number
            self._hosts.save([change])
            self._books.resize(queued=number, delayed=-number)
            if reason := change.refusal(self._host_pages):
                self.drop(host, held.name, reason)
            elif (mine := self._hosts.held.get(held.name)) is not None:
                ours.append(mine)
        return ours

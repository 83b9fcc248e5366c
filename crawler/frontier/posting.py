"""What a commit does to queue and hosts."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from crawler.frontier.blame import Blame
from crawler.frontier.books import Books
from crawler.frontier.hosts import Change, Held, Hosts
from crawler.frontier.requests import Place, Requests, Row, rank_of
from crawler.outcome import Batch
from crawler.request import Request


class Posting:
    """Writes down what batches do, in the transaction of whoever calls."""

    def __init__(
        self,
        hosts: Hosts,
        requests: Requests,
        books: Books,
        blame: Blame,
        *,
        host_pages: int | None,
    ) -> None:
        self._hosts = hosts
        self._blame = blame
        self._requests = requests
        self._books = books
        self._host_pages = host_pages

    def post(self, batch: Batch, now: float) -> dict[str, Change]:
        """Write what a batch does to requests; return what it does to hosts, to be saved."""
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
        for name, number in batch.pages.items():
            change(name).pages += number
        for name, (answers, seconds) in batch.answers.items():
            change(name).answers, change(name).seconds = answers, seconds
        callbacks: Counter[str] = Counter()
        back = self._return(batch, change, callbacks)
        queued, known, next_id = self._find(batch.found, change, callbacks)
        self._requests.count_callbacks(callbacks)
        if back or queued or known:
            self._books.resize(
                queued=queued - back, delayed=len(batch.retried), known=known, next_id=next_id
            )
        return changes

    def _return(
        self, batch: Batch, change: Callable[[str], Change], callbacks: Counter[str]
    ) -> int:
        """Take settled requests out of the queue, and put those to be retried aside."""
        settled = [request for request in batch.settled if request.id > 0]
        places: list[Place] = []
        for request in (*batch.settled, *(request for request, _ in batch.retried)):
            host = change(request.host)
            if request.id > 0:
                host.added -= 1
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
        return len(places)

    def _find(
        self, found: Sequence[Request], change: Callable[[str], Change], callbacks: Counter[str]
    ) -> tuple[int, int, int | None]:
        """Queue what is new; return how many are, how many URLs are, and the next id."""
        if not found:
            return 0, 0, None
        rows: list[Row] = []
        known = seeds = 0
        number = self._books.sizes().next_id
        for request in self._requests.sifted(found):
            is_new, wanted = self._requests.find(request)
            known += is_new
            if not wanted:
                continue
            seeds += not (request.depth or request.parent)
            host = change(request.host)
            if reason := host.refusal(self._host_pages):
                self._books.add(f"left_out.{reason}", 1)
                continue
            host.added += 1
            rows.append(self._requests.push(host.id, number, self._blame.of(request)))
            callbacks[request.callback] += 1
            number += 1
        self._requests.insert(sorted(rows))
        if seeds:
            self._requests.seeding_went_on()
        return len(rows), known, number

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
            change = self._hosts.refresh(held)
            change.added = number
            self._hosts.save([change])
            self._books.resize(queued=number, delayed=-number)
            if reason := change.refusal(self._host_pages):
                self.drop(host, held.name, reason)
            elif (mine := self._hosts.held.get(held.name)) is not None:
                ours.append(mine)
        return ours

"""What a commit does to queue and hosts."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from crawler.frontier.books import Books
from crawler.frontier.hosts import Change, Held, Hosts
from crawler.frontier.requests import Requests, Row, rank_of
from crawler.outcome import Batch
from crawler.request import Request


class Posting:
    """Writes down what batches do, in the transaction of whoever calls."""

    def __init__(
        self, hosts: Hosts, requests: Requests, books: Books, *, host_pages: int | None
    ) -> None:
        self._hosts = hosts
        self._requests = requests
        self._books = books
        self._host_pages = host_pages

    def post(self, batch: Batch, now: float) -> dict[str, Change]:
        """Write what a batch does to requests; return what it does to hosts, to be saved."""
        changes: dict[str, Change] = {}

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
        for request in batch.pages:
            change(request.host).pages += 1
        for name, (answers, seconds) in batch.answers.items():
            change(name).answers, change(name).seconds = answers, seconds
        self._return(batch, change)
        self._find(batch.found, change)
        return changes

    def _return(self, batch: Batch, change: Callable[[str], Change]) -> None:
        """Take settled requests out of the queue, and put those to be retried aside."""
        settled = [request for request in batch.settled if request.id > 0]
        for request in batch.settled:
            change(request.host)
        back = [*settled, *(request for request, _ in batch.retried)]
        places = [(change(r.host).id, rank_of(r), r.id) for r in back]
        for request in back:
            change(request.host).added -= 1
        self._requests.remove(places)
        self._requests.delay(
            (due, r.id, change(r.host).id, rank_of(r), r) for r, due in batch.retried
        )
        # What failed may be tried again, and is to end at the URL that was its own.
        failed = {request.id for request, _ in batch.failed}
        self._requests.settle_claims(request.id for request in settled if request.id not in failed)
        self._requests.keep_failed(batch.failed)
        callbacks = Counter(request.callback for request in settled)
        self._requests.count_callbacks({name: -number for name, number in callbacks.items()})
        self._books.resize(queued=-len(back), delayed=len(batch.retried))

    def _find(self, found: Sequence[Request], change: Callable[[str], Change]) -> None:
        """Queue what is new."""
        rows: list[Row] = []
        callbacks: Counter[str] = Counter()
        known = seeds = 0
        number = self._books.sizes().next_id
        for request in found:
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
            rows.append(self._requests.push(host.id, number, request))
            callbacks[request.callback] += 1
            number += 1
        if rows or known:
            self._requests.insert(sorted(rows))
            self._requests.count_callbacks(callbacks)
            self._books.resize(queued=len(rows), known=known, next_id=number)
        if seeds:
            self._requests.seeding_went_on()

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

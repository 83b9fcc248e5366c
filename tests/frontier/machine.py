"""Does the same to a frontier and to the model, in any order."""

import asyncio
from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import structs

from crawler.outcome import ALL_PAGES, Batch, Counts, HostLease, HostNotes
from crawler.protocols import Frontier
from crawler.request import Request, link_request
from tests.frontier.contract import NOTES, by_host
from tests.frontier.model import Model

SEED = link_request(url="seed:", kind="seed", callback="start")
_HOSTS = ("a", "b", "c")
_BATCH = 3

hosts = st.sampled_from(_HOSTS)
limits = st.sampled_from([1, 4, 100])
several = st.lists(st.integers(0, 9), max_size=4)
links = st.lists(
    st.tuples(hosts, st.integers(0, 7), st.integers(-1, 1), st.integers(0, 2), st.booleans()),
    max_size=6,
)


class Machine(RuleBasedStateMachine):
    """Drives one frontier and the model, and compares what they say and what they come to."""

    frontier: Frontier

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.number = 0
        self.lives = 0
        self.errands: list[str] = []

    @initialize(
        host_pages=st.sampled_from([None, None, 1, 4]),
        max_pages=st.sampled_from([None, None, 5]),
        ask_notes=st.booleans(),
    )
    def begin(self, host_pages: int | None, max_pages: int | None, ask_notes: bool) -> None:
        self.model = Model(batch=_BATCH, host_pages=host_pages, max_pages=max_pages)
        self.options: dict[str, Any] = {
            "clock": lambda: self.model.now,
            "batch": lambda notes: _BATCH,
            "host_pages": host_pages,
            "max_pages": max_pages,
        }
        self.open()
        self.runner.run(self._seed())
        if not ask_notes:
            self._commit(Batch(notes=dict.fromkeys(_HOSTS, NOTES)))

    @abstractmethod
    def open(self) -> None:
        """Open `frontier` with `options`."""

    def teardown(self) -> None:
        self.runner.run(self.frontier.aclose())
        self.runner.close()

    @rule(seconds=st.sampled_from([0.5, 1.0, 5.0]))
    def wait(self, seconds: float) -> None:
        self.model.now += seconds

    @rule(found=links)
    def find(self, found: list[tuple[str, int, int, int, bool]]) -> None:
        self._commit(Batch(found=[self._request(*link) for link in found]))

    @rule(limit=limits)
    def lease(self, limit: int) -> None:
        self._take(limit)

    @rule(host=hosts, found=links, steps=st.integers(1, 4), limit=limits)
    def follow(
        self, host: str, found: list[tuple[str, int, int, int, bool]], steps: int, limit: int
    ) -> None:
        """Go on with what a page found before that is committed, if that can be."""
        self._commit(Batch(notes={host: NOTES}, found=[self._fresh(host)]))
        self._take(100)
        ended = [request for request in self.model.out() if request.host == host][:1]
        if not (ended and self.frontier.may_post and self._pages_left() is None):
            return
        batch = Batch()
        early: list[Request] = []
        fresh = [self._request(host, *link[1:4], again=False) for link in found[:1]]
        for _ in range(steps):
            fresh.append(self._fresh(host))
            batch.settled += ended
            batch.found += fresh
            leases = self.runner.run(self.frontier.post(ended, fresh, limit=8))
            ended = [request for lease in leases or () for request in lease.requests]
            assert ended == sorted(ended, key=lambda r: (-r.priority, r.depth, r.data))
            early += ended
            if not ended:
                break
            fresh = []
        batch.pages = by_host(batch.settled)
        batch.counts = {"pages": len(batch.settled)}
        self._commit(batch, posted=True, early=early)
        self._take(limit)

    def _take(self, limit: int) -> None:
        if self.model.refused_again():
            limit = 100  # all that is due is looked at, and what may not be asked is dropped
        leases = self.runner.run(self._lease(limit))
        self.model.wake()
        if leases:
            self.model.take(leases, limit)
        else:
            assert (leases is not None) == self.model.is_over()
            assert not any(self.model.room(host) for host in self.model.hosts.values())

    @rule(ended=several, retried=several, failed=several, found=links, rest=st.booleans())
    def settle(
        self,
        ended: list[int],
        retried: list[int],
        failed: list[int],
        found: list[tuple[str, int, int, int, bool]],
        rest: bool,
    ) -> None:
        """Let requests end as pages, be put aside, or fail."""
        now, out = self.model.now, self.model.out()
        pages = _drawn(out, ended)[: self._pages_left()]
        again, bad = _drawn(out, retried), _drawn(out, failed)
        touched = {request.host for request in (*pages, *again, *bad)}
        self._commit(
            Batch(
                settled=[*pages, *bad],
                pages=by_host(pages),
                retried=[(structs.replace(r, attempt=r.attempt + 1), now + 2) for r in again],
                failed=[(request, ["status"]) for request in bad],
                found=[self._request(*link) for link in found],
                due=dict.fromkeys(touched, now + 1) if rest else {},
                answers={request.host: (1, 0.5) for request in pages},
                counts={"pages": len(pages), "failed.status": len(bad)},
                examples=[request.url for request in bad],
                position={"pages.jsonl": self.number},
                kept={"n": b"%d" % self.number},
            )
        )

    @rule(host=hosts, seconds=st.none() | st.integers(1, 9))
    def note(self, host: str, seconds: int | None) -> None:
        """Tell what robots.txt said, which grows old, or does not."""
        until = None if seconds is None else self.model.now + seconds
        self._commit(Batch(notes={host: HostNotes(until=until)}))

    @rule(host=hosts, seconds=st.integers(-5, 5))
    def rest(self, host: str, seconds: int) -> None:
        self._commit(Batch(due={host: self.model.now + seconds}))

    @precondition(lambda self: self.number > 20)
    @rule(host=hosts)
    def give_up(self, host: str) -> None:
        self._commit(Batch(given_up={host: f"why {self.number}"}))

    @precondition(lambda self: self.model.out())
    @rule(which=st.integers(0, 9), host=hosts)
    def claim(self, which: int, host: str) -> None:
        """Let a request end at another URL: in one life of the run always at the same."""
        (request,) = _drawn(self.model.out(), [which])
        url = f"http://{request.host}/{(request.data + self.lives) % 10}"
        if url == request.url:
            return
        late = self.runner.run(
            self.frontier.claim({request.id: link_request(url=url).fingerprint()})
        )
        assert late == ({request.id} if self.model.claim(request, url) else set())

    @rule(host=hosts)
    def borrow(self, host: str) -> None:
        """Hold a host for a request out of turn; if it is unknown, ask for its robots.txt."""
        its = self.model.host(host)
        (lease,) = self.runner.run(self.frontier.lease(0, host=host))
        if self.model.refusal(its):
            assert lease.alone == (its.given_up or ALL_PAGES)
            return
        assert not lease.alone
        assert (lease.host, lease.due, list(lease.requests)) == (host, its.due, [])
        assert (lease.notes is not None) == self.model.knows(its)
        if self.model.knows(its):
            self.errands.append(host)
        else:
            self._commit(Batch(notes={host: NOTES}))

    @precondition(lambda self: self.errands)
    @rule(is_page=st.booleans())
    def end_errand(self, is_page: bool) -> None:
        host = self.errands.pop()
        errand = link_request(url=f"http://{host}/errand", id=-1, data=-1)
        self._commit(Batch(settled=[errand], pages=by_host([errand] if is_page else [])))

    @rule(pages=st.integers(-2, 4))
    def reserve(self, pages: int) -> None:
        pages = max(pages, -max(0, self.model.reserved))
        assert self.runner.run(self.frontier.reserve(pages)) == self.model.reserve(pages)

    @invariant()
    def sizes_are_the_models(self) -> None:
        hosts = self.model.hosts.values()
        found = self.runner.run(self.frontier.counts())
        assert structs.replace(found, counters={}) == Counts(
            queued=sum(len(host.queue) for host in hosts),
            delayed=len(self.model.delayed),
            leased=len(self.model.out()),
            hosts=len(hosts),
            known=len(self.model.known),
        )

    @invariant()
    def totals_are_the_models(self) -> None:
        totals = self.runner.run(self.frontier.totals())
        assert +Counter(totals.counts) == +self.model.counts
        hosts = self.model.hosts.items()
        assert totals.given_up == {name: host.given_up for name, host in hosts if host.given_up}
        assert sorted(totals.slowest) == sorted(
            (name, host.answers, host.seconds / host.answers)
            for name, host in hosts
            if host.answers
        )
        assert list(totals.examples) == self.model.examples

    async def _seed(self) -> None:
        """Begin as every run does."""
        await self.frontier.commit(Batch(found=[SEED]))
        (lease,) = await self.frontier.lease(1)
        await self.frontier.commit(Batch(settled=list(lease.requests)))

    def _end_life(self) -> None:
        self.model.end_life()
        self.errands.clear()

    def _request(self, host: str, n: int, priority: int, depth: int, again: bool) -> Request:
        self.number += 1
        return link_request(
            url=f"http://{host}/{n}",
            callback=f"page_{n % 2}",
            data=self.number,
            priority=priority,
            depth=depth,
            again=again,
        )

    def _fresh(self, host: str) -> Request:
        return self._request(host, 100 + self.number, 0, 1, again=False)

    def _pages_left(self) -> int | None:
        return None if self.options["max_pages"] is None else max(0, self.model.reserved)

    def _commit(self, batch: Batch, *, posted: bool = False, early: Sequence[Request] = ()) -> None:
        """Commit, also in the model; `early`: what was leased before that queued it."""
        counts = self.runner.run(self.frontier.commit(batch, posted=posted)).counts
        self.model.commit(batch, early=early)
        assert +Counter(counts) == +self.model.counts

    async def _lease(self, limit: int) -> Sequence[HostLease] | None:
        """Return what is leased now, or None if that takes until something happens."""
        leasing = asyncio.create_task(self.frontier.lease(limit))
        for _ in range(4):  # each goes behind it through the frontier's thread, if it has one
            await asyncio.sleep(0)
            await self.frontier.counts()
        if leasing.done():
            return leasing.result()
        leasing.cancel()
        with suppress(asyncio.CancelledError):
            await leasing
        return None


def _drawn(requests: list[Request], places: list[int]) -> list[Request]:
    """Take requests out of a list by their places, counted round and round."""
    return [requests.pop(place % len(requests)) for place in places if requests]

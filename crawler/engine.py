"""The crawl: pump, ready queue, workers."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import closing
from typing import Any

from crawler.allowance import Allowance
from crawler.callbacks import Callbacks
from crawler.committer import Committer
from crawler.errands import Errands
from crawler.events import Event, Listener
from crawler.outbox import Crew, Outbox
from crawler.outcome import Batch, HostLease, Outcome, Verdict
from crawler.pipeline import Pipeline
from crawler.places import Places
from crawler.poison import Isolation
from crawler.protocols import Clock, Fetch, Frontier, Memory
from crawler.ready import Ready
from crawler.request import Request, link_request
from crawler.settings import Settings
from crawler.stats import Stats
from crawler.turns import Turns
from crawler.visits import Visits

SEEDING = link_request(url="seed:", kind="seed", callback="start")
"""The request whose visit runs the spider's `start()`: leased and settled like any other."""

STOP = "stop"
"""The name under which the processes of a run keep why all of them stop."""


class Engine:
    """Runs one crawl to its end: leaser → pump → ready queue → workers → committer.

    Knows seams and rules only. A bug in any part ends the crawl with its traceback: all tasks live
    in one `TaskGroup`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        frontier: Frontier,
        fetch: Fetch,
        turns: Turns,
        callbacks: Callbacks,
        pipeline: Pipeline,
        stats: Stats,
        clock: Clock,
        listeners: Sequence[Listener] = (),
        memories: Sequence[Memory] = (),
    ) -> None:
        self._settings = settings
        self._frontier = frontier
        self._turns = turns
        self._stats = stats
        self._ready = Ready(settings.concurrency)
        self._places = Places(settings.concurrency)
        self._stopping = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._isolation = Isolation()
        self.reason = "finished"
        self.is_over = True
        """False if it was this process alone that stopped: others may go on."""
        self.broken: str | None = None
        self._outbox = Outbox(settings.concurrency, crew=self._look_at_crew, posted=turns.wake)
        self._visits = Visits(
            settings,
            fetch=fetch,
            callbacks=callbacks,
            clock=clock,
            turns=turns,
            note=frontier.note,
            in_step=self._places.in_step,
            put=self._outbox.put,
        )
        self._committer = Committer(
            settings,
            frontier=frontier,
            pipeline=pipeline,
            turns=turns,
            stats=stats,
            listeners=listeners,
            memories=memories,
            outbox=self._outbox,
            stop=self.stop_everywhere,
            settled=self._settled,
        )
        self._allowance = Allowance(
            settings.max_pages,
            step=settings.concurrency,
            at_hand=lambda: turns.waiting,
            reserve=lambda pages: self._committer.patiently(lambda: frontier.reserve(pages)),
        )
        self._errands = Errands(
            settings,
            frontier=frontier,
            turns=turns,
            visits=self._visits,
            clock=clock,
            patiently=self._committer.patiently,
            put=self._outbox.hand_over,
            spawn=self._spawn,
        )

    async def run(self, *, fresh: bool = True) -> None:
        """Crawl until nothing is queued, delayed or leased anywhere, or until `stop`."""
        self._heed_limits()
        if fresh and not self._stopping:
            await self._frontier.commit(Batch(found=[SEEDING]))
        with closing(self._visits):
            async with asyncio.TaskGroup() as group:
                group.create_task(self._committer.run())
                beside = [
                    group.create_task(self._turns.grant_errands()),
                    group.create_task(self._frontier.watch()),
                    group.create_task(self._turns.find_addresses()),
                ]
                await self._run_crew()
                for task in beside:
                    task.cancel()
                await self._outbox.end()

    async def _run_crew(self) -> None:
        """Run leaser, pump and workers to the end of the last worker."""
        if self._stopping:
            return
        async with asyncio.TaskGroup() as crew:
            self._crew = crew
            self._leaser = self._spawn(self._lease())
            self._pump = self._spawn(self._feed())
            for _ in range(self._settings.concurrency):
                self._spawn(self._work())
            timer = self._start_timer()
        timer.cancel()

    def look_again(self) -> None:
        """Hear that another process of the run did something that may matter here."""
        self._allowance.look_again()

    def lend(self, wish: int, lease: HostLease) -> None:
        """Hear that another process wishes to ask a host that is held here."""
        if not self._stopping:
            self._spawn(self._errands.lend(wish, lease))

    async def tell(self, event: Event) -> None:
        """Let the listeners hear of an event."""
        await self._committer.tell(event)

    def stop(self, reason: str, *, at_once: bool = False, is_over: bool = False) -> None:
        """End in good order: pages in hand are finished, the rest goes back to the queue.

        What is not finished after `stop_seconds`, or `at_once`, goes back as well. The first reason
        stays. `is_over`: the other processes of the run stop as well.
        """
        if not self._stopping:
            self._stopping = True
            self.reason, self.is_over = reason, is_over
            self._committer.hurry.set()
            if self._tasks:
                self._dismiss()
                asyncio.get_running_loop().call_later(self._settings.stop_seconds, self._cancel)
        if at_once:
            self._cancel()

    def stop_everywhere(self, reason: str) -> None:
        """End as `stop` does, in every process of the run."""
        if not self._stopping:
            self.stop(reason, is_over=True)
            if self._tasks:
                self._spawn(self._announce(reason))

    async def _announce(self, reason: str) -> None:
        await self._frontier.commit(Batch(kept={STOP: reason.encode()}))

    async def _lease(self) -> None:
        """Lease hosts while no request at hand may go; nothing to lease anywhere is the end."""
        while True:
            await self._turns.hungry.wait()
            leases = await self._committer.patiently(
                lambda: self._frontier.lease(self._settings.concurrency)
            )
            if not leases:
                break
            self._turns.admit(leases)
        self._dismiss()

    async def _feed(self) -> None:
        """Pump: put each request into the ready queue when its host may be asked."""
        while True:
            await self._ready.room()
            request = await self._turns.next()
            if request.kind == "page":
                await self._allowance.take()
            self._ready.put(request)

    async def _work(self) -> None:
        while (request := await self._ready.next()) is not None:
            following: Request | None = request
            while following is not None:
                following = await self._begin(following)

    async def _begin(self, request: Request) -> Request | None:
        """Make a request when that is its turn; return one to make next, if it brought one."""
        await self._places.begin()
        # Nobody has begun with it before it is its turn: an errand may take its place.
        with await self._isolation.of(request):
            if self._stopping or not self._turns.begins(request):
                self._places.leave()
                self._forgo(request)
                return None
            return await self._make(request)

    async def _make(self, request: Request) -> Request | None:
        if request.kind == "seed":
            outcome = await self._seed(request)
        else:
            outcome = await self._visits.visit(request, errand=self._errands.fetch)
        if outcome is None:
            self._places.leave()
        elif outcome.verdict is Verdict.RETRY and request.kind == "robots":
            self._places.leave()
            self._turns.readmit(outcome)
        else:
            self._places.hand_over()
            if await self._outbox.post(outcome, ended=self._places.committed):
                return self._next_at_once()
            await self._places.in_step()
        return None

    def _next_at_once(self) -> Request | None:
        """Return a request that may go now, as pump and ready queue would, if nobody waits."""
        request = None
        if not self._stopping and self._ready.is_empty and self._allowance.take_at_once():
            request = self._turns.take()
            if request is None or request.kind != "page":
                self._allowance.put_back()
        self._turns.wake()
        return request

    def _look_at_crew(self) -> Crew:
        """Say if a commit may bring workers something to do, and nothing else will."""
        busy = self._places.busy
        if not self._places.free:
            return Crew.BUSY if busy else Crew.STUCK
        at_hand = not self._ready.is_empty or self._turns.waiting > 0
        return Crew.BUSY if busy and at_hand else Crew.IDLE

    async def _seed(self, request: Request) -> Outcome | None:
        outcome = await self._visits.seed(request, stopping=self._committer.hurry)
        self._turns.freed(request)
        if outcome is not None and outcome.verdict is Verdict.FAILED:
            self.broken = outcome.failures[0].reason
        return outcome

    def _forgo(self, request: Request) -> None:
        """Leave a request that comes again later, or that somebody else makes."""
        if request.kind == "page":
            self._allowance.put_back()
        self._give_back()

    def _settled(self, outcomes: Sequence[Outcome]) -> None:
        """Hear from the committer what is true now."""
        pages = [o for o in outcomes if o.request.kind == "page" and o.request.id > 0]
        self._allowance.settled(pages=len(pages), delivered=sum(o.delivered for o in pages))
        self._give_back()
        self._heed_limits()

    def _give_back(self) -> None:
        """Let other processes have the pages that we find no requests for."""
        if self._tasks and not self._stopping and self._allowance.is_idle:
            self._spawn(self._allowance.give_back())

    def _heed_limits(self) -> None:
        """Stop if the run has reached a limit; an earlier life of it may have."""
        if (limit := self._stats.limit_reached(self._settings)) is not None:
            self.stop_everywhere(limit)

    def _dismiss(self) -> None:
        """Let nothing more begin; each worker ends with what it has in hand."""
        self._leaser.cancel()
        self._pump.cancel()
        self._ready.dismiss()

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._committer.cut_short()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._crew.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _start_timer(self) -> asyncio.TimerHandle:
        seconds = self._settings.max_seconds
        left = 1e9 if seconds is None else max(0.0, seconds - self._stats.seconds)
        return asyncio.get_running_loop().call_later(left, self.stop_everywhere, "max_seconds")

"""Makes outcomes true, a batch at a time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TypeVar

from msgspec import structs

from crawler.batches import batch_of, may_be_posted
from crawler.errors import Stop, TargetError
from crawler.events import Event, Listener, PageDone, RequestFailed, RequestRetried
from crawler.fills import Fills
from crawler.keeping import kept_by
from crawler.outbox import Entry, Outbox, release
from crawler.outcome import MOST_EXAMPLES, Batch, Outcome, Position, Verdict
from crawler.pipeline import Pipeline
from crawler.protocols import Frontier, Memory
from crawler.repeats import have_keys, leave_out_repeats
from crawler.settings import Settings
from crawler.stats import Stats
from crawler.turns import Turns
from crawler.urls import KeyRules
from crawler.usercode import Raised, run_guarded

log = logging.getLogger(__name__)

T = TypeVar("T")


class Committer:
    """Takes outcomes, writes what they found, then makes one frontier transaction of them.

    `stop(reason)` is called when a limit is reached. Raises `TargetError` when what is written to
    stays full or gone after a pause.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        frontier: Frontier,
        pipeline: Pipeline,
        turns: Turns,
        stats: Stats,
        listeners: Sequence[Listener],
        memories: Sequence[Memory],
        outbox: Outbox,
        stop: Callable[[str], None],
        settled: Callable[[Sequence[Outcome]], None],
    ) -> None:
        self._settings = settings
        self._frontier = frontier
        self._pipeline = pipeline
        self._turns = turns
        self._stats = stats
        self._listeners = tuple(listeners)
        self._memories = tuple(memories)
        self._examples = 0
        self._stop = stop
        self._settled = settled
        self._rules = KeyRules(settings.ignore_query_order, settings.ignore_params)
        self._outbox = outbox
        self._fills = Fills(stats.counts, promised=settings.min_fill)
        self._posts = settings.max_items is None and not pipeline.has_steps
        self._posted: list[Entry] = []
        self._in_steps = False
        self._task: asyncio.Task[None] | None = None
        self.hurry = asyncio.Event()
        """Set when the crawl is stopping: a pause for a full disk is cut short."""

    async def run(self) -> None:
        """Commit until the end is put, or until steps that do not end are `cut_short`."""
        self._task = asyncio.current_task()
        try:
            while not self._outbox.is_closed:
                entries = await self._outbox.gather(self._post)
                if entries or self._posted:
                    await self._settle(entries)
        finally:
            self._outbox.close()
            release(self._posted)

    def cut_short(self) -> None:
        """Leave what a step holds up: it is committed by nobody, and stays in the queue."""
        if self._in_steps and self._task is not None:
            self._task.cancel()

    async def _post(self, entries: Sequence[Entry]) -> bool:
        """Let links be followed before their pages are committed; False if that cannot be.

        What a step does is outside of any transaction, so it is done once, and committed then.
        """
        outcomes = [entry.outcome for entry in entries]
        if not (self._posts and self._frontier.may_post and may_be_posted(outcomes)):
            return False
        settled = [outcome.request for outcome in outcomes]
        found = [request for outcome in outcomes for request in outcome.found]
        self._posted += entries  # also if we are cancelled: the post may be done all the same
        try:
            leases = await self._frontier.post(settled, found, limit=self._settings.concurrency)
        except TargetError:
            leases = None  # the commit will be patient
        if leases is None:
            del self._posted[-len(entries) :]
            return False
        self._turns.add(leases)
        return True

    async def _settle(self, entries: Sequence[Entry]) -> None:
        """Commit what is posted, and these."""
        if ends := _redirected(entry.outcome for entry in entries):
            await self._make_true([])  # a claim is true at once: so has to be whose it is
            await self._find_duplicates(ends)
        await self._make_true(entries)

    async def _make_true(self, entries: Sequence[Entry]) -> None:
        entries, self._posted = [*self._posted, *entries], []
        try:
            if entries:
                await self._complete([entry.outcome for entry in entries])
        finally:
            release(entries)

    async def _complete(self, gathered: Sequence[Outcome]) -> None:
        self._in_steps = True
        await self._pipeline.run_steps(gathered, note=self._frontier.note)
        self._in_steps = False
        async with self._turn(gathered) as counts:
            outcomes = gathered
            if counts is not None:
                self._stats.hear(counts)
                outcomes = await self._admitted(gathered)
            position = await self._commit(outcomes)
        await self._pipeline.committed(position, outcomes)
        for outcome in outcomes:
            await self._conclude(outcome)
        for outcome in gathered:
            if outcome.page is not None:
                outcome.page.release()
        self._settled(gathered)

    def _turn(
        self, outcomes: Sequence[Outcome]
    ) -> AbstractAsyncContextManager[Mapping[str, int] | None]:
        """Where items are limited or have keys, let processes come one after the other.

        What one of them then sees of the run is so until its own commit.
        """
        if self._settings.max_items is None and not have_keys(outcomes):
            return nullcontext()
        return self._frontier.turn()

    async def _admitted(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """Leave out items that are there already, and outcomes that are too many."""

        async def known(keys: Collection[int]) -> set[int]:
            return await self.patiently(lambda: self._frontier.known_items(keys))

        if have_keys(outcomes):
            await leave_out_repeats(outcomes, known=known)
        most = self._settings.max_items
        return outcomes if most is None else self._within_limit(outcomes, most)

    async def _find_duplicates(self, ends: Mapping[int, Outcome]) -> None:
        """Empty the outcomes of redirects that ended at a page somebody else has or will get.

        And of pages that are copies of such a page.
        """
        finals = {
            number: structs.replace(
                outcome.request, url=outcome.copy_of or outcome.page.url
            ).fingerprint(self._rules)
            for number, outcome in ends.items()
            if outcome.page is not None
        }
        # Led here from another host, or back to where it began: its own URL is nobody else's.
        for number, outcome in ends.items():
            if finals[number] == outcome.request.fingerprint(self._rules):
                del finals[number]
        for number in await self.patiently(lambda: self._frontier.claim(finals)):
            outcome = ends[number]
            outcome.verdict, outcome.delivered = Verdict.DUPLICATE, False
            outcome.items, outcome.failures, outcome.counts = (), (), {}
            if outcome.copy_of is None:  # a copy may have links of its own, as page 2 of a list
                outcome.found = ()

    async def _commit(self, outcomes: Sequence[Outcome]) -> Position:
        """Write what outcomes brought, and make it count."""
        position = await self.patiently(lambda: self._pipeline.write(outcomes))
        batch = batch_of(outcomes, turns=self._turns)
        batch.counts |= self._fills.count(outcomes)
        batch.position, batch.kept = position, kept_by(self._memories)
        batch.lengths = self._pipeline.lengths
        del batch.examples[max(0, MOST_EXAMPLES - self._examples) :]
        commit = await self.patiently(lambda: self._frontier.commit(batch, posted=True))
        self._stats.hear(commit.counts)
        self._examples += len(batch.examples)
        self._heed(batch)
        return position

    def _within_limit(self, outcomes: Sequence[Outcome], most: int) -> Sequence[Outcome]:
        """Return the outcomes up to the one that reaches `most` items; the rest stays queued."""
        total = self._stats.items
        for index, outcome in enumerate(outcomes):
            if total >= most:
                self._stop("max_items")
                return outcomes[:index]
            total += len(outcome.items)
        if total >= most:
            self._stop("max_items")
        return outcomes

    async def patiently(self, write: Callable[[], Awaitable[T]]) -> T:
        """Write; if what is written to is full or gone, pause, and try once more."""
        try:
            return await write()
        except TargetError as error:
            pause = self._settings.target_pause
            if self.hurry.is_set() or not pause:
                raise
            log.error("%s; the crawl pauses %g s, then tries once more", error, pause)
        try:
            async with asyncio.timeout(pause):
                await self.hurry.wait()
        except TimeoutError:
            pass
        return await write()

    def _heed(self, batch: Batch) -> None:
        """Act on what hosts have told, and on what they were asked."""
        for host in batch.notes:
            self._turns.learned(host)
        for host, due in batch.due.items():
            self._turns.forget(host, committed=due)

    async def _conclude(self, outcome: Outcome) -> None:
        """Tell those who listen, now that it is true."""
        if outcome.verdict is Verdict.RETRY:
            log.info("retry %d: %s", outcome.request.attempt, outcome.request.url)
            await self.tell(RequestRetried(outcome.request, outcome.wait))
        for failure in outcome.failures:
            if failure.kind != "callback":  # that one is logged with its traceback
                log.warning("%s: %s: %s", failure.kind, failure.reason, failure.url)
            await self.tell(RequestFailed(failure))
        if self._listeners and outcome.page is not None and outcome.delivered:
            await self.tell(PageDone(outcome.page, len(outcome.items)))
        if isinstance(outcome.signal, Stop):
            self._stop(outcome.signal.reason or "stopped by the spider")

    async def tell(self, event: Event) -> None:
        """Let every listener hear of an event; one that fails is logged."""
        for listener in self._listeners:

            async def call(listen: Listener = listener) -> None:
                listen(event)

            ended = await run_guarded(call)
            if isinstance(ended, Raised):
                log.error("listener failed: %s\n%s", ended.reason, ended.text)


def _redirected(outcomes: Iterable[Outcome]) -> dict[int, Outcome]:
    """Return those that came to their pages by redirects, or to copies, by their requests' ids."""
    return {
        outcome.request.id: outcome
        for outcome in outcomes
        if outcome.delivered and _may_be_duplicate(outcome)
    }


def _may_be_duplicate(outcome: Outcome) -> bool:
    """True for a page reached by redirects, or a copy, unless it is asked for anyway."""
    request = outcome.request
    return bool(
        outcome.page is not None
        and (outcome.page.redirects or outcome.copy_of)
        and not request.again
        and request.method == "GET"
    )

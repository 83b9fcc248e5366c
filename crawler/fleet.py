"""The processes of one run: start, watch, restart."""

import asyncio
import logging
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from msgspec import structs

from crawler.clock import SteadyClock
from crawler.conduct import Conduct
from crawler.engine import STOP
from crawler.errors import CrawlerError, TargetError
from crawler.export.following import Following
from crawler.export.joining import Joining
from crawler.export.run_folder import write_report
from crawler.files import PARTS, open_files
from crawler.frontier.sqlite import SqliteFrontier
from crawler.jobs import Job
from crawler.keeping import keep, tell
from crawler.manners import MOST_NOTICES, notices
from crawler.outcome import Batch, Counts, Report, Restart
from crawler.promises import delivered_nothing, settle
from crawler.protocols import Memory, Spool
from crawler.records.streams import streams_of
from crawler.rules.pacing import rest_of, unhurried
from crawler.run import target_error
from crawler.settings import Settings
from crawler.spider import Spider
from crawler.state import check_stateless
from crawler.stats import Stats

log = logging.getLogger(__name__)

LOST = 75
"""The exit status of a worker that was taken for dead: it is to be started again."""

_GRACE = 3.0
_MOST_DEATHS = 10
"""So many workers may die in a row before a crawl that gets no further is given up."""


class Fleet:
    """A run that other processes crawl: this one starts them, joins their files, sums them up.

    It is used as a `Run` is. `command` starts a worker, which ends when its standard input does.
    `say` gets what workers write on standard error, line by line.
    """

    def __init__(
        self,
        spider: Spider[Any],
        *,
        settings: Settings,
        job: Job,
        frontier: SqliteFrontier,
        spool: Spool,
        stats: Stats,
        restart: Restart,
        followings: Sequence[Following],
        joining: Joining,
        memories: Sequence[Memory],
        command: Sequence[str],
        say: Callable[[str], None],
    ) -> None:
        self.spider = spider
        self.settings = settings
        self.folder = job.folder
        self.stats = stats
        self.restart = restart
        self.error: CrawlerError | None = None
        self._count = job.record.processes if command else 0
        self._frontier = frontier
        self._spool = spool
        self._followings = followings
        self._joining = joining
        self._memories = tuple(memories)
        self._command = tuple(command)
        self._say = say
        self._reason = "finished"
        self._broken: str | None = None
        self._failed = 0
        self._stopping = False
        self._workers_ended = asyncio.Event()
        self._processes: set[Process] = set()
        self._deaths = 0
        self._seen: Counter[str] = Counter()

    def stop(self, reason: str, *, at_once: bool = False) -> None:
        """End in good order, every worker as a `Run` does; `at_once`: nothing is waited for."""
        if not self._stopping:
            self._stopping, self._reason = True, reason
            self._terminate()
            for following in self._followings:
                following.hurry()
        if at_once:
            self._terminate()
            asyncio.get_running_loop().call_later(_GRACE, self._kill)

    def hear(self, kept: Mapping[str, bytes]) -> None:
        """Hear what the workers keep: why they all stop, and whom they slowed or parked."""
        known = len(self.stats.parked)
        tell([self.stats], kept)
        for host, why in list(self.stats.parked.items())[known:MOST_NOTICES]:
            notices.warning("%s is %s", host, why)
        if (reason := kept.get(STOP)) and not self._stopping:
            self._reason = reason.decode()

    @property
    def is_over(self) -> bool:
        """True: no process of the run outlives this one."""
        return True

    async def counts(self) -> Counts:
        """Return the frontier's size now, with `stats` brought up to date."""
        counts = await self._frontier.counts()
        self.stats.hear(counts.counters)
        return counts

    async def finish(self) -> Report:
        """Crawl to the end; return the report, written to `stats.json` as well."""
        try:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self._frontier.watch())
                group.create_task(self._keep_joining())
                async with asyncio.TaskGroup() as workers:
                    for _ in range(self._count):
                        workers.create_task(self._keep_one_alive())
                self._workers_ended.set()
                watching.cancel()
            await self._frontier.listen()
            # Those who joined by hand may go on; the last of them, or a resume, joins what is left.
            await self._joining.join_all(waits=lambda: not self._stopping)
        except (TargetError, BaseExceptionGroup) as error:
            self.error = target_error(error)
        finally:
            self._kill()
        await self._spool.aclose()
        failed = [following.error for following in self._followings if following.error]
        self.error = self.error or next(iter(failed), None)
        await keep(self._frontier, self._memories)
        return await self._report()

    async def _keep_one_alive(self) -> None:
        """Run a worker until the crawl is over; one that dies is followed by another."""
        while not self._stopping:
            status = await self._work()
            await self._frontier.listen()  # it may have said why all stop
            if status == 0 or self._reason != "finished" or self._stopping:
                return
            if status in (1, 2, 3):
                self._fail(f"a worker ended with status {status}", status)
            elif await self._die(status):
                self._fail("its processes die as soon as they begin")

    async def _work(self) -> int:
        """Start a worker, and return its exit status."""
        process = await asyncio.create_subprocess_exec(
            # A session of its own: Ctrl-C in the terminal is ours to pass on.
            *self._command, stdin=PIPE, stdout=DEVNULL, stderr=PIPE, start_new_session=True,
        )  # fmt: skip
        self._processes.add(process)
        try:
            if self._stopping:
                process.terminate()
            assert process.stderr is not None
            async for line in process.stderr:
                self._say(line.decode(errors="replace").rstrip("\n"))
            return await process.wait()
        finally:
            self._processes.discard(process)
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def _die(self, status: int) -> bool:
        """Note that a worker died; True if the crawl gets no further by that."""
        log.warning("a worker died (status %d); another takes its place", status)
        await self._frontier.bury()
        counts = Counter((await self._frontier.counts()).counters)
        self._deaths = self._deaths + 1 if counts == self._seen else 1
        self._seen = counts
        return self._deaths > _MOST_DEATHS

    def _fail(self, reason: str, status: int = 1) -> None:
        if self._broken is None and not self._stopping:
            self._broken, self._failed = reason, status
            self.stop(reason)

    async def _keep_joining(self) -> None:
        """Carry over what the workers have committed, and count it, now and then."""
        try:
            await self._joining.keep_up(
                over=self._workers_ended, pause=self.settings.target_pause, joined=self.counts
            )
        except TargetError as error:
            log.error("%s; the workers end in good order", error)
            self.error = error
            self.stop(str(error))

    def _terminate(self) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                process.terminate()

    def _kill(self) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                process.kill()

    async def _report(self) -> Report:
        counts, totals = await self._frontier.counts(), await self._frontier.totals()
        queued = counts.queued + counts.delayed + counts.leased
        unjoined = await self._frontier.parts()
        report = self.stats.report(
            totals,
            reason=str(self.error or self._broken or self._reason),
            finished=not (queued or unjoined or self.error or self._broken),
            folder=str(self.folder),
            queued=queued,
            promised=self.settings.min_fill,
        )
        status = self._status(report)
        settle(report, self.settings, status=status, by_itself=not self._stopping)
        await write_report(self.folder, report)
        return report

    def _status(self, report: Report) -> int:
        """Return what the run came to without its promises, as an exit status."""
        if self.error is not None:
            return 3
        failed = delivered_nothing(report) or self._reason == "max_failures"
        return self._failed or int(failed)


@asynccontextmanager
async def open_fleet(
    spider: Spider[Any],
    *,
    settings: Settings,
    job: Job,
    command: Sequence[str] = (),
    say: Callable[[str], None] = print,
) -> AsyncIterator[Fleet]:
    """Open what a run needs whose pages other processes fetch, and close it again.

    Without `command` nothing is crawled: what is left of the run is joined. Raises `UsageError`.
    """
    settings = unhurried(settings)
    conduct = Conduct(spider, settings)
    if command:
        check_stateless(spider)

    async with AsyncExitStack() as stack:
        frontier = SqliteFrontier(
            job.folder,
            durable=settings.durable,
            clock=SteadyClock(),
            batch=lambda _: 0,
            rest=lambda notes: rest_of(settings, notes),
            heard=lambda kept: fleet.hear(kept),  # noqa: PLW0108  # it is made below
        )
        restart = await frontier.open()
        stack.push_async_callback(frontier.aclose)
        if command:
            conduct.check(restart)
        conduct.stats.started = job.record.created
        conduct.stats.hear(restart.counts)
        tell([conduct.stats], restart.kept)
        if restart.kept.get(STOP):
            await frontier.commit(Batch(kept={STOP: b""}))
        streams = streams_of(spider.item_types)
        opened = open_files(job, settings, restart, streams, frontier=frontier)
        kept = await stack.enter_async_context(opened)
        memories = [conduct.stats, *kept.memories]
        parts = job.folder / PARTS
        joining = Joining(
            parts, spool=kept.spool, store=kept.store, frontier=frontier, memories=memories
        )
        stack.callback(joining.close)
        restart = structs.replace(restart, kept={})  # see `open_run`
        fleet = Fleet(
            spider,
            settings=settings,
            job=job,
            frontier=frontier,
            spool=kept.spool,
            stats=conduct.stats,
            restart=restart,
            followings=kept.followings,
            joining=joining,
            memories=memories,
            command=command,
            say=say,
        )
        yield fleet

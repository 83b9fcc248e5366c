"""One crawl, open."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crawler.engine import Engine
from crawler.errors import CrawlerError, TargetError
from crawler.events import CrawlEnded, CrawlStarted
from crawler.export.following import Following
from crawler.export.joining import Joining
from crawler.export.run_folder import write_report
from crawler.hooks import Refusal, call_closed, call_opened
from crawler.keeping import keep
from crawler.outcome import Counts, Report, Restart
from crawler.promises import delivered_nothing, settle
from crawler.protocols import Frontier, Memory, Spool
from crawler.settings import Settings
from crawler.spider import Spider
from crawler.stats import Stats

_LEAST_CLOSING = 1.0
"""Seconds that `closed()` gets when the crawl is stopped."""


class Run:
    """One crawl, open: `finish` it once; `stop` it from anywhere in the loop."""

    def __init__(
        self,
        spider: Spider[Any],
        *,
        settings: Settings,
        folder: Path | None,
        engine: Engine,
        frontier: Frontier,
        spool: Spool,
        stats: Stats,
        restart: Restart = Restart(),  # noqa: B008  # frozen
        followings: Sequence[Following] = (),
        joining: Joining | None = None,
        memories: Sequence[Memory] = (),
    ) -> None:
        self.spider = spider
        self.settings = settings
        self.folder = folder
        self.stats = stats
        self.restart = restart
        self.error: CrawlerError | None = None
        self._broken: str | None = None
        self._hook: asyncio.Timeout | None = None
        self._deadline: float | None = None
        self._engine = engine
        self._frontier = frontier
        self._spool = spool
        self._followings = followings
        self._joining = joining
        self._memories = tuple(memories)

    def stop(self, reason: str, *, at_once: bool = False) -> None:
        """End in good order: pages in hand get `stop_seconds`, or are left `at_once`."""
        self._engine.stop(reason, at_once=at_once)
        for following in self._followings:
            following.hurry()
        seconds = 0.0 if at_once else self.settings.stop_seconds
        self._deadline = asyncio.get_running_loop().time() + seconds
        if self._hook is not None:
            self._hook.reschedule(self._deadline)

    @property
    def is_over(self) -> bool:
        """False if it was this process alone that stopped: others may go on."""
        return self._engine.is_over

    async def counts(self) -> Counts:
        """Return the frontier's size now."""
        return await self._frontier.counts()

    async def finish(self) -> Report:
        """Crawl to the end; return the report, written to `stats.json` as well.

        `error` is set if a target failed for good. A bug anywhere comes out as it was raised.
        """
        report: Report | None = None
        try:
            report = await self._crawl()
        finally:
            # Whoever opens closes: also when the crawl is cancelled, or a bug ends it.
            cut_off = report is None
            report = await self._report(cut_off=True) if report is None else report
            if failed := await self._close(report):
                self._broken = failed
                report = await self._report(cut_off=cut_off)
        await self._engine.tell(CrawlEnded(report))
        return report

    async def _crawl(self) -> Report:
        await self._open()
        try:
            await self._engine.run(fresh=self.restart.fresh)
            if self._joining is not None and self._engine.is_over:
                await self._joining.join_all(waits=lambda: self._engine.is_over)
        except (TargetError, BaseExceptionGroup) as error:
            self.error = target_error(error)
        await self._spool.aclose()
        failed = [following.error for following in self._followings if following.error]
        self.error = self.error or next(iter(failed), None)
        await keep(self._frontier, self._memories)  # how far an output got that stays as it is
        return await self._report()

    async def _open(self) -> None:
        refusal: Refusal | None = None
        try:
            async with asyncio.timeout(None) as self._hook:
                refusal = await call_opened(self.spider)
        except TimeoutError:
            return  # stopped, and it did not end in its time
        finally:
            self._hook = None
        if refusal is None:
            await self._engine.tell(CrawlStarted(self.stats.spider, self._where))
        else:
            self._broken = refusal.reason if refusal.broken else None
            self._engine.stop(refusal.reason)

    async def _close(self, report: Report) -> str | None:
        """Call `closed()`; return why it failed, None if it did not."""
        limit = self._deadline
        if limit is not None:  # pages in hand may have taken all the time there was
            limit = max(limit, asyncio.get_running_loop().time() + _LEAST_CLOSING)
        try:
            async with asyncio.timeout_at(limit) as self._hook:
                return await call_closed(self.spider, report)
        except TimeoutError:
            return "closed() did not end in its time"
        finally:
            self._hook = None

    async def _report(self, *, cut_off: bool = False) -> Report:
        counts, totals = await self._frontier.counts(), await self._frontier.totals()
        queued = counts.queued + counts.delayed + counts.leased
        broken = cut_off or self.error or self._engine.broken or self._broken
        unjoined = self._joining is not None and await self._frontier.parts()
        report = self.stats.report(
            totals,
            reason="ended at once" if cut_off else self._reason(),
            finished=not (queued or broken or unjoined),
            folder=self._where,
            queued=queued,
            promised=self.settings.min_fill,
        )
        status = 1 if cut_off else self._failed(report)
        by_itself = self._deadline is None and self._keeps
        settle(report, self.settings, status=status, by_itself=by_itself)
        if self.folder is not None and self._keeps:
            await write_report(self.folder, report)
        return report

    @property
    def _keeps(self) -> bool:
        """True if the run's own files are this process's; a worker has none but its part's."""
        return not self.restart.part

    @property
    def _where(self) -> str | None:
        return str(self.folder) if self.folder is not None else None

    def _reason(self) -> str:
        return str(self.error or self._engine.broken or self._broken or self._engine.reason)

    def _failed(self, report: Report) -> int:
        """Return what the run came to without its promises, as an exit status."""
        if self.error is not None:
            return 3
        broken = self._engine.broken or self._broken
        # A worker that found nothing left to do is fine.
        nothing = self._keeps and delivered_nothing(report)
        return int(nothing or broken is not None or self._engine.reason == "max_failures")


def target_error(error: BaseException) -> TargetError:
    """Return the full or lost target that ended a crawl; raise anything else bare."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TargetError):
        return error
    raise error

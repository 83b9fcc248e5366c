"""One crawl, open."""

from collections.abc import Callable, Sequence
from inspect import isawaitable
from pathlib import Path
from typing import Any

from crawler.engine import Engine
from crawler.errors import CrawlerError, TargetError
from crawler.events import CrawlEnded, CrawlStarted
from crawler.export.following import Following
from crawler.export.run_folder import write_report
from crawler.outcome import Counts, Report
from crawler.protocols import Frontier, Spool
from crawler.settings import Settings
from crawler.spider import Spider
from crawler.stats import Stats
from crawler.usercode import Raised, run_guarded


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
        followings: Sequence[Following] = (),
    ) -> None:
        self.spider = spider
        self.settings = settings
        self.folder = folder
        self.stats = stats
        self.error: CrawlerError | None = None
        self._broken: str | None = None
        self._engine = engine
        self._frontier = frontier
        self._spool = spool
        self._followings = followings

    def stop(self, reason: str, *, at_once: bool = False) -> None:
        """End in good order: pages in hand get `stop_seconds`, or are left `at_once`."""
        self._engine.stop(reason, at_once=at_once)

    async def counts(self) -> Counts:
        """Return the frontier's size now."""
        return await self._frontier.counts()

    async def finish(self) -> Report:
        """Crawl to the end; return the report, written to `stats.json` as well.

        `error` is set if a target failed for good. A bug anywhere comes out as it was raised.
        """
        if await self._call("opened", self.spider.opened):
            await self._engine.tell(CrawlStarted(self.stats.spider, self._where))
            await self._crawl()
        await self._spool.aclose()
        failed = [following.error for following in self._followings if following.error]
        self.error = self.error or next(iter(failed), None)
        report = await self._report()
        if not await self._call("closed", self.spider.closed, report):
            report = await self._report()
        await self._engine.tell(CrawlEnded(report))
        return report

    async def _crawl(self) -> None:
        try:
            await self._engine.run()
        except BaseExceptionGroup as group:
            self.error = _target_error(group)

    async def _report(self) -> Report:
        counts = await self._frontier.counts()
        report = self.stats.report(
            reason=self._reason(),
            exit_status=self._exit_status(),
            folder=self._where,
            queued=counts.queued + counts.delayed + counts.leased,
        )
        if self.folder is not None:
            await write_report(self.folder, report)
        return report

    @property
    def _where(self) -> str | None:
        return str(self.folder) if self.folder is not None else None

    def _reason(self) -> str:
        return str(self.error or self._engine.broken or self._broken or self._engine.reason)

    def _exit_status(self) -> int:
        if self.error is not None:
            return 3
        reason = self._engine.reason
        raised = self.stats.counts["failed.callback"]
        nothing = reason == "finished" and self.stats.pages <= raised and not self.stats.items
        broken = self._engine.broken or self._broken
        return int(nothing or broken is not None or reason == "max_failures")

    async def _call(self, name: str, hook: Callable[..., Any], *args: object) -> bool:
        """Call one of the spider's own hooks; False if it raised, which the report says then."""

        async def call() -> None:
            if isawaitable(ended := hook(*args)):
                await ended

        ended = await run_guarded(call)
        if ended is not None:
            self._broken = f"{name}() failed: {ended.reason}"
            traceback = ended.text if isinstance(ended, Raised) else ""
            self.spider.log.error("%s\n%s", self._broken, traceback)
        return ended is None


def _target_error(group: BaseExceptionGroup[BaseException]) -> TargetError:
    """Return the full or lost target that ended the crawl; raise anything else bare."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TargetError):
        return error
    raise error

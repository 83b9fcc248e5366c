"""Opens everything, runs, closes everything."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, Unpack

from crawler.callbacks import Callbacks
from crawler.engine import Engine
from crawler.errors import CrawlerError, TargetError
from crawler.events import CrawlEnded, CrawlStarted
from crawler.export.following import Following
from crawler.export.pages import FilePages, NoPages
from crawler.export.run_folder import new_folder, write_report
from crawler.export.spool import FileSpool
from crawler.export.streams import streams_of
from crawler.export.targets import Plan, plan
from crawler.fetch.chain import open_fetch
from crawler.frontier.memory import MemoryFrontier
from crawler.hooks import call_closed, call_opened
from crawler.outcome import Counts, HostNotes, Report
from crawler.pipeline import Pipeline
from crawler.protocols import Clock, PageStore, Spool
from crawler.rules.book import RobotsBook
from crawler.rules.scope import Scope
from crawler.settings import Layer, Settings, SettingsDict, merge
from crawler.spider import Spider
from crawler.stats import Stats
from crawler.turns import Turns
from crawler.urls import KeyRules

log = logging.getLogger(__name__)

I = TypeVar("I")  # noqa: E741  # as in Spider[I]


class Run:
    """One crawl, open: `finish` it once; `stop` it from anywhere in the loop."""

    def __init__(
        self,
        spider: Spider[Any],
        *,
        settings: Settings,
        folder: Path | None,
        engine: Engine,
        frontier: MemoryFrontier,
        spool: Spool,
        stats: Stats,
        followings: Sequence[Following] = (),
    ) -> None:
        self.spider = spider
        self.settings = settings
        self.folder = folder
        self.stats = stats
        self.error: CrawlerError | None = None
        self._engine = engine
        self._frontier = frontier
        self._spool = spool
        self._followings = followings
        self._crawling = False
        self._stopped: str | None = None
        """Why there is nothing to crawl, before the crawl has begun."""

    def stop(self, reason: str) -> None:
        """End in good order: pages in hand are finished, within `stop_seconds`."""
        if self._crawling:
            self._engine.stop(reason)
        else:
            self._stopped = reason

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
            report = await self._report(cut_off=True) if report is None else report
            await call_closed(self.spider, report)
        await self._engine.tell(CrawlEnded(report))
        return report

    async def _crawl(self) -> Report:
        if refusal := await call_opened(self.spider):
            self._stopped = refusal.reason
            self._engine.broken = refusal.reason if refusal.broken else None
        await self._engine.tell(CrawlStarted(self.stats.spider, self._where))
        if self._stopped is None:
            try:
                self._crawling = True
                await self._engine.run()
            except BaseExceptionGroup as group:
                self.error = _target_error(group)
        await self._spool.aclose()
        failed = [following.error for following in self._followings if following.error]
        self.error = self.error or next(iter(failed), None)
        return await self._report()

    async def _report(self, *, cut_off: bool = False) -> Report:
        counts = await self._frontier.counts()
        report = self.stats.report(
            reason="ended at once" if cut_off else self._reason(),
            exit_status=1 if cut_off else self._exit_status(),
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
        return str(self.error or self._engine.broken or self._stopped or self._engine.reason)

    def _exit_status(self) -> int:
        if self.error is not None:
            return 3
        reason = self._reason()
        nothing = reason == "finished" and not self.stats.pages and not self.stats.items
        return int(nothing or self._engine.broken is not None or reason == "max_failures")


@asynccontextmanager
async def open_run(
    spider: type[Spider[I]] | Spider[I],
    *,
    settings: Settings,
    outputs: Sequence[str] = (),
    overwrite: bool = False,
    append: bool = False,
    spool: Spool | None = None,
) -> AsyncIterator[Run]:
    """Open everything one crawl needs, and close it again.

    Without `spool` the run has a folder below `output_dir`, and follows `outputs` (as `-o`).
    Raises `UsageError` for whatever the user has to mend.
    """
    spider = spider() if isinstance(spider, type) else spider
    scope = Scope(
        domains=spider.allowed_domains,
        prefixes=spider.allowed_prefixes,
        deny=spider.deny,
        max_depth=settings.max_depth,
    )
    callbacks = Callbacks(spider, scope=scope, timeout=settings.callback_timeout)
    clock = _wall_clock()
    book = RobotsBook(settings.user_agent)
    turns = Turns(settings, clock=clock, book=book)
    stats = Stats(spider.name)
    async with AsyncExitStack() as stack:
        followings: list[Following] = []
        folder: Path | None = None
        store: PageStore = NoPages()
        if spool is None:
            where = plan(
                outputs,
                streams=streams_of(spider.item_types),
                overwrite=overwrite,
                append=append,
            )
            folder = new_folder(Path(settings.output_dir) / spider.name)
            if settings.pages == "files":
                store = await stack.enter_async_context(
                    FilePages(folder / "pages", min_free_bytes=settings.min_free_bytes)
                )
            spool, followings = await _open_spool(stack, spider, settings, folder, where)
        frontier = _frontier(settings, clock=clock, turns=turns)
        await frontier.open()
        stack.push_async_callback(frontier.aclose)
        fetch = await stack.enter_async_context(
            open_fetch(settings, book=book, sent=turns.sent, layers=spider.layers)
        )
        engine = Engine(
            settings,
            frontier=frontier,
            fetch=fetch,
            turns=turns,
            callbacks=callbacks,
            pipeline=Pipeline(steps=spider.steps, kinds=callbacks.kinds, spool=spool, store=store),
            stats=stats,
            clock=clock,
            listeners=spider.listeners,
        )
        yield Run(
            spider,
            settings=settings,
            folder=folder,
            engine=engine,
            frontier=frontier,
            spool=spool,
            stats=stats,
            followings=followings,
        )


def settings_of(
    spider: type[Spider[Any]] | Spider[Any], *, below: Sequence[Layer] = (), above: Sequence[Layer]
) -> Settings:
    """Merge defaults, the layers `below`, the spider's own settings, and the layers `above`."""
    own = Layer(f"spider {spider.name}", spider.settings)
    return merge([*below, own, *above])


async def crawl(
    spider: type[Spider[I]] | Spider[I],
    *,
    output: str | Sequence[str] = (),
    overwrite: bool = False,
    append: bool = False,
    **settings: Unpack[SettingsDict],
) -> Report:
    """Run a spider to its end and return its report; its data are files below `output_dir`.

    `output` names further files, as `-o` does. Raises `UsageError`, and `TargetError` when a target
    is full or gone. Installs no signal handler and configures no logging.
    """
    outputs = [output] if isinstance(output, str) else list(output)
    merged = settings_of(spider, above=[Layer("crawl()", settings)])
    async with open_run(
        spider, settings=merged, outputs=outputs, overwrite=overwrite, append=append
    ) as run:
        report = await run.finish()
        if run.error is not None:
            raise run.error
        return report


def _frontier(settings: Settings, *, clock: Clock, turns: Turns) -> MemoryFrontier:
    def batch(notes: HostNotes) -> int:
        return turns.pace("any", notes).batch

    return MemoryFrontier(
        clock=clock,
        batch=batch,
        rules=KeyRules(settings.ignore_query_order, settings.ignore_params),
        host_pages=settings.host_pages,
        ask_notes=settings.obey_robots,
    )


async def _open_spool(
    stack: AsyncExitStack, spider: Spider[Any], settings: Settings, folder: Path, where: Plan
) -> tuple[FileSpool, list[Following]]:
    items = Path(where.spool) if where.spool else folder / "items.jsonl"
    paths = {
        "items": items,
        "pages": folder / "pages.jsonl",
        "failures": folder / "failures.jsonl",
    }
    spool = await stack.enter_async_context(
        await FileSpool.open(paths, position=where.position, min_free_bytes=settings.min_free_bytes)
    )
    followings = []
    for target in where.targets:
        follower = await target.open(streams=streams_of(spider.item_types))
        following = Following(
            follower, target=target.path, source=items, cursor=where.position.get("items", 0)
        )
        spool.follow(following)
        followings.append(following)
    return spool, followings


def _wall_clock() -> Clock:
    """Return seconds since the epoch, by the loop's own clock: it never jumps."""
    loop = asyncio.get_running_loop()
    offset = time.time() - loop.time()
    return lambda: offset + loop.time()


def _target_error(group: BaseExceptionGroup[BaseException]) -> TargetError:
    """Return the full or lost target that ended the crawl; raise anything else bare."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TargetError):
        return error
    raise error

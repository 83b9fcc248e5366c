"""Opens everything, runs, closes everything."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, Unpack

from crawler.callbacks import Callbacks
from crawler.engine import Engine
from crawler.errors import SpiderError, UsageError
from crawler.export.following import Following
from crawler.export.pages import FilePages, NoPages
from crawler.export.run_folder import new_folder
from crawler.export.spool import FileSpool
from crawler.export.targets import Plan, plan
from crawler.fetch.chain import open_fetch
from crawler.frontier.memory import MemoryFrontier
from crawler.outcome import HostNotes, Report
from crawler.pipeline import Pipeline
from crawler.protocols import Clock, PageStore, Spool
from crawler.records.streams import Streams, streams_of
from crawler.rules.book import RobotsBook
from crawler.rules.scope import Scope
from crawler.run import Run
from crawler.settings import Layer, Settings, SettingsDict, merge
from crawler.spider import Spider
from crawler.stats import Stats
from crawler.turns import Turns
from crawler.urls import KeyRules

for _package in ("crawler", "spiders"):
    # Without it Python prints a library's warnings for whoever configured no logging.
    logging.getLogger(_package).addHandler(logging.NullHandler())

I = TypeVar("I")  # noqa: E741  # as in Spider[I]


class _Kept(NamedTuple):
    """Where a run's data comes to rest; without a folder, with whoever gave the spool."""

    spool: Spool
    store: PageStore = NoPages()
    folder: Path | None = None
    followings: Sequence[Following] = ()


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
    scope = _scope(spider, settings)
    callbacks = Callbacks(spider, scope=scope, timeout=settings.callback_timeout)
    clock = _wall_clock()
    book = RobotsBook(settings.user_agent)
    turns = Turns(settings, clock=clock, book=book)
    stats = Stats(spider.name)
    async with AsyncExitStack() as stack:
        if spool is not None:
            kept = _Kept(spool)
        else:
            streams = streams_of(spider.item_types)
            where = plan(outputs, streams=streams, overwrite=overwrite, append=append)
            kept = await _open_files(stack, spider.name, settings, where, streams)
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
            pipeline=Pipeline(
                steps=spider.steps,
                kinds=callbacks.kinds,
                spool=kept.spool,
                store=kept.store,
                timeout=settings.callback_timeout,
            ),
            stats=stats,
            clock=clock,
            listeners=spider.listeners,
        )
        yield Run(
            spider,
            settings=settings,
            folder=kept.folder,
            engine=engine,
            frontier=frontier,
            spool=kept.spool,
            stats=stats,
            followings=kept.followings,
        )


def settings_of(
    spider: type[Spider[Any]] | Spider[Any], *, below: Sequence[Layer] = (), above: Sequence[Layer]
) -> Settings:
    """Merge defaults, the layers `below`, the spider's own settings, and the layers `above`."""
    if not issubclass(spider if isinstance(spider, type) else type(spider), Spider):
        raise UsageError(f"expected a Spider, its class or an object of it, got {spider!r}")
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


def _scope(spider: Spider[Any], settings: Settings) -> Scope:
    try:
        return Scope(
            domains=spider.allowed_domains,
            prefixes=spider.allowed_prefixes,
            deny=spider.deny,
            max_depth=settings.max_depth,
        )
    except SpiderError as error:
        raise SpiderError(f"spider {spider.name}: {error}") from None


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


async def _open_files(
    stack: AsyncExitStack, name: str, settings: Settings, where: Plan, streams: Streams
) -> _Kept:
    """Make the run's folder, and open what goes into it and where `-o` said."""
    folder = new_folder(Path(settings.output_dir) / name)
    least = settings.min_free_bytes
    store: PageStore = NoPages()
    if settings.pages == "files":
        store = await stack.enter_async_context(FilePages(folder / "pages", min_free_bytes=least))
    items = Path(where.spool) if where.spool else folder / "items.jsonl"
    paths = {
        "items": items,
        "pages": folder / "pages.jsonl",
        "failures": folder / "failures.jsonl",
    }
    spool = await stack.enter_async_context(
        await FileSpool.open(paths, position=where.position, min_free_bytes=least)
    )
    followings = []
    for target in where.targets:
        follower = await target.open(streams=streams)
        following = Following(
            follower, target=target.name, source=items, cursor=where.position.get("items", 0)
        )
        spool.follow(following)
        followings.append(following)
    return _Kept(spool, store, folder, followings)


def _wall_clock() -> Clock:
    """Return seconds since the epoch, by the loop's own clock: it never jumps."""
    loop = asyncio.get_running_loop()
    offset = time.time() - loop.time()
    return lambda: offset + loop.time()

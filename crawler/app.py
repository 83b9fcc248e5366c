"""Opens everything, runs, closes everything."""

import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar, Unpack

from msgspec import structs

from crawler.archive.archive import INDEX, Archive
from crawler.conduct import Conduct
from crawler.engine import STOP, Engine
from crawler.errors import UsageError
from crawler.export.joining import Joining
from crawler.fetch.chain import open_fetch
from crawler.file_thread import FileThread
from crawler.files import PARTS, Kept, open_files
from crawler.frontier.memory import MemoryFrontier
from crawler.frontier.sqlite import SqliteFrontier
from crawler.jobs import Job, begin, take_up
from crawler.listening import Listening
from crawler.outcome import Batch, HostNotes, Report
from crawler.pipeline import Pipeline
from crawler.protocols import Fetch, Frontier, Memory, Spool
from crawler.records.streams import streams_of
from crawler.rules.pacing import rest_of, unhurried
from crawler.run import Run
from crawler.settings import Layer, Settings, SettingsDict, merge
from crawler.spider import Spider
from crawler.state import State
from crawler.urls import KeyRules

for _package in ("crawler", "spiders"):
    # Without it Python prints a library's warnings for whoever configured no logging.
    logging.getLogger(_package).addHandler(logging.NullHandler())

I = TypeVar("I")  # noqa: E741  # as in Spider[I]


Role = Literal["only", "worker"]
"""`only`: the run is this process's; `worker`: one more process of a run that is being crawled."""


@asynccontextmanager
async def open_run(
    spider: type[Spider[I]] | Spider[I],
    *,
    settings: Settings,
    job: Job | None = None,
    role: Role = "only",
    spool: Spool | None = None,
) -> AsyncIterator[Run]:
    """Open everything one crawl needs, and close it again.

    The run is a `job` with a folder, or has only a `spool`. Raises `UsageError` for whatever the
    user has to mend.
    """
    spider = spider() if isinstance(spider, type) else spider
    settings = unhurried(settings)
    conduct = Conduct(spider, settings)
    archive = _archive(settings, conduct, job) if conduct.sources else None
    memories = list(conduct.memories)
    if settings.frontier != "memory" and role == "only":
        memories.append(State(spider))
    listening = Listening(memories)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(conduct.aclose)
        frontier = _frontier(settings, conduct, job=job, role=role, listening=listening)
        restart = await frontier.open()
        stack.push_async_callback(frontier.aclose)
        if role == "worker" and restart.ahead is not None:
            conduct.clock.set_ahead(restart.ahead)
        conduct.check(restart)
        listening.restart(restart.kept)
        conduct.stats.hear(restart.counts)
        kept = Kept(spool) if spool is not None else None
        if kept is None:
            assert job is not None, "a run has a job or a spool"
            conduct.stats.started = job.record.created
            streams = streams_of(spider.item_types)
            opened = open_files(job, settings, restart, streams, frontier=frontier)
            kept = await stack.enter_async_context(opened)
            memories.extend(kept.memories)
            spider.run_folder = job.folder
        joining = None
        if job is not None and role == "only":
            parts = job.folder / PARTS
            joining = Joining(parts, spool=kept.spool, store=kept.store, frontier=frontier)
            stack.callback(joining.close)
        processes = job.record.processes if job is not None else 1
        opening = _fetch(spider, settings, conduct, frontier, kept, archive, processes=processes)
        fetch = await stack.enter_async_context(opening)
        engine = _engine(spider, settings, conduct, frontier, kept, fetch, memories=memories)
        listening.engine = engine
        if (reason := restart.kept.get(STOP)) and role == "worker":
            engine.stop(reason.decode(), is_over=True)
        elif reason:  # of an earlier life
            await frontier.commit(Batch(kept={STOP: b""}))
        restart = structs.replace(restart, kept={})  # known by now, and it may be much
        yield Run(
            spider,
            settings=settings,
            folder=job.folder if job is not None else None,
            engine=engine,
            frontier=frontier,
            spool=kept.spool,
            stats=conduct.stats,
            restart=restart,
            followings=kept.followings,
            joining=joining,
            memories=memories,
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
    job: str | os.PathLike[str] | None = None,
    **settings: Unpack[SettingsDict],
) -> Report:
    """Run a spider to its end and return its report; its data are files below `output_dir`.

    `output` names further files, as `-o` does. `job` is a folder: the run that is in it goes on, or
    begins there; if it is finished, its report is returned. Raises `UsageError`, and `TargetError`
    when a target is full or gone. Installs no signal handler and configures no logging.
    """
    below = [Layer("crawl(job=…)", {"frontier": "sqlite"})] if job is not None else []
    merged = settings_of(spider, below=below, above=[Layer("crawl()", settings)])
    spider = spider() if isinstance(spider, type) else spider
    Conduct(spider, merged)  # raises for what could never run, before anything is made for it
    asked: dict[str, Any] = {
        "outputs": [output] if isinstance(output, str) else list(output),
        "overwrite": overwrite,
        "append": append,
    }
    thread = FileThread("begin")  # a database that is named is connected to
    try:
        if job is None:
            chosen: Job | Report = await thread.run(begin, spider, merged, **asked)
        else:
            chosen = await thread.run(take_up, Path(job), spider, merged, **asked)
    finally:
        thread.close()
    if isinstance(chosen, Report):
        return chosen
    async with open_run(spider, settings=merged, job=chosen) as run:
        report = await run.finish()
        if run.error is not None:
            raise run.error
        return report


def _fetch(
    spider: Spider[Any],
    settings: Settings,
    conduct: Conduct,
    frontier: Frontier,
    kept: Kept,
    archive: Archive | None,
    *,
    processes: int,
) -> AbstractAsyncContextManager[Fetch]:
    return open_fetch(
        settings,
        guard=conduct.guard,
        credentials=conduct.credentials,
        book=conduct.book,
        jars=conduct.jars,
        sent=conduct.turns.sent,
        note=frontier.note,
        layers=spider.layers,
        media=kept.media,
        processes=processes,
        archive=archive,
        tapes=kept.store.keeps_exchanges,
    )


def _engine(
    spider: Spider[Any],
    settings: Settings,
    conduct: Conduct,
    frontier: Frontier,
    kept: Kept,
    fetch: Fetch,
    *,
    memories: Sequence[Memory],
) -> Engine:
    pipeline = Pipeline(
        steps=spider.steps,
        kinds=conduct.callbacks.kinds,
        spool=kept.spool,
        store=kept.store,
        timeout=settings.callback_timeout,
    )
    return Engine(
        settings,
        frontier=frontier,
        fetch=fetch,
        turns=conduct.turns,
        callbacks=conduct.callbacks,
        pipeline=pipeline,
        stats=conduct.stats,
        clock=conduct.clock,
        listeners=spider.listeners,
        memories=memories,
    )


def _archive(settings: Settings, conduct: Conduct, job: Job | None) -> Archive:
    index = job.folder / INDEX if job is not None else None
    rules = KeyRules(settings.ignore_query_order, settings.ignore_params)
    return Archive(conduct.sources, index=index, rules=rules)


def _frontier(
    settings: Settings, conduct: Conduct, *, job: Job | None, role: Role, listening: Listening
) -> Frontier:
    turns = conduct.turns

    def batch(notes: HostNotes) -> int:
        return turns.pace(notes).batch

    def slots(notes: HostNotes) -> int:
        pace = turns.pace(notes)
        return 1 if pace.delay else pace.per_host

    options: dict[str, Any] = {
        "clock": conduct.clock,
        "batch": batch,
        "rules": KeyRules(settings.ignore_query_order, settings.ignore_params),
        "host_pages": settings.host_pages,
        "shape_pages": settings.shape_pages,
        "gate": conduct.gate,
        "max_pages": settings.max_pages,
        "ask_notes": settings.obey_robots,
    }
    if settings.frontier == "memory":
        return MemoryFrontier(**options)
    if job is None:
        raise UsageError("frontier=sqlite needs a run with a folder; there is none here")
    return SqliteFrontier(
        job.folder,
        alone=role == "only",
        durable=settings.durable,
        heard=listening,
        wished=listening.wished,
        slots=slots,
        rest=partial(rest_of, settings),
        **options,
    )

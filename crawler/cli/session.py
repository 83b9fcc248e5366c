"""A crawl with a face: signals, progress, table."""

import asyncio
import logging
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, Literal

from msgspec import structs
from rich.console import Console

from crawler.app import Role, open_run
from crawler.cli import progress, streams, table
from crawler.cli.logs import NOTICES, Manner, logging_to
from crawler.cli.process import prepare_process
from crawler.cli.signals import Signals
from crawler.cli.units import counted
from crawler.errors import LeasesLost, RunError
from crawler.export.run_folder import write_report
from crawler.fleet import LOST, Fleet, open_fleet
from crawler.jobs import Job, state_of
from crawler.outcome import Report
from crawler.run import Run
from crawler.settings import Settings
from crawler.spider import Spider
from crawler.words import harmless

log = logging.getLogger(__name__)

_STDIN, _STDOUT = 0, 1
_UNREAD = "nobody reads standard output any more"


def run_crawl(
    spider: Spider[Any],
    *,
    settings: Settings,
    manner: Manner,
    job: Job,
    role: Role | Literal["keeper"] = "only",
    again: str = "",
) -> int:
    """Crawl, and return the exit status; a run of several processes by starting them.

    A `keeper` crawls nothing: it joins what others left. `again` is the command line that goes on
    with the run if it ends early.
    """
    outputs = job.record.outputs if role == "only" else ()
    is_over = False
    if "-" in outputs:
        streams.check_stdout()
    settings = prepare_process(settings)
    signals = Signals(again)
    console = _console()
    opened: AbstractAsyncContextManager[Run | Fleet]
    if role == "keeper" or (role == "only" and job.record.processes > 1):
        command = worker(job, manner) if role == "only" else ()
        say = _saying(console)
        opened = open_fleet(spider, settings=settings, job=job, command=command, say=say)
    else:
        opened = open_run(
            spider, settings=settings, job=job, role="worker" if role == "worker" else "only"
        )

    async def crawl() -> int:
        with logging_to(job.folder, console, manner) as log_file:
            async with opened as run:
                with signals.watching(run):
                    if not job.is_new and role != "keeper":
                        NOTICES.info("%s", found(run, job, joins=role == "worker"))
                    report = await _crawl(run, console, manner, outputs)
                    _log_end(report, manner, again)
                    nonlocal is_over
                    is_over = run.is_over
        if not manner.quiet and not manner.log_json:
            table.show(report, console, outputs=outputs, again=again)
        elif report.exit_status and not manner.log_json:
            streams.warn(str(run.error or table.summary(report)))
        if log_file.lost is not None:
            streams.warn(f"{log_file.lost}; lines of the log are lost")
        # A promise on items is the least of what may have gone wrong.
        lost = log_file.lost is not None and report.exit_status in (0, 4)
        return 3 if lost else report.exit_status

    try:
        status = asyncio.run(crawl())
    except LeasesLost as error:  # stopped in its terminal for too long, while others went on
        streams.warn(f"{error}; to go on when they have ended: {again}" if again else str(error))
        return 1
    if signals.received is not None:
        return 128 + signals.received
    if role == "worker" and is_over and state_of(job.folder) != "live":
        # Whoever began the run has died: its files are to be joined by whoever ends last.
        try:
            return run_crawl(spider, settings=settings, manner=manner, job=job, role="keeper")
        except RunError:
            if state_of(job.folder) not in ("live", "finished"):
                raise  # else another one that ended just now was first
    return status


def worker(job: Job, manner: Manner) -> list[str]:
    """Return the command that starts a worker of a run."""
    words = ["run", job.record.source, "--join", str(job.folder.resolve()), "--worker"]
    shown = ["-v"] * manner.verbose + ["--log-json"] * manner.log_json
    return [sys.executable, "-m", "crawler", *words, *shown]


def run_worker(spider: Spider[Any], *, settings: Settings, manner: Manner, job: Job) -> int:
    """Crawl as one of several processes, for whoever holds the other end of standard input."""
    settings = prepare_process(settings)
    signals = Signals()
    console = _console()

    async def crawl() -> int:
        with logging_to(job.folder, console, structs.replace(manner, quiet=True)):
            opened = open_run(spider, settings=settings, job=job, role="worker")
            async with opened as run:
                with signals.watching(run), _parent_watched(run):
                    return (await run.finish()).exit_status

    try:
        status = asyncio.run(crawl())
    except LeasesLost as error:
        streams.warn(str(error))
        return LOST
    return status if signals.received is None else 128 + signals.received


def _console() -> Console:
    """Return standard error, since stdout carries data only; `:x:` in a URL is no emoji."""
    return Console(file=streams.stderr(), highlight=False, emoji=False)


@contextmanager
def _parent_watched(run: Run) -> Iterator[None]:
    """End at once when the process that started us is gone: nobody would sum us up."""
    loop = asyncio.get_running_loop()

    def gone() -> None:
        if not os.read(_STDIN, 1):
            loop.remove_reader(_STDIN)
            run.stop("the process that started this one is gone", at_once=True)

    loop.add_reader(_STDIN, gone)
    try:
        yield
    finally:
        loop.remove_reader(_STDIN)


def _saying(console: Console) -> Callable[[str], None]:
    def say(line: str) -> None:
        console.print(harmless(line), markup=False, highlight=False, soft_wrap=True)

    return say


async def _crawl(
    run: Run | Fleet, console: Console, manner: Manner, outputs: Sequence[str]
) -> Report:
    """Run to the end, with progress beside it."""
    log.info("%s begins, in %s", run.spider.name, run.folder)
    live = console if _is_live(console, manner, outputs) else None
    with _reader_watched(run, outputs):
        try:
            async with asyncio.TaskGroup() as group:
                shown = None if manner.quiet else group.create_task(progress.show(run, live))
                report = await run.finish()
                if shown is not None:
                    shown.cancel()
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
    if report.reason == _UNREAD and run.folder is not None:
        report.exit_status = 3  # whether or not there was another item to be refused
        await write_report(run.folder, report)
    return report


def found(run: Run | Fleet, job: Job, *, joins: bool) -> str:
    """Say what there is of a run that goes on."""
    restart, stats = run.restart, run.stats
    some = f" ({restart.in_flight:,} of them in flight when it died)" if restart.in_flight else ""
    if job.retried:
        some = f" ({job.retried:,} of them because they failed)"
    pages, items = counted(stats.pages, "page"), counted(stats.items, "item")
    verb = "joining" if joins else "going on with"
    return f"{verb} {run.folder}: {pages} done, {restart.queued:,} queued{some}, {items} kept"


@contextmanager
def _reader_watched(run: Run | Fleet, outputs: Sequence[str]) -> Iterator[None]:
    """Stop when the reader of `-o -` is gone, as any command in a pipe does."""
    loop = asyncio.get_running_loop()
    is_pipe = "-" in outputs and stat.S_ISFIFO(os.fstat(_STDOUT).st_mode)

    def gone() -> None:
        loop.remove_reader(_STDOUT)
        run.stop(_UNREAD)

    if is_pipe:
        # The writing end of a pipe becomes "readable" when its reader hangs up, as asyncio's own
        # write pipes have it.
        loop.add_reader(_STDOUT, gone)
    try:
        yield
    finally:
        if is_pipe:
            loop.remove_reader(_STDOUT)


def _is_live(console: Console, manner: Manner, outputs: Sequence[str]) -> bool:
    """True if progress may be redrawn in place: a terminal that nothing else is written to."""
    shared = "-" in outputs and sys.stdout.isatty()
    return console.is_terminal and not (console.is_dumb_terminal or manner.log_json or shared)


def _log_end(report: Report, manner: Manner, again: str) -> None:
    teller = NOTICES if manner.log_json else log
    teller.info("%s", table.summary(report), extra={"facts": {"report": report}})
    if line := table.line_to_go_on(report, again):
        teller.info("to go on with it: %s", line)

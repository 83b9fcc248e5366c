"""A crawl with a face: signals, progress, table."""

import asyncio
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec import Struct
from rich.console import Console

from crawler.app import Run, open_run
from crawler.cli import progress, table
from crawler.cli.logs import logging_to
from crawler.outcome import Report
from crawler.settings import Settings
from crawler.spider import Spider

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Face(Struct, frozen=True):
    """How a crawl speaks to whoever started it."""

    quiet: bool = False
    verbose: int = 0
    log_json: bool = False

    def console(self) -> Console:
        """Return the console on stderr; stdout carries data only."""
        return Console(stderr=True, highlight=False)


class Signals:
    """The first Ctrl-C or SIGTERM ends the crawl in good order, the second at once."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    @contextmanager
    def watching(self, run: Run, console: Console) -> Iterator[None]:
        """Act on signals until the block ends."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None, "a coroutine runs in a task"

        def hear(number: signal.Signals) -> None:
            if self.received is not None:
                task.cancel()
                return
            self.received = number
            console.print("stopping: pages in hand are finished; once more ends at once")
            run.stop(number.name)

        for number in _SIGNALS:
            loop.add_signal_handler(number, hear, number)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)


def run_crawl(
    spider: Spider[Any],
    *,
    settings: Settings,
    face: Face,
    outputs: Sequence[str] = (),
    overwrite: bool = False,
    append: bool = False,
) -> int:
    """Crawl, and return the exit status."""
    signals = Signals()
    console = face.console()

    async def crawl() -> int:
        async with open_run(
            spider, settings=settings, outputs=outputs, overwrite=overwrite, append=append
        ) as run:
            with signals.watching(run, console):
                report = await _watched(run, console, face)
        if not face.quiet:
            table.show(report, console, outputs=tuple(outputs))
        return report.exit_status

    try:
        status = asyncio.run(crawl())
    except asyncio.CancelledError:
        console.print("ended at once")
        status = 0
    return status if signals.received is None else 128 + signals.received


async def _watched(run: Run, console: Console, face: Face) -> Report:
    """Run to the end, with progress and a log beside it."""
    assert run.folder is not None, "a crawl of the command line has a folder"
    with logging_to(
        run.folder,
        console,
        verbose=face.verbose,
        quiet=face.quiet,
        as_json=face.log_json,
    ):
        try:
            async with asyncio.TaskGroup() as group:
                shown = None if face.quiet else group.create_task(progress.show(run, console))
                report = await run.finish()
                if shown is not None:
                    shown.cancel()
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
    if run.error is not None:
        print(f"crawl: {run.error}", file=sys.stderr)
    return report

"""What a crawl shows while it runs."""

import asyncio
import sys
import time

from msgspec import Struct
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from crawler.cli.logs import NOTICES
from crawler.cli.units import clock_of, counted
from crawler.fleet import Fleet
from crawler.run import Run
from crawler.words import harmless

_EACH_LINE = 10.0
_EACH_FRAME = 0.25
_WINDOW = 10.0
_CELL = 7


class Snapshot(Struct, frozen=True):
    """A crawl at one moment; `rate` is pages a second lately, `eta` seconds left if known."""

    pages: int
    rate: float
    queued: int
    hosts: int
    failures: int
    items: int
    seconds: float
    eta: float | None

    def line(self) -> str:
        """Return it as one plain line."""
        left = f", {clock_of(self.eta)} left" if self.eta is not None else ""
        return (
            f"{clock_of(self.seconds)}: {counted(self.pages, 'page')} ({self.rate:,.1f}/s), "
            f"{self.queued:,} queued, {counted(self.hosts, 'host')}, "
            f"{counted(self.items, 'item')}, {counted(self.failures, 'error')}{left}"
        )


class Watch:
    """Takes snapshots of a run; the rate is over the last ten seconds."""

    def __init__(self, run: Run | Fleet) -> None:
        self._run = run
        self._seen: list[tuple[float, int]] = [(time.monotonic(), 0)]

    async def look(self) -> Snapshot:
        """Return the run as it is now."""
        now, counts, stats = time.monotonic(), await self._run.counts(), self._run.stats
        self._seen.append((now, stats.pages))
        while len(self._seen) > 2 and now - self._seen[1][0] > _WINDOW:
            self._seen.pop(0)
        began, pages = self._seen[0]
        rate = (stats.pages - pages) / max(now - began, 1e-3)
        return Snapshot(
            pages=stats.pages,
            rate=rate,
            queued=counts.queued + counts.delayed + counts.leased,
            hosts=counts.hosts,
            failures=stats.failures,
            items=stats.items,
            seconds=stats.seconds,
            eta=self._eta(rate),
        )

    def _eta(self, rate: float) -> float | None:
        """Return the seconds to the nearest limit; without a limit nobody knows."""
        settings, stats = self._run.settings, self._run.stats
        ends = []
        if settings.max_seconds is not None:
            ends.append(settings.max_seconds - stats.seconds)
        if settings.max_pages is not None and rate > 0:
            ends.append((settings.max_pages - stats.pages) / rate)
        if settings.max_items is not None and stats.items:
            ends.append((settings.max_items - stats.items) * stats.seconds / stats.items)
        return max(0.0, min(ends)) if ends else None


async def show(run: Run | Fleet, console: Console | None, *, line_each: float = _EACH_LINE) -> None:
    """Show progress until cancelled: live on a console, without one a line now and then."""
    watch = Watch(run)
    if console is None:
        while True:
            await asyncio.sleep(line_each)
            NOTICES.info("%s", (await watch.look()).line())
    title = harmless(f"crawl {run.spider.name} → {run.folder}")
    prints = sys.stdout is not None and sys.stdout.isatty()
    with Live(console=console, auto_refresh=False, transient=True, redirect_stdout=prints) as live:
        while True:
            shown = _shown(title, await watch.look(), width=console.width)
            live.update(shown, refresh=True)
            await asyncio.sleep(_EACH_FRAME)


def _shown(title: str, now: Snapshot, *, width: int) -> RenderableType:
    """Return a small table; on a screen too narrow for it the plain line, folded."""
    cells = {
        "pages": f"{now.pages:,}",
        "pages/s": f"{now.rate:,.1f}",
        "queue": f"{now.queued:,}",
        "hosts": f"{now.hosts:,}",
        "items": f"{now.items:,}",
        "errors": f"[red]{now.failures:,}[/red]" if now.failures else "0",
        "elapsed": clock_of(now.seconds),
        **({"left": clock_of(now.eta)} if now.eta is not None else {}),
    }
    if width < len(cells) * (_CELL + 2):
        return Text(now.line())
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in cells:
        table.add_column(heading, justify="right", min_width=_CELL)
    table.add_row(*cells.values())
    return Group(Text(title, style="bold", no_wrap=True, overflow="ellipsis"), table)

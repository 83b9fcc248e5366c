"""What a crawl shows while it runs."""

import asyncio
import time

from msgspec import Struct
from rich.console import Console
from rich.live import Live
from rich.table import Table

from crawler.app import Run

_EACH_LINE = 10.0
_EACH_FRAME = 0.25
_WINDOW = 10.0


class Snapshot(Struct, frozen=True):
    """A crawl at one moment; `rate` is pages a second lately, `eta` seconds left if known."""

    pages: int
    rate: float
    queued: int
    active: int
    hosts: int
    failures: int
    items: int
    seconds: float
    eta: float | None

    def line(self) -> str:
        """Return it as one plain line."""
        left = f", {clock_of(self.eta)} left" if self.eta is not None else ""
        return (
            f"{clock_of(self.seconds)}: {self.pages:,} pages ({self.rate:,.1f}/s), "
            f"{self.queued:,} queued, {self.active} active, {self.hosts:,} hosts, "
            f"{self.items:,} items, {self.failures:,} errors{left}"
        )


class Watch:
    """Takes snapshots of a run; the rate is over the last ten seconds."""

    def __init__(self, run: Run) -> None:
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
            queued=counts.queued + counts.delayed,
            active=counts.leased,
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


async def show(run: Run, console: Console) -> None:
    """Show progress until cancelled: live on a terminal, else one plain line each 10 s."""
    watch = Watch(run)
    if not console.is_terminal:
        while True:
            await asyncio.sleep(_EACH_LINE)
            console.print(
                (await watch.look()).line(), markup=False, highlight=False, soft_wrap=True
            )
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            live.update(_table(run.spider.name, await watch.look()), refresh=True)
            await asyncio.sleep(_EACH_FRAME)


def clock_of(seconds: float) -> str:
    """Return 3725.0 as `1:02:05`, 65.0 as `1:05`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _table(name: str, now: Snapshot) -> Table:
    table = Table(title=f"crawl {name}", title_justify="left", box=None, pad_edge=False)
    left = clock_of(now.eta) if now.eta is not None else "–"
    cells = {
        "pages": f"{now.pages:,}",
        "pages/s": f"{now.rate:,.1f}",
        "queue": f"{now.queued:,}",
        "active": f"{now.active}",
        "hosts": f"{now.hosts:,}",
        "items": f"{now.items:,}",
        "errors": f"[red]{now.failures:,}[/red]" if now.failures else "0",
        "elapsed": clock_of(now.seconds),
        "left": left,
    }
    for heading in cells:
        table.add_column(heading, justify="right", min_width=7)
    table.add_row(*cells.values())
    return table

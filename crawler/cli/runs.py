"""`crawl runs`."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import click
from msgspec import Struct

from crawler.cli.layers import layers
from crawler.cli.streams import tell, warn
from crawler.cli.table import ended
from crawler.cli.units import counted, size_of
from crawler.errors import RunError, SpiderError
from crawler.export.run_folder import read_record, read_report
from crawler.frontier.glance import Glance, glance
from crawler.frontier.schema import FILE
from crawler.jobs import age_of, runs_in, state_of
from crawler.outcome import Report
from crawler.pruning import prune, prune_empty
from crawler.settings import Layer, merge
from crawler.words import harmless

_HEAD = ("SPIDER", "RUN", "STARTED", "PAGES", "ITEMS", "FAILED", "QUEUED", "STATE")
_NUMBERS = range(3, 7)


class _Line(Struct, frozen=True):
    """One run, as it is shown: pages, items, failures and queued are None if nobody knows."""

    folder: Path
    state: str
    started: datetime | None
    figures: Sequence[int | None]

    @property
    def age(self) -> tuple[str, float]:
        """What sorts the runs of several spiders."""
        began = self.started.timestamp() if self.started is not None else 0.0
        return age_of(self.folder.name)[0], began

    @property
    def cells(self) -> Sequence[str]:
        at = f"{self.started.astimezone():%Y-%m-%d %H:%M}" if self.started is not None else "-"
        figures = ["-" if figure is None else f"{figure:,}" for figure in self.figures]
        return [self.folder.parent.name, self.folder.name, at, *figures, harmless(self.state)]


@click.command("runs")
@click.argument("name", required=False)
@click.option("-s", "--setting", "pairs", multiple=True, metavar="NAME=VALUE", help="A setting.")
@click.option("--prune", "prunes", is_flag=True, help="Delete what finished runs need no more.")
def command(name: str | None, pairs: tuple[str, ...], *, prunes: bool) -> None:
    """List the runs of every spider, or of the spider NAME, the newest last.

    --prune deletes the frontier of each finished run, whose data and report stay, and the folders
    of runs that hold nothing at all.
    """
    place = _place(name, pairs)
    spiders = [place] if name is not None else _folders(place)
    if prunes:
        tell(_prune(spiders))
        return
    runs = [folder for spider in spiders for folder in runs_in(spider.parent, spider.name)]
    if not runs:
        warn(f"no runs in {place}")
        return
    lines = sorted(map(_line, runs), key=lambda line: line.age)
    tell(_aligned([_HEAD, *(line.cells for line in lines)]))


def _place(name: str | None, pairs: Sequence[str]) -> Path:
    """Return the folder of all runs, or of a spider's, which need not be there any more."""
    below, above = layers(pairs, {})
    own: list[Layer] = []
    spider = name or ""
    if name is not None:
        from crawler.cli.finding import find

        try:
            kind = find(name)
        except SpiderError:
            if not (Path(merge([*below, *above]).output_dir) / name).is_dir():
                raise
        else:
            spider, own = kind.name, [Layer(f"spider {kind.name}", kind.settings)]
    return Path(merge([*below, *own, *above]).output_dir) / spider


def _folders(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.is_dir()) if place.is_dir() else []


def _line(folder: Path) -> _Line:
    started: datetime | None = None
    broken: list[str] = []
    seen: Glance | None = None
    try:
        started = read_record(folder).created
    except RunError as error:
        broken.append(str(error))
    try:
        seen = glance(folder) if (folder / FILE).exists() else None
    except RunError as error:
        broken.append(str(error))
    report = read_report(folder)
    words = [text.removeprefix(f"{folder}/") for text in broken] or [_state(folder, report, seen)]
    return _Line(folder, "; ".join(words), started, _figures(report, seen))


def _state(folder: Path, report: Report | None, seen: Glance | None) -> str:
    state = state_of(folder)
    if state == "live":
        return "being crawled"
    died = seen is not None and seen.died
    how = "killed" if report is None or died else ended(report)
    if report is None and seen is not None and seen.fresh and not died:
        how = "not begun"  # an output, or something else that it needs, could not be opened
    return f"{how}; nothing to go on from" if state == "gone" else how


def _figures(report: Report | None, seen: Glance | None) -> Sequence[int | None]:
    """Return a run's figures, of its frontier if it has one: a report may be of an earlier life."""
    if seen is not None:
        return seen.counts.get("pages", 0), seen.part("items"), seen.part("failed"), seen.queued
    if report is not None:
        return report.pages, report.item_count, report.failure_count, report.queued
    return (None,) * len(_NUMBERS)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            f"{cell:>{width}}" if number in _NUMBERS else f"{cell:{width}}"
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _prune(spiders: Iterable[Path]) -> Iterator[str]:
    freed = number = 0
    for folder in (run for spider in spiders for run in _folders(spider)):
        if prune_empty(folder):
            yield f"{folder}: held nothing, removed"
        elif (held := prune(folder)) is not None:
            yield f"{folder}: finished, its frontier removed ({size_of(held)})"
            freed, number = freed + held, number + 1
    yield f"{size_of(freed)} freed, of {counted(number, 'finished run')}"

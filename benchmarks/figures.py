"""What laps say: medians, spans and ratios, and the table of them."""

from collections.abc import Callable, Iterable, Sequence
from statistics import median

import msgspec

from benchmarks.laps import Lap
from benchmarks.suites import Entry, Suite


class Line(msgspec.Struct, frozen=True):
    """One crawler on one site; `ours_by_it` is None where none of ours had as many cores."""

    entry: str
    rounds: int
    median: float
    least: float
    most: float
    by_first: float
    ours_by_it: float | None
    cpu_ms: float
    peak_bytes: float


def lines_of(suite: Suite, laps: Iterable[Lap]) -> list[Line]:
    """Return a line for each crawler of a suite that ran on the site these laps are of."""
    laps = list(laps)
    first = suite.entries[0].label
    return [
        _line(entry, laps, first=first, ours=_ours_beside(suite, entry))
        for entry in suite.entries
        if any(lap.entry == entry.label for lap in laps)
    ]


def ratios(laps: Iterable[Lap], of: str, by: str, *, figure: Callable[[Lap], float]) -> list[float]:
    """Return what two crawlers' figures are by each other in each round that both ran in.

    A machine that is slower for a while is so for the neighbours within a round.
    """
    laps = list(laps)
    upper = {lap.round: figure(lap) for lap in laps if lap.entry == of}
    lower = {lap.round: figure(lap) for lap in laps if lap.entry == by}
    return [upper[number] / lower[number] for number in sorted(upper.keys() & lower.keys())]


def speed(lap: Lap) -> float:
    return lap.pages_per_second


def cpu(lap: Lap) -> float:
    return lap.cpu_ms_per_page


def _ours_beside(suite: Suite, entry: Entry) -> str | None:
    """Return ours on as many cores as this one: the only fair pair."""
    labels = [
        e.label for e in suite.entries if (e.crawler.name, e.cores) == (suite.ours, entry.cores)
    ]
    return labels[0] if labels else None


def _line(entry: Entry, laps: Sequence[Lap], *, first: str, ours: str | None) -> Line:
    own = [lap for lap in laps if lap.entry == entry.label]
    speeds = [lap.pages_per_second for lap in own]
    return Line(
        entry=entry.label,
        rounds=len(own),
        median=median(speeds),
        least=min(speeds),
        most=max(speeds),
        by_first=median(ratios(laps, entry.label, first, figure=speed)),
        ours_by_it=median(ratios(laps, ours, entry.label, figure=speed)) if ours else None,
        cpu_ms=median(lap.cpu_ms_per_page for lap in own),
        peak_bytes=median(lap.cost.peak_bytes for lap in own),
    )


def table(suite: Suite, lines: Iterable[Line]) -> str:
    """Return a Markdown table of one site's lines."""
    first = suite.entries[0].label
    head = (
        f"| crawler | pages/s | min-max | × {first} | {suite.ours} is × it | CPU ms a page "
        "| peak MB | rounds |"
    )
    return "\n".join([head, "|---|---|---|---|---|---|---|---|", *map(_row, lines)])


def _row(line: Line) -> str:
    cells = (
        line.entry,
        f"{line.median:,.0f}",
        f"{line.least:,.0f}-{line.most:,.0f}",
        _times(line.by_first),
        _times(line.ours_by_it),
        f"{line.cpu_ms:.2f}",
        f"{line.peak_bytes / 1e6:.0f}",
        str(line.rounds),
    )
    return f"| {' | '.join(cells)} |"


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}"

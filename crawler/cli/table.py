"""The closing table."""

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from crawler.cli.progress import clock_of
from crawler.outcome import Report


def show(report: Report, console: Console, *, outputs: tuple[str, ...]) -> None:
    """Print what a crawl came to: pages, items, bytes, pace, slowest hosts, what failed and why."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(report, outputs):
        table.add_row(name, value)
    console.print()
    console.print(table)


def _rows(report: Report, outputs: tuple[str, ...]) -> list[tuple[str, str]]:
    rate = report.pages / report.seconds if report.seconds else 0.0
    rows = [
        ("crawl", f"{report.spider}: {escape(report.reason)}, in {clock_of(report.seconds)}"),
        ("pages", f"{report.pages:,} ({rate:,.1f}/s, {size_of(report.bytes)})"),
        ("answers", _list(report.statuses)),
        ("items", _list(report.items) or "none"),
        ("failed", escape(_list(report.failures)) or "nothing"),
        *((("", escape(line))) for line in report.examples),
        ("left out", _list(_left_out(report))),
        ("given up", "\n".join(f"{host}: {why}" for host, why in report.given_up.items())),
        ("slowest", ", ".join(f"{host} {mean:.2f} s" for host, _, mean in report.slowest)),
        ("queued", f"{report.queued:,}" if report.queued else ""),
        ("files", ", ".join([*([report.folder] if report.folder else []), *outputs])),
    ]
    return [(name, value) for name, value in rows if value]


def _left_out(report: Report) -> dict[str, int]:
    """Return what was not asked for, or not kept, on purpose."""
    names = ("robots_denied", "unwanted_type", "offsite", "denied", "too_deep", "duplicates")
    counts = {name: report.counts[name] for name in names if report.counts.get(name)}
    prefixes = ("dropped.", "left_out.")
    return counts | {k: n for k, n in report.counts.items() if k.startswith(prefixes)}


def _list(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.items())


def size_of(count: float) -> str:
    """Return 1234567 as `1.2 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000
    return ""

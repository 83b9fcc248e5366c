"""The closing table."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.text import Text

from crawler.cli.units import clipped, size_of, span_of
from crawler.export.targets import for_people
from crawler.outcome import Report
from crawler.promises import delivered_nothing
from crawler.words import harmless

_WIDTH = len("left out") + 2
_URLS = 3
"""Examples shown of one reason to fail."""
_SLOWED = 5
"""Hosts shown that were slowed, and that were parked."""
_GIVEN_UP = _TRAPS = 10
_UNFILLED = 5
"""Fields shown that are not always filled."""
_BROKEN = 3

_REASONS = {
    "finished": "finished in {time}",
    "SIGINT": "stopped by Ctrl-C after {time}",
    "SIGTERM": "stopped by SIGTERM after {time}",
    "max_pages": "stopped at max_pages after {time}",
    "max_items": "stopped at max_items after {time}",
    "max_seconds": "stopped at max_seconds after {time}",
    "max_failures": "given up after {time}: more failures than max_failures",
}
_LARGER = {
    "max_pages": " --max-pages N",
    "max_items": " --max-items N",
    "max_seconds": " --max-seconds S",
    "max_failures": " -s max_failures=N",
}
_LEFT_OUT = {
    "robots_denied": "forbidden by robots.txt",
    "unwanted_type": "unwanted type",
    "offsite": "out of scope",
    "denied": "denied",
    "too_deep": "too deep",
    "too_long": "too long",
    "duplicates": "duplicate",
    "sitemap_since": "older than sitemap_since",
    "sitemaps_too_deep": "sitemap of an index too deep",
    "max_sitemaps": "sitemap beyond max_sitemaps",
    "sitemaps_broken": "broken sitemap",
    "invalid_urls": "bad URL in a sitemap",
    "left_out.trap": "in a trap",
    "left_out.shape_pages": "over shape_pages",
    "left_out.host_pages": "over host_pages",
    "left_out.host_given_up": "of a host given up",
    "dropped.soft_404": "dropped (200 for what is not there)",
}
_DROPPED = {"dropped": "dropped", "duplicate_items": "duplicate items"}
_FOUND = {
    "duplicate_bodies": "same body as another",
    "near_duplicates": "nearly the same text",
    "soft_404": "200 for what is not there",
}


def summary(report: Report) -> str:
    """Return in a line how a spider's crawl ended, and why."""
    return f"{report.spider}: {ended(report)}"


def ended(report: Report) -> str:
    """Return how a crawl ended, `stopped at max_pages after 1.2 s`, and the promises it broke."""
    time, reason = span_of(report.seconds), report.reason
    if delivered_nothing(report) and report.exit_status == 1:
        what = "every callback failed" if report.pages else "nothing was delivered"
        return f"ended after {time}: {what}"
    verb = "failed" if report.exit_status in (1, 3) else "stopped"
    words = _REASONS.get(reason, "").format(time=time) or f"{verb} after {time}: {reason}"
    broken = _some(report.broken_promises, _BROKEN)
    return "; ".join([words, *(f"broken promise: {promise}" for promise in broken)])


def line_to_go_on(report: Report, again: str) -> str:
    """Return the command line that goes on with a crawl, "" if it is finished.

    One that has reached a limit goes on with a larger one.
    """
    if report.finished or not again:
        return ""
    return f"{again}{_LARGER.get(report.reason, '')}"


def show(report: Report, console: Console, *, outputs: Sequence[str], again: str = "") -> None:
    """Print what a crawl came to: pages, items, bytes, pace, slowest hosts, what failed and why.

    Plain lines, which a terminal folds and a file keeps: no URL is broken, none is padded.
    """
    parts = {
        **_rows(report, outputs),
        "go on": [line] if (line := line_to_go_on(report, again)) else [],
    }
    rows = [(name, line) for name, lines in parts.items() for line in lines]
    text = Text()
    text.append(
        f"\n{harmless(summary(report))}\n\n", style="bold red" if report.exit_status else "bold"
    )
    last = ""
    for name, line in rows:
        text.append(f"{name if name != last else '':{_WIDTH}}", style="dim")
        text.append(harmless(line) + "\n")
        last = name
    console.print(text, end="", soft_wrap=True)


def _rows(report: Report, outputs: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return the lines of each row that has something to say."""
    rate = report.pages / report.seconds if report.seconds else 0.0
    found = {_FOUND[n]: report.counts[n] for n in _FOUND if report.counts.get(n)}
    mine = {k[5:]: n for k, n in report.counts.items() if k.startswith("user.")}
    slowest = [f"{host} {span_of(mean)}" for host, _, mean in report.slowest]
    slowed = [f"{host} {delay:.3g} s" for host, delay in list(report.slowed.items())[:_SLOWED]]
    # Who is given up was left alone before.
    parked = [pair for pair in report.parked.items() if pair[0] not in report.given_up]
    files, size = report.counts.get("media", 0), report.counts.get("media_bytes", 0)
    rows: dict[str, Sequence[str]] = {
        "pages": [f"{report.pages:,} ({rate:,.1f}/s, {size_of(report.bytes)})"],
        "media": [f"{files:,} ({size_of(size)})"] if files else [],
        "answers": _list(report.statuses),
        "items": _list(report.items) or ["none"],
        "counted": _list(found | mine),
        "failed": [*(_list(report.failures) or ["nothing"]), *_examples(report)],
        "filled": [", ".join(unfilled)] if (unfilled := _unfilled(report)) else [],
        "left out": _list(_left_out(report)),
        "traps": _some([f"{k} on {host}: {clipped(url)}" for host, k, url in report.traps], _TRAPS),
        "given up": _some([f"{host}: {why}" for host, why in report.given_up.items()], _GIVEN_UP),
        "slowest": [", ".join(slowest)] if len(slowest) > 1 else [],
        "slowed": [", ".join(slowed)] if slowed else [],
        "parked": _some([f"{host}: {why}" for host, why in parked], _SLOWED),
        "queued": [f"{report.queued:,}"] if report.queued else [],
        "output": [f"{report.folder}/", *(for_people(name) for name in outputs if name != "-")],
    }
    return {name: lines for name, lines in rows.items() if lines}


def _some(lines: Sequence[str], most: int) -> list[str]:
    """Return the first lines, and how many more there are."""
    more = len(lines) - most
    return [*lines[:most], *([f"and {more:,} more in stats.json"] if more > 0 else [])]


def _examples(report: Report) -> Iterator[str]:
    """Yield each reason to fail with a few of the URLs it met."""
    urls: dict[str, list[str]] = {}
    for example in report.examples:
        reason, _, url = example.partition(": ")[2].rpartition(": ")
        reason = reason.replace(f" on {url}", "")
        urls.setdefault(clipped(reason), []).append(clipped(url))
    shown = 0
    for reason, some in urls.items():
        yield f"  {reason}"
        yield from (f"    {url}" for url in some[:_URLS])
        shown += len(some[:_URLS])
    if more := sum(report.failures.values()) - shown:
        yield f"  and {more:,} more in failures.jsonl"


def _unfilled(report: Report) -> list[str]:
    """Return the fields that are empty most often, with the shares of items that have them."""
    shares = {
        f"{stream}.{field}" if len(report.fill_rates) > 1 else field: share
        for stream, rates in report.fill_rates.items()
        for field, share in rates.items()
        if share < 1
    }
    least = sorted(shares, key=shares.__getitem__)[:_UNFILLED]
    return [f"{name} {shares[name] * 100:.4g}%" for name in least]


def _left_out(report: Report) -> dict[str, int]:
    """Return what was not asked for, or not kept, on purpose."""
    counts = {_LEFT_OUT[n]: report.counts[n] for n in _LEFT_OUT if report.counts.get(n)}
    drops = {
        f"{word} ({name.partition('.')[2]})": n
        for name, n in report.counts.items()
        if (word := _DROPPED.get(name.partition(".")[0])) and name not in _LEFT_OUT
    }
    return counts | drops


def _list(counts: Mapping[str, int]) -> list[str]:
    """Return `product: 850, shop: 3` as one line, or none if there is nothing."""
    return [", ".join(f"{name}: {number:,}" for name, number in counts.items())] if counts else []

"""docs/benchmarks.md: its generated parts, each between two markers; the rest is prose."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.figures import lines_of, table
from benchmarks.laps import Lap
from benchmarks.suites import Suite

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_END = "<!-- end of figures -->"


def with_part(text: str, name: str, part: str) -> str:
    """Return a page with one generated part replaced; raises `ValueError` where it has no place."""
    begin = f"<!-- figures: {name} -->"
    new, count = re.subn(
        f"{re.escape(begin)}\n.*?{re.escape(_END)}",
        lambda _: f"{begin}\n{part}\n{_END}",
        text,
        flags=re.DOTALL,
    )
    if count != 1:
        raise ValueError(f"expected one part {begin} … {_END}, got {count}")
    return new


def suite_part(suite: Suite, laps: Sequence[Lap], addresses: Mapping[str, int]) -> str:
    """Return a suite's tables, one for each site that was crawled."""
    parts = []
    for site in dict.fromkeys(lap.site for lap in laps):
        own = [lap for lap in laps if lap.site == site]
        hosts, pages = addresses[site], own[0].pages
        kind = "addresses" if hosts > 1 else "address"
        first = [lap for lap in own if lap.entry == suite.entries[0].label]
        share = median(lap.core_share for lap in first)
        parts.append(
            f"{site}: {pages:,} pages under {hosts} {kind}; "
            f"{suite.entries[0].label} had {share:.2f} cores\n"
        )
        parts.append(table(suite, lines_of(suite, own)) + "\n")
    return "\n".join(parts).rstrip()

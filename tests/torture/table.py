"""What the torture came to, in lines of a table."""

from collections import Counter
from collections.abc import Iterable, Sequence

from tests.torture.trial import Tale

_HEADS = ("hits", "crawls", "lost", "doubled", "broken", "wrong", "strange")
_MORE = ("again", "most", "over", "seconds")
HEAD = f"{'':20}" + "".join(f"{head:>8}" for head in (*_HEADS, *_MORE)) + "  hit"
LEGEND = """
hits     kills, or signals that ended a crawl
lost     items, links, pages, failures and files that the crawl nobody hurt has, and this one not
doubled  those it has once more, or alone
broken   lines without end, and what cannot be read
wrong    figures of stats.json that are not those of the crawl nobody hurt
strange  exit statuses, tracebacks, processes that outlive their parent
again    pages fetched again for each hit, in the mean, and at most
over     hits with more of them than there can be requests in flight
"""


def over(tales: Sequence[Tale], *, in_flight: int) -> int:
    """Return how many hits have made a crawl fetch more again than it can have in flight."""
    again = [entry for tale in tales for entry in tale.again]
    return sum(pages > in_flight * several for pages, several in again)


def line(name: str, tales: Sequence[Tale], *, in_flight: int) -> str:
    """Return a line for some crawls."""
    again = [entry for tale in tales for entry in tale.again]
    each = [pages / several for pages, several in again]
    kills: Counter[str] = sum((tale.kills for tale in tales), Counter())
    differences = ([len(part) for part in tale.difference] for tale in tales)
    cells: Iterable[object] = [
        kills.total(),
        len(tales),
        *map(sum, zip(*differences, strict=True)),
        sum(len(tale.complaints) for tale in tales),
        f"{sum(pages for pages, _ in again) / max(1, kills.total()):.1f}",
        f"{max(each, default=0):.0f}",
        over(tales, in_flight=in_flight),
        f"{sum(tale.seconds for tale in tales):.0f}",
    ]
    hit = ", ".join(f"{where} {number}" for where, number in sorted(kills.items()))
    return f"{name:20}" + "".join(f"{cell:>8}" for cell in cells) + f"  {hit}"

"""What is compared with what, on which sites and cores."""

import compileall
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from benchmarks.contestants import (
    BARE,
    CRAWLEE,
    OURS,
    OURS_STORING,
    OURS_TWO,
    SCRAPLING,
    SCRAPY,
    SCRAPY_FOLLOWING,
    WGET2,
    WGET2_WIDE,
    Crawler,
)

SITES: Mapping[str, Path] = {
    "python3-doc": Path("/usr/share/doc/python3/html"),
    "postgresql-doc-15": Path("/usr/share/doc/postgresql-doc-15/html"),
}


class Entry(msgspec.Struct, frozen=True):
    """A crawler in a suite; `share` is the part of the rounds that a slow one runs in."""

    crawler: Crawler
    cores: int = 1
    share: float = 1.0

    @property
    def label(self) -> str:
        return f"{self.crawler.name} ({self.cores} core{'s' * (self.cores > 1)})"

    def runs_in(self, number: int) -> bool:
        """Return whether it runs in this round: spread evenly, the first is always one."""
        return number == 0 or int(number * self.share) != int((number - 1) * self.share)


class Suite(msgspec.Struct, frozen=True):
    """One comparison. The first entry is what all are measured by; `ours` is named in ratios."""

    name: str
    title: str
    entries: tuple[Entry, ...]
    ours: str
    addresses: Mapping[str, int]
    rounds: int
    tls: bool = False


# Long enough that start-up does not decide: seconds even for the fastest.
_LONG = {"python3-doc": 4, "postgresql-doc-15": 12}
_MANY = {"python3-doc": 16, "postgresql-doc-15": 32}

SUITES: Mapping[str, Suite] = {
    suite.name: suite
    for suite in (
        Suite(
            "one-core",
            "One core",
            (
                Entry(BARE),
                Entry(OURS),
                Entry(WGET2),
                Entry(WGET2_WIDE),
                Entry(SCRAPLING),
                Entry(CRAWLEE, share=0.4),
                Entry(SCRAPY, share=0.4),
                Entry(SCRAPY_FOLLOWING, share=0.2),
            ),
            ours=OURS.name,
            addresses=_LONG,
            rounds=5,
        ),
        Suite(
            "two-cores",
            "Two cores",
            (Entry(BARE, 2), Entry(OURS, 2), Entry(WGET2, 2), Entry(WGET2_WIDE, 2)),
            ours=OURS.name,
            addresses=_LONG,
            rounds=5,
        ),
        Suite(
            "stored",
            "Every page stored",
            (
                Entry(OURS),
                Entry(OURS_STORING),
                Entry(WGET2),
                Entry(WGET2_WIDE),
                Entry(OURS, 2),
                Entry(OURS_STORING, 2),
                Entry(WGET2, 2),
                Entry(WGET2_WIDE, 2),
            ),
            ours=OURS_STORING.name,
            addresses=_LONG,
            rounds=5,
        ),
        Suite(
            "https",
            "HTTPS",
            (Entry(BARE), Entry(OURS)),
            ours=OURS.name,
            addresses=_LONG,
            rounds=5,
            tls=True,
        ),
        Suite(
            "processes",
            "Two processes",
            (Entry(OURS), Entry(OURS_TWO, 2)),
            ours=OURS_TWO.name,
            addresses=_MANY,
            rounds=5,
        ),
    )
}


def cores_there() -> int:
    """Return how many cores this program was given."""
    return len(_there())


@cache
def _there() -> Sequence[int]:
    """Return the cores there were before this program was kept off some of them."""
    return sorted(os.sched_getaffinity(0))


def cores_for(number: int) -> tuple[set[int], int]:
    """Return the crawler's cores and the server's, which they share when there are no more."""
    there = _there()
    if len(there) < 2:
        raise SystemExit("the crawler and the server need a core each; here is one")
    return set(there[:number]), there[min(number, len(there) - 1)]


def make_ready() -> None:
    """Stay where the server is, and compile our code.

    This program's own work is not to be measured, nor what pip did for the others. (Where the
    environment says PYTHONDONTWRITEBYTECODE, each crawl would compile what has changed.)
    """
    os.sched_setaffinity(0, {cores_for(1)[1]})
    compileall.compile_dir("crawler", quiet=2)

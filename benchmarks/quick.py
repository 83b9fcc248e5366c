"""Ours by the bare loop on one core, against what was recorded: `python -m benchmarks.quick`.

Only ratios are compared, of crawls that ran in turn: they hold from one machine to another better
than any time does. Exit status 1 when ours got worse by more than 5 %; `--record` keeps them.

On a busy machine pages a second mean nothing: who has more threads gets more of a contended core.
There only CPU a page is compared, whose ratio stays within a few percent.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.contestants import BARE, OURS
from benchmarks.figures import cpu, ratios, speed
from benchmarks.laps import Lap
from benchmarks.races import race
from benchmarks.suites import SITES, Entry, Suite, make_ready

RECORD = Path(__file__).with_name("quick.json")
TOLERATED = 0.05
_BARE = Entry(BARE)
_OURS = Entry(OURS)
_SUITE = Suite(
    "quick",
    "Quick",
    (_BARE, _OURS),
    ours=OURS.name,
    addresses={"python3-doc": 2, "postgresql-doc-15": 4},
    rounds=5,
)
_SECONDS = 45.0
# What the bare loop has of its core: 0.75 or more if nobody else wants it, for it waits for nginx.
_QUIET = 0.7


class Ratio(msgspec.Struct, frozen=True):
    """Ours by the bare loop: CPU of a page, the less the better, and pages a second.

    `speed` is None if the machine was busy.
    """

    cpu: float
    speed: float | None


def main() -> None:
    """Measure, print, compare; record if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help=f"keep the ratios in {RECORD.name}")
    parser.add_argument("--rounds", type=int, default=_SUITE.rounds)
    asked = parser.parse_args()
    make_ready()
    now = {site: measured(_laps(site, asked.rounds)) for site in SITES}
    if asked.record:
        RECORD.write_bytes(msgspec.json.format(msgspec.json.encode(now)) + b"\n")
    was = msgspec.json.decode(RECORD.read_bytes(), type=dict[str, Ratio])
    for site in now:
        print(f"{site}: ours by the bare loop: {'; '.join(changes(now[site], was=was[site]))}")
    worse = [site for site in now if is_worse(now[site], was=was[site])]
    if worse:
        sys.exit(f"worse by more than {TOLERATED:.0%}: {', '.join(worse)}")


def changes(now: Ratio, *, was: Ratio) -> list[str]:
    """Return what is to be said of each figure."""
    said = [f"CPU a page {_change(now.cpu, was.cpu)}"]
    if now.speed is None:
        return [*said, "pages/s not compared, the machine is busy"]
    if was.speed is None:
        return [*said, f"pages/s {now.speed:.3f}, recorded on a busy machine"]
    return [*said, f"pages/s {_change(now.speed, was.speed)}"]


def is_worse(now: Ratio, *, was: Ratio) -> bool:
    """Return whether a page costs more, or fewer are crawled a second, than can be noise."""
    if now.speed is not None and was.speed is not None and now.speed < was.speed * (1 - TOLERATED):
        return True
    return now.cpu > was.cpu * (1 + TOLERATED)


def measured(laps: Sequence[Lap]) -> Ratio:
    """Return the medians of the rounds' ratios."""
    speeds = ratios(laps, _OURS.label, _BARE.label, figure=speed)
    costs = ratios(laps, _OURS.label, _BARE.label, figure=cpu)
    quiet = median(lap.core_share for lap in laps if lap.entry == _BARE.label) >= _QUIET
    return Ratio(round(median(costs), 3), round(median(speeds), 3) if quiet else None)


def _laps(site: str, rounds: int) -> list[Lap]:
    addresses = _SUITE.addresses[site]
    return race(_SUITE, site, rounds=rounds, addresses=addresses, seconds=_SECONDS)


def _change(now: float, was: float) -> str:
    return f"{now:.3f}, was {was:.3f}, {now / was - 1:+.1%}"


if __name__ == "__main__":
    main()

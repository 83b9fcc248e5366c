"""Ours and its peers on the same sites in the same run: `python -m benchmarks.compare --help`.

Writes figures into docs/benchmarks.md; with `--print`, `--only` or `--quick` only prints them.
"""

import argparse
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from benchmarks.contestants import PEERS
from benchmarks.figures import lines_of
from benchmarks.laps import Lap
from benchmarks.machine import description
from benchmarks.races import race
from benchmarks.report import PAGE, suite_part, with_part
from benchmarks.suites import SITES, SUITES, Suite, make_ready

_PLOTTED = "one-core"


def main() -> None:
    """Run the suites that were asked for, and write or print what they say."""
    asked = _arguments()
    make_ready()
    began = time.monotonic()
    text = PAGE.read_text()
    for name in asked.suite:
        suite = _only(SUITES[name], asked.only)
        addresses = {site: asked.addresses or suite.addresses[site] for site in asked.site}
        laps = _laps(suite, addresses, asked.rounds or suite.rounds)
        part = suite_part(suite, laps, addresses)
        print(f"## {suite.title}\n\n{part}\n", flush=True)
        if not asked.print:
            PAGE.write_text(text := with_part(text, name, part))
            if name == _PLOTTED:
                _plot(suite, laps)
    if not asked.print:
        PAGE.write_text(with_part(text, "machine", description()))
    print(f"{description()}\n\ntook {(time.monotonic() - began) / 60:.1f} minutes")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", type=_listed(SUITES), default=list(SUITES))
    parser.add_argument("--site", type=_listed(SITES), default=list(SITES))
    parser.add_argument("--rounds", type=int, help="instead of each suite's own number")
    parser.add_argument("--addresses", type=int, help="instead of each suite's own number")
    parser.add_argument("--only", type=lambda text: text.split(","), help="crawlers, by name")
    parser.add_argument("--print", action="store_true", help="leave the page as it is")
    parser.add_argument(
        "--quick", action="store_true", help="does all work? one round, one address"
    )
    asked = parser.parse_args()
    if asked.quick:
        asked.rounds, asked.addresses = asked.rounds or 1, asked.addresses or 1
    there = {entry.crawler.name for name in asked.suite for entry in SUITES[name].entries}
    if unknown := set(asked.only or ()) - there:
        parser.error(f"--only: {', '.join(unknown)}: none of {', '.join(sorted(there))}")
    asked.print = asked.print or asked.quick or asked.only is not None
    return asked


def _listed(known: Collection[str]) -> Callable[[str], list[str]]:
    """Return what reads `a,b`, of names that are known."""

    def listed(text: str) -> list[str]:
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return names

    return listed


def _only(suite: Suite, names: Sequence[str] | None) -> Suite:
    """Return a suite with these crawlers only, and the first one, which all are measured by."""
    if names is None:
        return suite
    kept = tuple(
        entry
        for number, entry in enumerate(suite.entries)
        if number == 0 or entry.crawler.name in names
    )
    return msgspec.structs.replace(suite, entries=kept)


def _laps(suite: Suite, addresses: Mapping[str, int], rounds: int) -> list[Lap]:
    return [
        lap
        for site, number in addresses.items()
        for lap in race(suite, site, rounds=rounds, addresses=number)
    ]


def _plot(suite: Suite, laps: Sequence[Lap]) -> None:
    """Draw a suite's figures beside the page."""
    sites = {
        site: lines_of(suite, [lap for lap in laps if lap.site == site])
        for site in dict.fromkeys(lap.site for lap in laps)
    }
    command = [PEERS / "plot" / "bin" / "python", PEERS.parent / "plot.py"]
    subprocess.run(
        [*command, PAGE.with_suffix(".svg")], input=msgspec.json.encode(sites), check=True
    )


if __name__ == "__main__":
    main()

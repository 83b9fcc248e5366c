"""Kills crawls, goes on with them, and says what was lost or came twice."""

import argparse
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random

from tests.torture import table
from tests.torture.killing import kill_at_random
from tests.torture.plan import Plan
from tests.torture.power import cut_power
from tests.torture.processes import MODES
from tests.torture.remote import Remote
from tests.torture.signalling import stop_at_random
from tests.torture.spiders import Walker
from tests.torture.stepping import STEPS, die_at
from tests.torture.tracing import STRACE, STRACE_IS_MISSING
from tests.torture.trial import Tale, Trial, Unfinished

IN_HAND = int(str(Walker.settings["concurrency"]))
_MOST_CRAWLS = 40
_MOST_BARREN = 8
"""Crawls in which nobody came to a step, before it is left."""
_SMALL = 300
_MIDDLE = 1_000
_CUTS = 10
"""Power cuts in one crawl."""
_BEFORE = "SIGKILL, SIGINT, SIGTERM and power cuts against crawls of a site that misbehaves."
_AFTER = """
Exit status: 0 nothing was lost or doubled; 1 something was, more was fetched again than was in
flight, a step was not reached as often as asked, or no crawl ended.
"""


def main() -> int:
    """Run what the command line asks for; return the exit status."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    folder = Path(tempfile.mkdtemp(prefix="torture-", dir=asked.folder))
    tales: list[Tale] = []
    hits: Counter[str] = Counter()
    in_flight = IN_HAND * asked.processes
    print(f"seed {asked.seed}, {asked.processes} processes, {folder}\n\n{table.HEAD}", flush=True)
    try:
        for name, tale in _tortured(asked, folder):
            print(table.line(name, [tale], in_flight=in_flight), flush=True)
            tales.append(tale)
            hits += tale.kills
    except Unfinished as error:
        print(f"cannot be compared: {error}")
        return 1
    print(table.line("all", tales, in_flight=in_flight), table.LEGEND, sep="\n")
    hurt = [tale for tale in tales if not tale.is_clean]
    for tale in hurt:
        print(f"{tale.folder}/difference.txt: {', '.join(tale.complaints) or 'see there'}")
    spared = [step for step in _steps_of(asked) if hits[step] < asked.steps]
    for step in spared:
        print(f"{step}: only {hits[step]} of {asked.steps} processes died there")
    if over := table.over(tales, in_flight=in_flight):
        print(f"{over} hits made the crawl fetch more pages again than it had in flight")
    if not hurt:
        shutil.rmtree(folder)
    return int(bool(hurt or spared or over))


def _steps_of(asked: argparse.Namespace) -> Sequence[str]:
    return list(asked.only or STEPS) if asked.steps else []


def _tortured(asked: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Tale]]:
    """Give each crawl's name and tale, as they end."""
    draw = Random(asked.seed)
    for times, pages, torture, options in (
        (asked.kills, asked.pages, _kills, ()),
        (asked.steps, _SMALL, _steps, ()),
        (asked.signals, _MIDDLE, _signals, ()),
        (asked.power, _SMALL, _power, ("-s", "durable=full")),
    ):
        if times:
            with Remote(pages, seed=asked.seed) as site:
                where, several = folder / torture.__name__.strip("_"), asked.processes
                kept = ("--pages", asked.store)
                trial = Trial(site, where, processes=several, options=(*kept, *options))
                yield from torture(trial, asked, draw)


def _kills(trial: Trial, asked: argparse.Namespace, draw: Random) -> Iterator[tuple[str, Tale]]:
    """Leave one crawl in peace, then kill so often, in one crawl or several."""
    modes = MODES if asked.mode == "mixed" else (asked.mode,)
    left = asked.kills
    for number in range(_MOST_CRAWLS):
        kills = min(left, asked.per_crawl) if number else 0
        plan = Plan(kills, pages=trial.answered, modes=modes, draw=draw)
        tale = trial.put_through(partial(kill_at_random, trial, plan=plan))
        yield (f"killed {number}" if number else "in peace"), tale
        left -= tale.kills.total()
        if left <= 0:
            return


def _steps(trial: Trial, asked: argparse.Namespace, _: Random) -> Iterator[tuple[str, Tale]]:
    """Let processes die so often at each step; one that no process comes to has no hits."""
    for step in _steps_of(asked):
        left, barren = asked.steps, 0
        while left > 0 and barren < _MOST_BARREN:
            tale = trial.put_through(partial(die_at, trial, step=step, most=left))
            yield step, tale
            left -= tale.kills[step]
            barren += not tale.kills[step]


def _signals(trial: Trial, asked: argparse.Namespace, draw: Random) -> Iterator[tuple[str, Tale]]:
    left = 2 * asked.signals
    for _ in range(_MOST_CRAWLS):
        tale = trial.put_through(partial(stop_at_random, trial, times=left, draw=draw))
        yield "signals", tale
        left -= tale.kills.total()
        if left <= 0:
            return


def _power(trial: Trial, asked: argparse.Namespace, draw: Random) -> Iterator[tuple[str, Tale]]:
    left = asked.power
    for _ in range(_MOST_CRAWLS):
        plan = Plan(min(left, _CUTS), pages=trial.answered, modes=("all",), draw=draw)
        tale = trial.put_through(partial(cut_power, trial, plan=plan))
        yield "power cut", tale
        left -= tale.kills.total()
        if left <= 0:
            return


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("tests.torture", description=_BEFORE, epilog=_AFTER)
    add = parser.add_argument
    add("--pages", type=int, default=5_000, metavar="N", help="pages of the site for --kills")
    add("--kills", type=int, default=0, metavar="N", help="SIGKILLs at random moments")
    add("--per-crawl", type=int, default=100, metavar="N", help="of them, at most, in one crawl")
    add("--mode", choices=[*MODES, "mixed"], default="mixed", help="whom they hit")
    add("--steps", type=int, default=0, metavar="N", help="deaths at each named step")
    add("--only", action="append", choices=STEPS, metavar="STEP", help="at this step")
    add("--signals", type=int, default=0, metavar="N", help="SIGINTs, and as many SIGTERMs")
    add("--power", type=int, default=0, metavar="N", help="power cuts, with durable=full")
    add("--processes", type=int, default=1, metavar="N", help="processes of each crawl")
    add("--store", choices=["files", "warc"], default="files", help="how pages are kept")
    add("--seed", type=int, default=1, metavar="N", help="of the site and of all that is drawn")
    add("--folder", type=Path, metavar="DIR", help="where the crawls go")
    asked = parser.parse_args()
    if asked.power and STRACE is None:
        parser.error(f"--power needs strace: {STRACE_IS_MISSING}")
    return asked

"""SIGINT and SIGTERM at random moments."""

import signal
import time
from itertools import cycle
from random import Random

from tests.torture.processes import Crawl, Life
from tests.torture.trial import Log, Trial, Unfinished

IN_TIME = 10.0
"""Seconds in which a crawl has to end, whatever a server does."""
_LONGEST_DRIP = 1.5


def stop_at_random(trial: Trial, crawl: Crawl, log: Log, *, times: int, draw: Random) -> None:
    """Crawl to the end, stopped so often on the way; a server drips every other time."""
    log.may_repeat = False
    gap = trial.answered / (times + 1)
    for number, drips in zip(cycle([signal.SIGINT, signal.SIGTERM]), _half(times), strict=False):
        trial.site.drip(drips)
        with Life(crawl) as life:
            pages = trial.site.answered + draw.expovariate(1 / gap)
            trial.watch(life, until=pages, seconds=_LONGEST_DRIP if drips else 1e9)
            time.sleep(draw.uniform(0, 0.3))
            _stop(life, number, log)
        trial.site.drip(False)
        trial.site.mark()
        if life.status == 0:
            return
    with Life(crawl) as life:
        trial.finish(life)


def _stop(life: Life, number: signal.Signals, log: Log) -> None:
    """Send one signal, Ctrl-C to all processes as a terminal does. Raises `Unfinished`."""
    if life.status is not None:
        return
    life.signal(number, group=number is signal.SIGINT)
    status = life.wait(IN_TIME)
    if status is None:
        raise Unfinished(f"{number.name}: not ended after {IN_TIME:g} s")
    if status != 0:
        log.kills[number.name] += 1
    if status not in (0, 128 + number):
        raise Unfinished(f"{number.name}: exit status {status}")


def _half(times: int) -> list[bool]:
    """Return so many truths and falsehoods, two of each in turn."""
    return [number % 4 >= 2 for number in range(times)]

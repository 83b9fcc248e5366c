"""The power fails at random moments."""

import time

from tests.torture.disk import Disk
from tests.torture.plan import Plan
from tests.torture.processes import Crawl, Life
from tests.torture.tracing import Trace, strace
from tests.torture.trial import Log, Trial


def cut_power(trial: Trial, crawl: Crawl, log: Log, *, plan: Plan) -> None:
    """Crawl to the end; as planned, all processes die and what was not synced may be lost."""
    while _power_fails(trial, crawl, log, plan):
        pass


def _power_fails(trial: Trial, crawl: Crawl, log: Log, plan: Plan) -> bool:
    """Let the crawl live once; False if it came to its end."""
    site, trace = trial.site, crawl.folder.with_suffix(".trace")
    strike = plan.next(is_over=site.answered >= trial.answered)
    if strike is None:
        with Life(crawl) as life:
            trial.finish(life)
        return False
    crawl.folder.mkdir(parents=True, exist_ok=True)
    disk = Disk(crawl.folder, outside=frozenset([crawl.said]))
    with Life(crawl, under=strace(trace)) as life:
        trial.watch(life, until=min(site.answered + strike.pages, trial.answered))
        time.sleep(strike.rest)
        is_over = site.answered >= trial.answered
        if life.kill("all", plan.draw) is None:
            trial.finish(life)
            return False
        site.mark()
        plan.hit(is_over=is_over)
        log.kills["power"] += 1
    Trace(disk).replay(trace)
    disk.fail(plan.draw)
    return True

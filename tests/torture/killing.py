"""SIGKILL at random moments."""

import time

from tests.torture.plan import Plan
from tests.torture.processes import Crawl, Life
from tests.torture.trial import Log, Trial


def kill_at_random(trial: Trial, crawl: Crawl, log: Log, *, plan: Plan) -> None:
    """Crawl to the end, killed as planned, and started again each time."""
    while _is_killed(trial, crawl, log, plan):
        pass


def _is_killed(trial: Trial, crawl: Crawl, log: Log, plan: Plan) -> bool:
    """Let the crawl live once; False if it came to its end."""
    site = trial.site
    with Life(crawl) as life:
        while strike := plan.next(is_over=site.answered >= trial.answered):
            trial.watch(life, until=min(site.answered + strike.pages, trial.answered))
            time.sleep(strike.rest)
            is_over = site.answered >= trial.answered
            mode = life.kill(strike.mode, plan.draw)
            if mode is not None:
                site.mark()
                plan.hit(is_over=is_over)
                log.kills[mode] += 1
            if life.outlived:
                log.complaints.append(f"{len(life.outlived)} workers outlived their parent")
            if mode is not None and mode != "one":
                return True
            if life.status is not None:
                break
        trial.finish(life)
    return False

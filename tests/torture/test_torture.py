"""Crawls that are killed, and gone on with: a small part of `make torture`."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random

import pytest

from tests.torture.killing import kill_at_random
from tests.torture.plan import Plan
from tests.torture.power import cut_power
from tests.torture.processes import MODES, Crawl
from tests.torture.remote import Remote
from tests.torture.signalling import stop_at_random
from tests.torture.tracing import STRACE, STRACE_IS_MISSING
from tests.torture.trial import Log, Trial

PAGES = 300
MOST_CRAWLS = 4


@pytest.fixture(scope="module")
def site() -> Iterator[Remote]:
    with Remote(PAGES, seed=7) as remote:
        yield remote


def suffer(
    trial: Trial, torment: Callable[[Crawl, Log], None], *, until: Callable[[Counter[str]], bool]
) -> None:
    """Crawl, each crawl whole at its end, until there were hits enough: one may end too soon."""
    hits: Counter[str] = Counter()
    for _ in range(MOST_CRAWLS):
        tale = trial.put_through(torment)
        assert (tale.difference.text, tale.complaints) == ("", [])
        hits += tale.kills
        if until(hits):
            return
    pytest.fail(f"not hit as planned, only {dict(hits)}")


def test_nothing_is_lost_or_doubled_by_kills(site: Remote, tmp_path: Path) -> None:
    trial, draw = Trial(site, tmp_path, processes=2), Random(2)

    def torment(crawl: Crawl, log: Log) -> None:
        plan = Plan(5, pages=trial.answered, modes=MODES, draw=draw)
        kill_at_random(trial, crawl, log, plan=plan)

    suffer(trial, torment, until=lambda hits: hits.total() >= 4)


def test_nothing_is_lost_doubled_or_fetched_again_by_signals(site: Remote, tmp_path: Path) -> None:
    trial = Trial(site, tmp_path, options=["-s", "stop_seconds=1"])
    torment = partial(stop_at_random, trial, times=3, draw=Random(2))
    suffer(trial, torment, until=lambda hits: min(hits["SIGINT"], hits["SIGTERM"]) >= 1)


@pytest.mark.skipif(STRACE is None, reason=STRACE_IS_MISSING)
def test_nothing_is_lost_or_doubled_by_power_cuts(site: Remote, tmp_path: Path) -> None:
    trial = Trial(site, tmp_path, processes=2, options=["-s", "durable=full"])
    draw = Random(2)

    def torment(crawl: Crawl, log: Log) -> None:
        plan = Plan(4, pages=trial.answered, modes=["all"], draw=draw)
        cut_power(trial, crawl, log, plan=plan)

    suffer(trial, torment, until=lambda hits: hits.total() >= 3)

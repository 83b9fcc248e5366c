"""How a part is timed: many rounds, each on input of its own."""

from collections.abc import Callable
from typing import Any, Protocol

import pytest
from pytest_benchmark.fixture import BenchmarkFixture


class Measure(Protocol):
    """Times `work(fresh())`, without `fresh`; returns what the last round came to."""

    def __call__(self, work: Callable[[Any], Any], *, fresh: Callable[[], Any]) -> Any: ...


@pytest.fixture
def measure(benchmark: BenchmarkFixture) -> Measure:
    """Input is new in each round, so that a cache helps only as it does in a crawl."""

    def run(work: Callable[[Any], Any], *, fresh: Callable[[], Any]) -> Any:
        return benchmark.pedantic(  # type: ignore[no-untyped-call]  # theirs has no annotations
            work, setup=lambda: ((fresh(),), {}), rounds=100, warmup_rounds=10
        )

    return run

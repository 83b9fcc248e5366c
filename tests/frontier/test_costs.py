"""What a transaction costs does not grow with what lies in the tables."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from crawler.frontier.known import Known
from crawler.frontier.requests import Requests
from crawler.frontier.schema import connect
from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch
from crawler.urls import KeyRules
from tests.frontier.contract import Clock
from tests.growth import Measure, assert_costs, cpu_seconds


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(tmp_path / "frontier.db")
    yield connection
    connection.close()


def steps(connection: sqlite3.Connection, work: Callable[[], object]) -> int:
    """Return how many steps of its virtual machine SQLite takes for `work`."""
    taken = 0

    def count() -> None:
        nonlocal taken
        taken += 1

    connection.set_progress_handler(count, 1)
    work()
    connection.set_progress_handler(None, 1)
    return taken


def test_a_commit_costs_nothing_for_the_claims_of_what_failed(
    connection: sqlite3.Connection,
) -> None:
    requests = Requests(connection, known=Known(connection, rules=KeyRules()))

    def settle(first: int) -> int:
        numbers = range(first, first + 10)
        requests.claim({number: -number for number in numbers})
        return steps(connection, lambda: requests.settle_claims(numbers))

    requests.claim({1: -1})  # its request fails
    few = settle(10)
    requests.claim({number: -number for number in range(100, 5_100)})
    assert settle(10_000) < few * 2


async def _commit(frontier: SqliteFrontier) -> None:
    for _ in range(10):
        await frontier.commit(Batch(counts={"user.1": 1}))


def test_a_commit_among_many_counters_costs_little_more_than_among_few(tmp_path: Path) -> None:
    with asyncio.Runner() as runner, ExitStack() as stack:

        def among(names: int) -> Measure:
            folder = tmp_path / str(names)
            folder.mkdir()
            frontier = SqliteFrontier(folder, clock=Clock(), batch=lambda notes: 4)
            runner.run(frontier.open())
            stack.callback(lambda: runner.run(frontier.aclose()))
            counts = {f"user.{name}": 1 for name in range(names)}
            runner.run(frontier.commit(Batch(counts=counts)))
            return lambda: cpu_seconds(lambda: runner.run(_commit(frontier)))

        # They were all read: 300 times.
        assert_costs(among(100_000), at_most=20, times=among(10))

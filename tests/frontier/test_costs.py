"""What a transaction costs does not grow with what lies in the tables."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crawler.frontier.known import Known
from crawler.frontier.requests import Requests
from crawler.frontier.schema import connect
from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch
from crawler.urls import KeyRules
from tests.frontier.contract import Clock


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


async def test_a_commit_among_many_counters_costs_little_more_than_among_few(
    tmp_path: Path,
) -> None:
    frontier = SqliteFrontier(tmp_path, clock=Clock(), batch=lambda notes: 4)
    await frontier.open()

    async def seconds(names: int) -> float:
        await frontier.commit(Batch(counts={f"user.{name}": 1 for name in range(names)}))
        began = time.process_time()
        for _ in range(10):
            await frontier.commit(Batch(counts={"user.1": 1}))
        return time.process_time() - began

    few = min([await seconds(10) for _ in range(5)])
    assert await seconds(100_000) < few * 20  # they were all read: 300 times
    await frontier.aclose()

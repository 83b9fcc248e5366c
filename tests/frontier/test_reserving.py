"""Pages of max_pages that a process sets aside."""

from pathlib import Path

import pytest

from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch
from crawler.request import Request
from tests.frontier.contract import Clock, add, leased


async def test_a_commit_that_failed_uses_no_reserved_pages_up_and_gives_none_back(
    tmp_path: Path,
) -> None:
    frontier = SqliteFrontier(tmp_path, clock=Clock(), batch=lambda notes: 4, max_pages=4)
    await frontier.open()
    await add(frontier, *(Request(f"http://a/{number}") for number in range(4)))
    some = (await leased(frontier))[:3]
    assert await frontier.reserve(4) == 4
    batch = Batch(settled=some, counts={"pages": 3})
    for broken in ({"due": {"a": object()}}, {"kept": {"a": object()}}):
        with pytest.raises(Exception, match="type"):
            await frontier.commit(Batch(settled=some, counts={"pages": 3}, **broken))  # type: ignore[arg-type]  # what no database takes
    await frontier.commit(batch)
    assert await frontier.reserve(-1) == -1
    assert await frontier.reserve(4) == 1
    await frontier.aclose()

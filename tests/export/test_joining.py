"""Lines of several processes come into the run's own files, each once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crawler.errors import TargetError
from crawler.export.joining import Joining
from crawler.export.pages import NoPages
from crawler.export.spool import FileSpool
from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch, Commit
from tests.frontier.contract import Clock

LINES = [b'{"n":%d}' % number for number in range(5)]


class Full(SqliteFrontier):
    """A frontier whose disk is full for as many commits as it is told."""

    refusals = 0

    async def commit(self, batch: Batch, *, posted: bool = False) -> Commit:
        if self.refusals:
            self.refusals -= 1
            raise TargetError("frontier.db: no space left on the disk")
        return await super().commit(batch, posted=posted)


@pytest.fixture
async def frontier(tmp_path: Path) -> AsyncIterator[Full]:
    """The first process's, of a run in which another one has committed some lines."""
    first = Full(tmp_path, clock=Clock(), batch=lambda notes: 4)
    await first.open()
    other = SqliteFrontier(tmp_path, alone=False, clock=Clock(), batch=lambda notes: 4)
    part = (await other.open()).part
    path = tmp_path / "parts" / str(part) / "items.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(line + b"\n" for line in LINES))
    await other.commit(Batch(position={"items": path.stat().st_size}))
    await other.aclose()
    yield first
    await first.aclose()


async def test_a_chunk_whose_commit_failed_is_not_appended_again(
    tmp_path: Path, frontier: Full
) -> None:
    items = tmp_path / "items.jsonl"
    spool = await FileSpool.open({"items": items})
    joining = Joining(tmp_path / "parts", spool=spool, store=NoPages(), frontier=frontier)
    frontier.refusals = 2
    for _ in range(2):
        with pytest.raises(TargetError):
            await joining.join()
    await joining.join_all(waits=lambda: True)
    await spool.aclose()
    joining.close()
    assert items.read_bytes().splitlines() == LINES
    assert not await frontier.parts()
    assert not (tmp_path / "parts").exists()

"""A frontier's file that lost something, or is none."""

import asyncio
import shutil
import sqlite3
from pathlib import Path
from random import Random

import pytest

from crawler.errors import RunError, TargetError
from crawler.frontier.presence import PROCESSES
from crawler.frontier.sqlite import SqliteFrontier
from crawler.outcome import Batch, HostNotes, Restart
from crawler.request import Request
from tests.frontier.contract import Clock, leased


async def opened(folder: Path, clock: Clock | None = None) -> SqliteFrontier:
    frontier = SqliteFrontier(folder, clock=clock or Clock(), batch=lambda notes: 4)
    frontier.restart = await frontier.open()  # type: ignore[attr-defined]
    return frontier


def restart(frontier: SqliteFrontier) -> Restart:
    found: Restart = frontier.restart  # type: ignore[attr-defined]
    return found


async def some(folder: Path) -> Path:
    """The file of a frontier with two hundred requests."""
    folder.mkdir(exist_ok=True)
    frontier = await opened(folder)
    found = [Request(f"http://a/{n}") for n in range(200)]
    await frontier.commit(Batch(found=found, notes={"a": HostNotes()}))
    await frontier.aclose()
    return folder / "frontier.db"


async def test_a_file_that_lost_its_end_is_refused_by_name(tmp_path: Path) -> None:
    whole = (await some(tmp_path)).read_bytes()
    for size in range(0, len(whole), 4096):
        folder = tmp_path / str(size)
        folder.mkdir()
        (folder / "frontier.db").write_bytes(whole[:size])
        if not size:  # as it is when a process died before it had made it
            frontier = await opened(folder)
            assert restart(frontier).fresh
            await frontier.aclose()
            continue
        with pytest.raises(RunError, match=r"frontier\.db: "):
            await opened(folder)


async def test_what_is_damaged_anywhere_is_an_error_by_name_or_does_no_harm(
    tmp_path: Path,
) -> None:
    whole = (await some(tmp_path)).read_bytes()
    named = 0
    for seed in range(60):
        folder = tmp_path / str(seed)
        folder.mkdir()
        content, draw = bytearray(whole), Random(seed)
        for _ in range(draw.randint(1, 6)):
            length = draw.randint(8, 200)
            place = draw.randrange(100, len(content) - length)  # its header says what it is
            content[place : place + length] = draw.randbytes(length)
        (folder / "frontier.db").write_bytes(content)
        if (said := await crawled(folder)) is not None:
            assert said.startswith(f"{folder / 'frontier.db'}: is broken (")
            named += 1
    assert named > 12


async def crawled(folder: Path) -> str | None:
    """Use all of a frontier; return what it says if it cannot be used."""
    try:
        frontier = await opened(folder)
        try:
            async with asyncio.timeout(0.5):  # what it says is in the queue may not be there
                while requests := await leased(frontier):
                    await frontier.commit(Batch(settled=requests, counts={"pages": len(requests)}))
                    await frontier.counts()
            await frontier.totals()
        finally:
            await frontier.aclose()
    except (RunError, TargetError) as error:
        return str(error)
    except TimeoutError:
        return None
    return None


async def test_a_file_that_somebody_reads_an_older_state_of_is_whole(tmp_path: Path) -> None:
    path = await some(tmp_path)
    killed = await opened(tmp_path)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT queued FROM sizes").fetchone() == (200,)
    await killed.commit(Batch(found=[Request(f"http://a/more/{n}") for n in range(2_000)]))
    (tmp_path / PROCESSES).rename(tmp_path / "gone")  # as if its process had died
    async with asyncio.timeout(10):  # SQLite itself would wait for a minute
        frontier = await opened(tmp_path)
    assert restart(frontier).queued == 2_200
    await frontier.aclose()
    reader.close()
    (tmp_path / "gone").rename(tmp_path / PROCESSES)
    await killed.aclose()


async def test_what_is_no_frontier_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "frontier.db").write_text("to be or not to be" * 100)
    with pytest.raises(RunError, match=r"frontier\.db: is broken \(file is not a database\)"):
        await opened(tmp_path)
    (tmp_path / "frontier.db").unlink()
    other = sqlite3.connect(tmp_path / "frontier.db")
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    with pytest.raises(RunError, match="is no frontier of a crawl"):
        await opened(tmp_path)


async def test_a_file_of_a_newer_version_is_refused_by_name(tmp_path: Path) -> None:
    connection = sqlite3.connect(await some(tmp_path))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RunError, match="written by a newer version"):
        await opened(tmp_path)


FRAME = 24 + 4096


@pytest.mark.parametrize("frame", range(9))
async def test_a_log_cut_anywhere_in_its_last_transaction_leaves_the_one_before(
    tmp_path: Path, frame: int, request: pytest.FixtureRequest
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    frontier = await opened(folder)
    await frontier.commit(Batch(found=[Request("http://a/1")], position={"items": 10}))
    log = folder / "frontier.db-wal"
    before = log.stat().st_size
    await frontier.commit(Batch(found=[Request("http://a/2")], position={"items": 20}))
    after = log.stat().st_size
    assert after == before + 9 * FRAME
    begin = before + frame * FRAME
    step = 1 if request.config.getoption("every_byte") else 97
    for size in {*range(begin, begin + FRAME, step), begin + FRAME - 1, begin + FRAME}:
        copy = tmp_path / str(size)
        copy.mkdir()
        for path in (folder / "frontier.db", log):
            shutil.copy(path, copy)
        with (copy / log.name).open("r+b") as file:
            file.truncate(size)
        again = await opened(copy)
        whole = size == after
        assert restart(again).position == {"items": 20 if whole else 10}
        assert restart(again).queued == 1 + whole
        await again.aclose()
        shutil.rmtree(copy)
    await frontier.aclose()


async def test_a_clock_that_was_set_back_lets_no_host_wait_longer(tmp_path: Path) -> None:
    clock = Clock()
    clock.now = 10_000.0
    frontier = await opened(tmp_path, clock)
    await frontier.commit(Batch(found=[Request("http://a/1"), Request("http://b/1")]))
    for lease in await frontier.lease(100):  # robots.txt is asked first
        await frontier.commit(Batch(notes={lease.host: HostNotes()}))
    leases = await frontier.lease(100)
    (one,) = leases[0].requests
    await frontier.commit(Batch(retried=[(one, clock.now + 30)], due={"b": clock.now + 60}))
    await frontier.aclose()
    clock.now -= 3600
    frontier = await opened(tmp_path, clock)
    clock.now += 31
    assert [lease.host for lease in await frontier.lease(100)] == ["a"]
    clock.now += 30
    assert [lease.host for lease in await frontier.lease(100)] == ["b"]
    await frontier.aclose()

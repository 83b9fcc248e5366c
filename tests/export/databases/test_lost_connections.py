"""PostgreSQL, when nobody knows whether a COMMIT was heard."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from crawler.errors import TargetError, TargetUnfit
from crawler.outcome import Mark
from tests.databases import Database, database_of
from tests.export.databases.test_databases import UNTYPED, opened
from tests.loopback import Loopback, Streams
from tests.postgres import Postgres


async def _until(server: Postgres, sql: str) -> None:
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(server.sql, sql):
            pass


class Wire:
    """What lies between us and the server; `cuts` the connection at the next COMMIT."""

    def __init__(self, server: Postgres) -> None:
        self.cuts: str | None = None
        self._server = server

    async def talk(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Carry what both say."""
        there, back = await asyncio.open_connection("127.0.0.1", self._server.port)
        try:
            async with asyncio.TaskGroup() as group:
                answers = group.create_task(_carry(there, writer))
                await self._ask(reader, back, answers)
                answers.cancel()
        finally:
            back.close()

    async def _ask(
        self, reader: StreamReader, back: StreamWriter, answers: "asyncio.Task[None]"
    ) -> None:
        while data := await reader.read(65536):
            cuts, is_commit = self.cuts, b"COMMIT" in data
            if is_commit and cuts:
                answers.cancel()
                self.cuts = None
            if not (is_commit and cuts == "before"):
                back.write(data)
                await back.drain()
            if is_commit and cuts:
                # The server ends what it has heard before it hears that we are gone.
                return


async def _carry(reader: StreamReader, writer: StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


@pytest.fixture
async def wire(postgres: Postgres) -> AsyncIterator[tuple[Wire, int]]:
    one = Wire(postgres)
    async with Loopback(Streams(one.talk)) as server:
        yield one, server.port


@pytest.fixture
def direct(postgres: Postgres, tmp_path: Path) -> Database:
    return database_of("postgres", tmp_path, lambda: postgres)


@pytest.mark.parametrize("cuts", ["before", "after"])
async def test_a_commit_whose_answer_is_lost_is_true_once_or_never(
    postgres: Postgres, direct: Database, wire: tuple[Wire, int], cuts: str
) -> None:
    between, port = wire
    through = direct.output.replace(f":{postgres.port}/", f":{port}/")
    follower = await opened(direct, UNTYPED, through=through)
    await follower.follow([b'{"a":1}'], 8)
    between.cuts = cuts
    with pytest.raises(TargetError) as caught:
        await follower.follow([b'{"a":2}'], 16)
    assert not isinstance(caught.value, TargetUnfit)
    mark = follower.mark
    await follower.aclose()
    await _until(
        postgres,
        "SELECT 1 WHERE NOT EXISTS "
        "(SELECT FROM pg_stat_activity WHERE application_name = 'crawl' AND state <> 'idle')",
    )
    follower = await opened(direct, UNTYPED, through=through, append=True, mark=mark)
    assert follower.mark == Mark(16 if cuts == "after" else 8)
    if cuts == "before":
        await follower.follow([b'{"a":2}'], 16)
    await follower.follow([b'{"a":3}'], 24)
    await follower.aclose()
    assert [row["a"] for row in direct.rows("item")] == [1, 2, 3]


async def test_a_transaction_of_ours_that_still_lives_is_waited_for(
    direct: Database, postgres: Postgres
) -> None:
    follower = await opened(direct, UNTYPED)
    await follower.follow([b'{"a":1}'], 8)
    lost = await asyncpg.connect(direct.output)
    try:
        transaction = lost.transaction()
        await transaction.start()
        await lost.execute("UPDATE crawler_cursors SET cursor = 16")
        await lost.execute("INSERT INTO item VALUES (2)")
        again = asyncio.create_task(follower.follow([b'{"a":2}'], 16))
        await _until(postgres, "SELECT 1 FROM pg_locks WHERE NOT granted")
        await transaction.commit()
        with pytest.raises(TargetError, match="another process added items of this run"):
            await again
    finally:
        await lost.close()
        await follower.aclose()
    assert [row["a"] for row in direct.rows("item")] == [1, 2]

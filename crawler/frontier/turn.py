"""One process of a run at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from crawler.file_thread import FileThread
from crawler.frontier.presence import locked

_TRY_SECONDS = 0.005


@asynccontextmanager
async def turn(path: Path, *, thread: FileThread) -> AsyncIterator[None]:
    """Keep other processes out of the block, which is a lock on the file at `path`.

    It is tried, not waited for: a process that was stopped within its turn keeps it until it goes
    on or dies, and meanwhile `thread` has to see who is dead, and this one must be able to end.
    """
    while True:
        lock = locked(path, waits=False)
        try:
            await thread.run(lock.__enter__)
            break
        except BlockingIOError:
            await asyncio.sleep(_TRY_SECONDS)
    try:
        yield
    finally:
        lock.__exit__(None, None, None)

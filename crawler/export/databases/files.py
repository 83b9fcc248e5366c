"""Databases that are files: one that is replaced goes."""

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress

from crawler.errors import TargetUnfit
from crawler.export.databases.target import Session
from crawler.export.databases.wanted import Wanted
from crawler.file_thread import FileThread
from crawler.oserrors import refused

_BESIDE = ("", "-wal", "-journal", "-shm", ".wal")


async def make_room(wanted: Wanted, opener: Callable[[Wanted], Awaitable[Session]]) -> None:
    """Remove a file that has nothing of this run, whatever it is. Raises `TargetError`."""
    thread = FileThread("make-room")
    try:
        if not await thread.run(os.path.exists, wanted.where):
            return
        with suppress(TargetUnfit):  # no database at all
            session = await opener(wanted)
            try:
                if await session.cursor(wanted.run, wanted.table) is not None:
                    return
            finally:
                await session.aclose()
        await thread.run(_remove, wanted.where)
    finally:
        thread.close()


def _remove(path: str) -> None:
    real = os.path.realpath(path)  # a link is the user's wish: what it leads to is replaced
    for suffix in _BESIDE:
        with suppress(FileNotFoundError):
            try:
                os.unlink(real + suffix)
            except PermissionError as error:
                raise refused(real + suffix, error) from None

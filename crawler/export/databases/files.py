"""Databases that are files: which are opened, checked, replaced."""

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress

from crawler.errors import TargetError, TargetUnfit
from crawler.export.databases.target import DatabaseTarget, Session, check_tables, named
from crawler.export.databases.wanted import Wanted
from crawler.file_thread import FileThread
from crawler.oserrors import refused
from crawler.outcome import Mark

_BESIDE = ("", "-wal", "-journal", "-shm", ".wal")


Opener = Callable[[Wanted], Awaitable[Session]]


async def open_file(opener: Opener, wanted: Wanted, mark: Mark | None) -> DatabaseTarget:
    """Open a file as it was left, or for a run that begins. Raises `TargetError`."""
    try:
        if wanted.mode == "overwrite" and mark is None:
            await _make_room(wanted, opener)
        session = await opener(wanted)
    except TargetError as error:
        raise named(wanted, error) from None
    return await DatabaseTarget.open(session, wanted, mark=mark)


def check_file(opener: Opener, wanted: Wanted) -> None:
    """Raise `OutputError` if a run could not add to a file."""
    if wanted.mode == "append" and os.path.exists(wanted.where):
        check_tables(opener, wanted)


async def _make_room(wanted: Wanted, opener: Opener) -> None:
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

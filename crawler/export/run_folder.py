"""The folder of one run."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import aiofiles
import msgspec

from crawler.errors import OutputError
from crawler.outcome import Report

log = logging.getLogger(__name__)


def new_folder(parent: Path) -> Path:
    """Make `parent`/RUN/ and return it; RUN is the time (UTC), so runs sort by age.

    Raises `OutputError`.
    """
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S")
    number = 1
    while True:
        folder = parent / (stamp if number == 1 else f"{stamp}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        except OSError as error:
            raise OutputError(f"{folder}: cannot be made: {error.strerror}") from None
        else:
            return folder


async def write_report(folder: Path, report: Report) -> None:
    """Write `stats.json`; a disk that is full by now is logged, since the crawl is over."""
    path = folder / "stats.json"
    try:
        async with aiofiles.open(path, "wb") as file:
            await file.write(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    except OSError as error:
        log.error("%s: cannot be written: %s", path, error.strerror)

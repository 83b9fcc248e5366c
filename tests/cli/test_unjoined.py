"""A run that is crawled to its end, but not joined."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.cli import test_processes
from tests.cli.command import crawl, ended, start
from tests.cli.test_processes import SPIDER, Slots, kept, until, whole, words

folder, wide = test_processes.folder, test_processes.wide  # fixtures

LINGERS = """
    async def closed(self, report) -> None:
        import asyncio, pathlib
        if "LINGERS" in os.environ:
            pathlib.Path("closing").touch()
            await asyncio.sleep(60)
"""


@pytest.mark.parametrize("first_is_killed", [False, True])
async def test_a_run_is_finished_when_all_its_lines_are_in_its_own_files(
    folder: Path, wide: Slots, first_is_killed: bool
) -> None:
    (folder / "spiders" / "wide.py").write_text(
        SPIDER.replace("\nclass Remembers", LINGERS + "\nclass Remembers")
    )
    first = await start(folder, *words(wide, delay=0.08))
    await until(10, wide)
    second = await start(folder, "wide", "--join", "job", "-s", "delay=0", LINGERS="1")
    async with asyncio.timeout(30):
        while not (folder / "closing").exists():  # noqa: ASYNC110  # a file
            await asyncio.sleep(0.01)
    if first_is_killed:
        first.kill()
        await first.wait()
    else:
        first.send_signal(signal.SIGINT)
        assert (await ended(first, folder)).status == 130
    unjoined = whole(wide) - kept(folder)
    second.kill()
    await second.communicate()
    done = await crawl(folder, *words(wide))
    assert done.status == 0
    assert not ("is finished" in done.err and (unjoined or first_is_killed))
    assert kept(folder) == whole(wide)

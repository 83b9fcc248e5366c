"""A run that is crawled to its end, but not joined."""

import asyncio
import signal
from pathlib import Path

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


async def test_a_run_is_finished_when_all_its_lines_are_in_its_own_files(
    folder: Path,
    wide: Slots,
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
    first.send_signal(signal.SIGINT)
    assert (await ended(first, folder)).status == 130
    assert kept(folder) < whole(wide)
    second.kill()
    await second.communicate()
    done = await crawl(folder, *words(wide))
    assert (done.status, done.err.count("is finished")) == (0, 0)
    assert kept(folder) == whole(wide)

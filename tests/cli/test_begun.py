"""`--job DIR`, killed while it begins."""

import shutil
import signal
from pathlib import Path

import pytest

from tests.cli.command import crawl
from tests.site import Site


@pytest.mark.parametrize("left", [set(), {".run.json.part"}, {"run.json"}, {"run.json", ".lock"}])
async def test_a_run_that_was_killed_before_it_had_anything_begins_again(
    folder: Path, small: Site, left: set[str]
) -> None:
    words = ["site", "-a", f"start={small.url()}", "--job", "run", "--pages", "none"]
    assert (await crawl(folder, *words, "--max-pages", "3")).status == 0
    for path in (folder / "run").iterdir():
        if path.name not in left:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if ".run.json.part" in left:
        (folder / "run" / ".run.json.part").write_text('{"torn"')
    done = await crawl(folder, *words, "--max-pages", "100")
    assert done.status == 0, done.err
    assert len((folder / "run" / "items.jsonl").read_text().splitlines()) == 20


@pytest.mark.parametrize("mine", ["thesis.tex", "items.jsonl"])
async def test_a_folder_with_anything_else_in_it_is_refused(
    folder: Path, small: Site, mine: str
) -> None:
    (folder / "run").mkdir()
    (folder / "run" / mine).touch()
    done = await crawl(folder, "site", "-a", f"start={small.url()}", "--job", "run")
    assert done.status == 2
    assert "run: is not empty, and no folder of a run" in done.err
    assert [path.name for path in (folder / "run").iterdir()] == [mine]


DIES = """
import os, pathlib, signal
from crawler import Request, Spider

class Dies(Spider[dict], delay=0, min_free_bytes=0, obey_robots=False):
    allowed_domains = ("*",)

    def __init__(self, start: str) -> None:
        self.first = start

    async def start(self):
        yield Request(self.first)
        if not os.path.exists("died"):
            pathlib.Path("died").touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def parse(self, page):
        return {"url": page.url}
"""


async def test_a_run_that_was_killed_while_it_seeded_goes_on(folder: Path, small: Site) -> None:
    (folder / "spiders" / "dies.py").write_text(DIES)
    words = ("dies", "-a", f"start={small.url()}", "--job", "run")
    assert (await crawl(folder, *words)).status == -signal.SIGKILL
    assert (await crawl(folder, *words)).status == 0
    assert len((folder / "run" / "items.jsonl").read_text().splitlines()) == 1

"""What --join does not take."""

from pathlib import Path

import pytest

from tests.cli.command import SPIDER, crawl, start
from tests.site import Site

REMEMBERS = SPIDER + "\n    state: dict[str, int]\n"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["site", "-o", "x.csv"], "-o and --processes do not go"),
        (["site", "--processes", "2"], "-o and --processes do not go"),
        (["site", "-a", "top=7"], "is another crawl than this one: arguments was"),
        (["site", "-s", "max_depth=2"], "is another crawl than this one: max_depth was"),
        (["remembers.py"], "self.state belongs to one process"),
    ],
)
async def test_a_process_that_joins_crawls_as_the_others_do(
    folder: Path, site: Site, words: list[str], why: str
) -> None:
    (folder / "remembers.py").write_text(REMEMBERS)
    site.page("/", links=["/never"])
    site.silent("/never")
    asked = site.asked("/never")
    first = await start(folder, "site", "-a", f"start={site.url()}", "--job", "job")
    await asked.wait()
    done = await crawl(folder, *words[:1], "--join", "job", *words[1:])
    first.kill()
    await first.communicate()
    assert (done.status, why in done.err) == (2, True), done.err

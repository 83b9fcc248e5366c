"""How a run of several processes ends that cannot go on."""

from pathlib import Path

import pytest

from tests.cli.command import SPIDER, crawl
from tests.site import Site

RAISES = SPIDER + "        if page.depth:\n            raise ValueError\n"
FULL = ("-s", "min_free_bytes=99999999999999", "-s", "target_pause=0")


@pytest.mark.parametrize(
    ("text", "words", "status", "reason"),
    [
        (RAISES, ("-s", "max_failures=3"), 1, "max_failures"),
        (SPIDER, FULL, 3, "a worker ended with status 3"),
    ],
)
async def test_the_status_is_that_of_one_process(
    folder: Path, small: Site, text: str, words: tuple[str, ...], status: int, reason: str
) -> None:
    (folder / "spiders" / "site.py").write_text(text)
    given = ("-a", f"start={small.url()}", *words)
    assert (await crawl(folder, "site", *given, "--job", "one")).status == status
    done = await crawl(folder, "site", *given, "--job", "job", "--processes", "2")
    assert done.status == status
    assert f'"reason": "{reason}"' in (folder / "job" / "stats.json").read_text()

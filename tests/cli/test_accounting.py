"""What a run says of itself adds up."""

from pathlib import Path

import pytest

from tests.cli.command import crawl
from tests.site import Site
from tests.test_accounting import unaccounted


@pytest.fixture
def mixed(site: Site) -> Site:
    site.page("/", links=["/a", "/b", "/404", "/image", "/moved", "/away", "http://out.example/"])
    site.page("/a", links=["/", "/b", "/c"])
    site.page("/b")
    site.page("/c", links=["/a#part"])
    site.page("/image", body=b"x", type="image/png")
    site.redirect("/moved", "/a")
    site.redirect("/away", "http://out.example/")
    return site


async def test_what_is_found_is_delivered_failed_or_skipped(folder: Path, mixed: Site) -> None:
    counts = (await crawl(folder, "site", "-a", f"start={mixed.url()}")).report["counts"]
    assert counts["discovered"] == 8
    assert (counts["pages"], counts["failed.status"], counts["skipped"]) == (4, 1, 3)
    assert unaccounted(counts) == 0


async def test_so_it_is_when_a_run_goes_on(folder: Path, mixed: Site) -> None:
    done = await crawl(folder, "site", "-a", f"start={mixed.url()}", "--max-pages", "1")
    assert done.report["queued"] > 0
    assert unaccounted(done.report["counts"], queued=done.report["queued"]) == 0
    done = await crawl(folder, "site", "--resume", "-s", "max_pages=none")
    assert done.report["queued"] == 0
    assert unaccounted(done.report["counts"]) == 0

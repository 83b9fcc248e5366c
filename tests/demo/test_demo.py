"""The demo's main job, for real."""

import json
from collections import Counter
from pathlib import Path

from crawler import crawl
from crawler.demo.shop import HIDDEN, THINGS, Shop
from crawler.demo.spider import Demo


async def test_every_product_comes_once_and_robots_txt_is_kept(tmp_path: Path) -> None:
    async with Shop() as shop:
        report = await crawl(
            Demo(shop=shop.url), output_dir=str(tmp_path), pages="files", min_free_bytes=0
        )
        log = Counter(shop.log)
    assert report.folder is not None
    folder = Path(report.folder)
    items = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    assert sorted(item["name"] for item in items) == sorted(thing.name for thing in THINGS)
    assert {thing.name for thing in HIDDEN} <= {item["name"] for item in items}
    assert not any(path.startswith("/cart") for path in log)
    assert log["/robots.txt"] <= 2  # as robots.txt, and as the sitemaps' list
    assert log["/shaky"] == 2
    assert report.failures == {"status": 8}
    assert report.exit_status == 0
    assert len(list((folder / "pages").rglob("*.html"))) == report.pages
    assert len((folder / "pages.jsonl").read_text().splitlines()) == report.pages
    assert json.loads((folder / "stats.json").read_text())["pages"] == report.pages

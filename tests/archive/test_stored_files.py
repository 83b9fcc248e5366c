"""What a run has downloaded is there when its pages are parsed again, and nobody is asked."""

import io
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from crawler import Media, Out, Report, Response, Spider, crawl
from tests.archive.test_warc import Writer
from tests.cli.command import lines
from tests.site import Site


def png(width: int, *, noise: int = 0) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (width, 20), "red").save(data, "PNG")
    return data.getvalue() + os.urandom(noise)


class Shop(Spider[dict[str, Any]], delay=0, min_free_bytes=0, retries=0, obey_robots=False):
    """One page: a picture that is awaited, one that is yielded, a manual with a name."""

    def __init__(self, start: str, **wishes: Any) -> None:
        self.start_urls = [start]
        self.wishes = wishes

    async def parse(self, page: Response) -> Out[dict[str, Any]]:
        front = await page.download("/front.png", thumbnails={"small": (9, 9)}, **self.wishes)
        yield {"awaited": front}
        yield page.download("/moved.png", callback="bring", **self.wishes)
        yield page.download("/manual.pdf", to="manuals/{name}{ext}", callback="bring")

    def bring(self, media: Media) -> dict[str, Media]:
        return {"yielded": media}


@pytest.fixture
def shop(site: Site) -> Site:
    site.page("/", title="shop")
    site.page("/front.png", body=png(40), type="image/png")
    site.redirect("/moved.png", "/there.png")
    site.page("/there.png", body=png(30, noise=2_500_000), type="application/octet-stream")
    site.page("/manual.pdf", body=b"%PDF-1.4 of old", type="application/pdf")
    return site


def items(report: Report) -> Counter[str]:
    assert report.folder is not None
    return Counter(json.dumps(item) for item in lines(Path(report.folder) / "items.jsonl"))


async def live(site: Site, tmp_path: Path, **settings: Any) -> Report:
    settings = {"pages": "files", **settings}
    return await crawl(Shop(site.url()), output_dir=tmp_path / "live", **settings)


async def again(spider: Spider[Any], source: Any, tmp_path: Path, **settings: Any) -> Report:
    return await crawl(spider, source=source, output_dir=tmp_path / "again", **settings)


@pytest.mark.parametrize("pages", ["files", "warc"])
async def test_items_name_the_same_files_which_are_there(
    shop: Site, tmp_path: Path, pages: str
) -> None:
    first = await live(shop, tmp_path, pages=pages)
    asked = len(shop.log)
    second = await again(Shop(shop.url()), first.folder, tmp_path)
    assert len(shop.log) == asked
    assert items(second) == items(first)
    assert items(first).total() == 3
    assert second.failures == {}
    runs = Path(str(first.folder)), Path(str(second.folder))
    ours, its = ([{**m, "fetched": ""} for m in lines(run / "media.jsonl")] for run in runs)
    assert sorted(map(str, ours)) == sorted(map(str, its))
    for line in its:
        for path in (line["path"], *line.get("thumbnails", {}).values()):
            assert (runs[1] / path).read_bytes() == (runs[0] / path).read_bytes()
    assert not (runs[1] / "media" / ".parts").exists()


class Other(Shop):
    """The same spider, that wants something else by now."""

    async def parse(self, page: Response) -> Out[dict[str, Any]]:
        yield page.download("/moved.png", callback="bring", **self.wishes)
        yield page.download("/front.png", to="{name}{ext}", callback="bring")


@pytest.mark.parametrize(
    ("wishes", "kind"),
    [({"types": "image/gif"}, "unwanted_type"), ({"media_bytes": 2_000_000}, "too_large")],
)
async def test_how_a_spider_wants_files_now_is_what_counts(
    shop: Site, tmp_path: Path, wishes: dict[str, Any], kind: str
) -> None:
    first = await live(shop, tmp_path)
    second = await again(Other(shop.url(), **wishes), first.folder, tmp_path)
    assert second.failures == {kind: 1}
    (line,) = lines(Path(str(second.folder)) / "media.jsonl")
    assert (line["path"], line["width"]) == ("media/front.png", 40)


@pytest.mark.parametrize("way", ["gone", "longer", "a link", "no line", "astray", "above"])
async def test_what_is_not_there_as_it_was_is_not_stored(
    shop: Site, tmp_path: Path, way: str
) -> None:
    first = await live(shop, tmp_path)
    run = Path(str(first.folder))
    manual = run / "media" / "manuals" / "manual.pdf"
    index = run / "media.jsonl"
    secret = tmp_path / "secret"
    secret.write_bytes(manual.read_bytes())
    if way in ("gone", "a link"):
        manual.unlink()
    if way == "longer":
        manual.write_bytes(b"%PDF-1.4 of another size")
    if way == "a link":
        manual.symlink_to(secret)
    named = {"no line": "no/such.pdf", "astray": "run.json", "above": f"media/../../../{secret}"}
    if way in named:
        index.write_text(index.read_text().replace("media/manuals/manual.pdf", named[way]) + "{")
    second = await again(Shop(shop.url()), run, tmp_path)
    assert second.failures == {"not_stored": 1}
    assert items(second).total() == 2


async def test_the_newest_of_several_runs_counts(shop: Site, tmp_path: Path) -> None:
    first = await live(shop, tmp_path)
    shop.page("/front.png", body=png(70), type="image/png")
    second = await live(shop, tmp_path / "later")
    for order in ([first, second], [second, first]):
        third = await again(Shop(shop.url()), [run.folder or "" for run in order], tmp_path)
        assert items(third) == items(second) != items(first)


async def test_files_in_an_archive_are_files(shop: Site, tmp_path: Path) -> None:
    with Writer(tmp_path / "x.warc.gz") as file:
        file.add(shop.url("/"), b"<p>shop")
        file.add(shop.url("/front.png"), png(40), headers={"Content-Type": "image/png"})
        moved = {"Location": "/there.png"}
        file.add(shop.url("/moved.png"), status="302 Found", headers=moved)
        noisy = png(30, noise=2_500_000)
        file.add(shop.url("/there.png"), noisy, headers={"Content-Type": "image/png"})
        part = {"Content-Type": "application/pdf", "Content-Range": "bytes 0-8/9000"}
        file.add(shop.url("/manual.pdf"), b"%PDF-1.4 ", status="206 Partial", headers=part)
    report = await again(Shop(shop.url()), file.path, tmp_path)
    assert shop.log == []
    assert report.failures == {"not_stored": 1}
    found = [next(iter(json.loads(item).values())) for item in items(report)]
    assert sorted((one["width"], one["bytes"]) for one in found) == [
        (30, len(noisy)),
        (40, len(png(40))),
    ]

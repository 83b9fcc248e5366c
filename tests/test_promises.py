"""What a run promises of its items: kept, or said to be broken."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler import Drop, Item, Response, Spider, Stop, crawl, stream
from crawler.errors import CrawlerError, SettingError
from crawler.outcome import Report
from tests.site import Site


class Book(Item):
    title: str
    isbn: str | None = None


class Review(Item):
    text: str


def few(book: Any) -> Any:
    if getattr(book, "title", "") == "dull":
        raise Drop("dull")
    return book


class Books(Spider[Book | Review], delay=0, min_free_bytes=0, obey_robots=False):
    """Eight good books, four of them with an ISBN, one that is dropped, and one that is wrong."""

    steps = [few]

    def __init__(self, start: str) -> None:
        self.start_urls = [start]

    def parse(self, page: Response) -> Iterator[object]:
        for number in range(8):
            yield Book(title=str(number), isbn=str(number) if number % 2 else None)
        yield Book(title="dull")
        yield Book(title=7)  # type: ignore[arg-type]  # what is tested
        yield page.follow_all()


async def report_of(site: Site, folder: Path, **settings: Any) -> Report:
    site.page("/", links=["/a"])
    site.page("/a")
    return await crawl(Books(site.url("/")), output_dir=str(folder), **settings)


@pytest.mark.parametrize(
    ("settings", "broken"),
    [
        ({"min_items": 16}, ""),
        ({"min_items": 17}, "min_items: expected at least 17, got 16"),
        ({"max_drop_rate": 0.2}, ""),
        ({"max_drop_rate": 0.19}, "max_drop_rate: expected at most 0.19, got 0.2 (4 of 20 items)"),
        ({"max_drop_rate": 0}, "max_drop_rate: expected at most 0, got 0.2 (4 of 20 items)"),
        ({"min_fill": {"isbn": 0.5, "title": 1}}, ""),
        ({"min_fill": {"book.isbn": 0.51}}, "min_fill: expected book.isbn in at least 0.51, got"),
        ({"min_fill": {"isbn": 0.51}}, "min_fill: expected book.isbn in at least 0.51, got 0.5"),
        ({"min_fill": {"text": 1, "review.text": 1}}, ""),  # there are no reviews
        ({"min_items": 30, "max_pages": 1}, "min_items: expected at least 30, got 8"),
        ({"min_items": 30, "max_items": 3}, "min_items: expected at least 30, got 8"),
    ],
)
async def test_a_run_that_breaks_its_promise_ends_with_status_4_and_says_which(
    site: Site, tmp_path: Path, settings: dict[str, Any], broken: str
) -> None:
    report = await report_of(site, tmp_path, **settings)
    assert [promise[: len(broken)] for promise in report.broken_promises] == [broken] * bool(broken)
    assert report.exit_status == (4 if broken else 0)
    assert report.finished == ("max_items" not in settings and "max_pages" not in settings)


async def test_all_broken_promises_are_told_and_a_finished_run_is_finished(
    site: Site, tmp_path: Path
) -> None:
    report = await report_of(site, tmp_path, min_items=99, max_drop_rate=0, min_fill={"isbn": 1})
    assert [promise.split(":")[0] for promise in report.broken_promises] == [
        "min_items",
        "max_drop_rate",
        "min_fill",
    ]
    assert (report.reason, report.finished, report.exit_status) == ("finished", True, 4)
    assert report.fill_rates == {"book": {"isbn": 0.5, "title": 1.0}}
    assert not [name for name in report.counts if name.startswith("filled")]
    assert (report.counts["dropped.dull"], report.counts["dropped_items.book"]) == (2, 2)


async def test_what_is_worse_than_a_broken_promise_comes_first(site: Site, tmp_path: Path) -> None:
    site.page("/", status=404)
    nothing = await crawl(Books(site.url("/")), output_dir=str(tmp_path), min_items=5)
    assert (nothing.exit_status, nothing.broken_promises) == (1, [])
    site.page("/", links=["/a"])
    given_up = await crawl(
        Books(site.url("/")), output_dir=str(tmp_path), min_items=50, max_failures=1
    )
    assert (given_up.reason, given_up.exit_status) == ("max_failures", 1)


async def test_a_spider_that_stops_is_held_to_its_promises(site: Site, tmp_path: Path) -> None:
    class Stopping(Books):
        def parse(self, page: Response) -> Iterator[object]:
            yield Book(title="one")
            raise Stop("enough")

    site.page("/")
    report = await crawl(Stopping(site.url("/")), output_dir=str(tmp_path), min_items=2)
    assert (report.reason, report.exit_status) == ("enough", 4)


async def test_dicts_are_held_to_fields_that_none_of_them_has(site: Site, tmp_path: Path) -> None:
    class Dicts(Spider[dict[str, Any]], delay=0, min_free_bytes=0, obey_robots=False):
        start_urls = [site.url("/")]

        def parse(self, page: Response) -> dict[str, Any]:
            return {"title": "a"}

    site.page("/")
    promised = {"title": 1.0, "isbn": 0.1}
    report = await crawl(Dicts, output_dir=str(tmp_path), min_fill=promised)
    assert report.broken_promises == ["min_fill: expected item.isbn in at least 0.1, got 0"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("isnb", "spider books: min_fill: unknown field 'isnb'; did you mean 'isbn'?"),
        ("book.text", "unknown field 'book.text'; did you mean 'book.title'?"),
        ("shop.isbn", "unknown field 'shop.isbn'"),
    ],
)
async def test_a_promise_of_a_field_that_no_item_has_is_refused(
    site: Site, tmp_path: Path, name: str, words: str
) -> None:
    with pytest.raises(SettingError, match=words):
        await report_of(site, tmp_path, min_fill={name: 0.5})
    assert site.log == []


async def test_a_stream_says_at_its_end_that_a_promise_was_broken(site: Site) -> None:
    site.page("/")
    found = []

    async def take() -> None:
        async with stream(Books(site.url("/")), min_items=9) as items:
            async for item in items:
                found.append(item)  # noqa: PERF401  # those before the error count

    with pytest.raises(CrawlerError, match="broken promise: min_items: expected at least 9, got 8"):
        await take()
    assert len(found) == 8

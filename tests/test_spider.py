"""What a spider's callbacks may do, in whole crawls on a virtual clock."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Struct, structs

from crawler.errors import Drop, Retry, SpiderError, Stop
from crawler.fitness import check_seeds
from crawler.items import Item
from crawler.outcome import Failure
from crawler.request import Request
from crawler.response import Response
from crawler.spider import Out, Spider
from tests.harness import Crawl, crawl, html
from tests.typing_examples import ShopSpider


class Price(Struct):
    euros: float


class Thing(Item):
    name: str
    price: float | None = None


class One(Spider[Thing], delay=0):
    start_urls = ["http://a.example/"]


async def plain(request: Request) -> Response:
    return html(request, "<p>x</p>")


def items(left: Crawl) -> list[Any]:
    return [json.loads(line) for line in left.spool.lines["items"]]


def failures(left: Crawl) -> list[str]:
    return [json.loads(line)["reason"] for line in left.spool.lines["failures"]]


def test_data_arrives_as_its_annotation() -> None:
    class Typed(One):
        async def parse(self, page: Response) -> Out[Thing]:
            yield page.follow("/b", callback=self.detail, data=Price(euros=2.5))

        def detail(self, page: Response, data: Price) -> Thing:
            return Thing(name="b", price=data.euros)

    assert items(crawl(Typed(), plain)) == [{"name": "b", "price": 2.5}]


def test_an_item_of_the_wrong_type_or_with_nan_is_counted_and_not_exported() -> None:
    class Wrong(One):
        def parse(self, page: Response) -> Iterator[object]:
            yield Thing(name=3)  # type: ignore[arg-type]  # what is tested
            yield Thing(name="n", price=float("nan"))
            yield {"name": "a dict"}
            yield Thing(name="good")

    left = crawl(Wrong(), plain)
    assert items(left) == [{"name": "good", "price": None}]
    assert len(failures(left)) == 3
    assert left.stats.counts["failed.item"] == 3


NO_URL = structs.replace(Request("http://a.example/"), url="nonsense", again=True)


@pytest.mark.parametrize("nonsense", [3, "http://a.example/b", object(), NO_URL])
def test_nonsense_leaves_nothing_of_its_page(nonsense: object) -> None:
    class Nonsense(One):
        def parse(self, page: Response) -> Iterator[object]:
            yield Thing(name="before")
            yield nonsense

    left = crawl(Nonsense(), plain)
    assert items(left) == []
    expected = "a request's url" if nonsense is NO_URL else "expected an item, a Request"
    assert expected in failures(left)[0]


def test_retry_asks_again_and_gives_up_after_retries() -> None:
    class Again(One):
        def parse(self, page: Response) -> None:
            raise Retry("not yet", after=7.0)

    left = crawl(Again(), plain, retries=2)
    assert len(left.sent) == 3
    assert left.sent[1][0] - left.sent[0][0] >= 7.0
    assert failures(left) == ["not yet"]


def test_drop_leaves_the_page_out_and_stop_ends_the_crawl() -> None:
    class Drops(One):
        def parse(self, page: Response) -> Iterator[object]:
            yield Thing(name="x")
            raise Drop("dull")

    class Stops(One):
        def parse(self, page: Response) -> Iterator[object]:
            yield Thing(name="x")
            yield page.follow("/next")
            raise Stop("enough")

    dropped, stopped = crawl(Drops(), plain), crawl(Stops(), plain)
    assert items(dropped) == []
    assert dropped.stats.counts["dropped.dull"] == 1
    assert items(stopped) == [{"name": "x", "price": None}]
    assert stopped.reason == "enough"


def test_counters_count_only_with_their_page() -> None:
    class Counts(One):
        start_urls = ["http://a.example/good", "http://a.example/bad"]

        def parse(self, page: Response) -> None:
            self.count("seen", 2)
            self.count("x" * 1_000)
            if page.url.endswith("bad"):
                raise ValueError("bad page")

    counts = crawl(Counts(), plain).stats.counts
    assert counts["user.seen"] == 2
    assert counts["user." + "x" * 200] == 1


def test_on_error_yields_like_a_callback() -> None:
    class Hears(One):
        def parse(self, page: Response) -> Thing:
            return Thing(name=page.url)

        def on_error(self, failure: Failure) -> Thing:
            return Thing(name=f"no {failure.status}")

    async def gone(request: Request) -> Response:
        return html(request, status=410)

    assert items(crawl(Hears(), gone)) == [{"name": "no 410", "price": None}]


def test_steps_change_and_drop_items() -> None:
    async def shout(item: Thing) -> Thing:
        return Thing(name=item.name.upper())

    def no_b(item: Thing) -> Thing:
        if item.name == "B":
            raise Drop("b")
        return item

    class Steps(One):
        steps = (shout, no_b)

        def parse(self, page: Response) -> list[Thing]:
            return [Thing(name="a"), Thing(name="b")]

    left = crawl(Steps(), plain)
    assert [item["name"] for item in items(left)] == ["A"]
    assert left.stats.counts["dropped.b"] == 1


def test_a_step_that_takes_too_long_fails() -> None:
    async def never_ends(item: Thing) -> None:
        await asyncio.sleep(1e6)

    class Stepped(One):
        steps = (never_ends,)

        def parse(self, page: Response) -> Thing:
            return Thing(name="a")

    left = crawl(Stepped(), plain, callback_timeout=5.0)
    assert "took longer than callback_timeout, 5 s" in failures(left)[0]
    assert (items(left), left.stats.pages) == ([], 1)


def test_data_is_the_callbacks_own() -> None:
    class Clears(One):
        def parse(self, page: Response) -> Request:
            return page.follow("/b", callback=self.second, data={"n": 1})

        def second(self, page: Response, data: Any) -> Thing:
            number = data.pop("n")  # it is there again when the page is
            if page.request.attempt == 1:
                raise Retry("once more")
            return Thing(name=str(number))

    left = crawl(Clears(), plain, retries=1)
    assert items(left) == [{"name": "1", "price": None}]


def test_a_callback_that_takes_too_long_fails() -> None:
    class Slow(One):
        async def parse(self, page: Response) -> Out[Thing]:
            await asyncio.sleep(100)
            yield Thing(name="late")

    left = crawl(Slow(), plain, callback_timeout=2.0)
    assert items(left) == []
    assert "took longer than callback_timeout, 2 s" in failures(left)[0]


def test_a_spider_that_cannot_run_is_refused_with_the_reason() -> None:
    class NoSeeds(Spider[Thing]):
        def parse(self, page: Response) -> None: ...

    class NoParse(Spider[Thing]):
        start_urls = ["http://a.example/"]

    class BadSeed(One):
        start_urls = ["nonsense"]

        def parse(self, page: Response) -> None: ...

    for kind, words in [(NoSeeds, "no seeds"), (NoParse, "no parse"), (BadSeed, "nonsense")]:
        with pytest.raises(SpiderError, match=words):
            check_seeds(kind())


def test_the_state_is_a_new_value_of_its_type() -> None:
    one, two = ShopSpider(), ShopSpider()
    one.state.pages += 1
    assert (one.state.pages, two.state.pages) == (1, 0)

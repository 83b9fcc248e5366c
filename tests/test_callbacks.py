"""What callbacks may look like, take and give; whole crawls on a virtual clock."""

import asyncio
import functools
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec import Struct

from crawler.errors import SpiderError
from crawler.parse.forms import Form
from crawler.request import Request
from crawler.response import Response
from crawler.spider import Spider
from tests.harness import Crawl, crawl, html


class One(Spider[dict[str, Any]], delay=0):
    """Follows one link from its one seed, to `second`."""

    start_urls = ["http://a.example/"]
    data: object = None

    def parse(self, page: Response) -> Any:
        return page.follow("/2", callback="second", data=self.data)


async def plain(request: Request) -> Response:
    return html(request, "<a class=x href=/2>x</a>")


def items(left: Crawl) -> list[Any]:
    return [json.loads(line) for line in left.spool.lines["items"]]


def failures(left: Crawl) -> list[str]:
    return [json.loads(line)["reason"] for line in left.spool.lines["failures"]]


def whole(callback: Callable[..., Any]) -> Crawl:
    """Crawl one page with this callback."""
    kind: type[One] = type("Whole", (One,), {"parse": callback})
    return crawl(kind(), plain)


async def one_after_another(self: One, page: Response) -> AsyncIterator[object]:
    yield {"n": 1}
    yield None
    yield [{"n": 2}, ({"n": 3},)]


def generated(self: One, page: Response) -> Iterator[object]:
    yield {"n": 1}
    yield from ({"n": n} for n in (2, 3))


async def returned_later(self: One, page: Response) -> object:
    await asyncio.sleep(1)
    return [{"n": 1}, {"n": 2}, {"n": 3}]


def returned(self: One, page: Response) -> object:
    return ({"n": 1}, {"n": 2}, {"n": 3})


def mapped(self: One, page: Response) -> object:
    return map(dict, ([("n", n)] for n in (1, 2, 3)))


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*values: Any, **named: Any) -> Any:
        return function(*values, **named)

    return call


def wrapped_without_a_trace(self: One, *pages: Response) -> object:
    return [{"n": n} for n in (1, 2, 3)]


@pytest.mark.parametrize(
    "callback",
    [
        one_after_another,
        generated,
        returned_later,
        returned,
        mapped,
        wrapped(one_after_another),
        wrapped_without_a_trace,
        staticmethod(lambda page: [{"n": n} for n in (1, 2, 3)]),
    ],
)
def test_a_callback_may_be_of_any_shape(callback: Callable[..., Any]) -> None:
    assert items(whole(callback)) == [{"n": 1}, {"n": 2}, {"n": 3}]


@pytest.mark.parametrize("nothing", [None, [], ()])
def test_a_callback_may_give_nothing(nothing: object) -> None:
    left = whole(lambda self, page: nothing)
    assert (items(left), failures(left), left.stats.pages) == ([], [], 1)


@pytest.mark.parametrize(
    ("callback", "words"),
    [
        (
            lambda self, page: Form(action=page.url, method="GET", enctype="text/plain"),
            "got Form; form.submit() makes it a request",
        ),
        (lambda self, page: page.css("a"), "got Node; page.follow(node) makes it a request"),
        (lambda self, page: page.links(), "got Link; page.follow(link) makes it a request"),
        (lambda self, page: "/2", "got str; page.follow(url) makes it a request"),
        (lambda self, page: page, "got Response"),
        (lambda self, page: {page}, "got set"),
        (lambda self, page: page.follow("/2", callback="sceond"), "unknown callback 'sceond'"),
        (lambda self, page: page.text("h1"), "no element for selector 'h1'"),
    ],
)
def test_a_mistake_is_explained_and_leaves_nothing_of_its_page(
    callback: Callable[..., Any], words: str
) -> None:
    def parse(self: One, page: Response) -> Iterator[object]:
        yield {"before": 1}
        yield callback(self, page)

    left = whole(parse)
    assert (items(left), len(left.sent)) == ([], 1)
    (reason,) = failures(left)
    assert words in reason


def test_a_misspelt_callback_gets_a_hint() -> None:
    class Typo(One):
        def parse(self, page: Response) -> Request:
            return page.follow("/2", callback="sceond")

        def second(self, page: Response) -> None: ...

    assert "unknown callback 'sceond'; did you mean 'second'?" in failures(crawl(Typo(), plain))[0]


@pytest.mark.parametrize(
    "stopped", [asyncio.CancelledError, StopIteration, StopAsyncIteration, TimeoutError, OSError]
)
def test_no_exception_of_a_callback_ends_or_stalls_the_crawl(stopped: type[BaseException]) -> None:
    def parse(self: One, page: Response) -> None:
        raise stopped

    left = whole(parse)
    assert (left.reason, len(failures(left))) == ("finished", 1)


class Point(Struct):
    x: int = 0


@dataclass
class Place:
    when: date
    prices: dict[str, Decimal]


POINT = Point(x=1)
PLACE = Place(date(2020, 2, 29), {"a": Decimal("1.50")})


def second(annotation: Any, *, default: Any = ..., by_name: bool = False) -> type[One]:
    """Return a spider whose second callback gives its data as it came."""
    if by_name:

        def method(self: One, page: Response, *, what: Any) -> dict[str, str]:
            return {"got": repr(what)}

    elif default is ...:

        def method(self: One, page: Response, what: Any) -> dict[str, str]:  # type: ignore[misc]  # one of three
            return {"got": repr(what)}

    else:

        def method(self: One, page: Response, what: Any = default) -> dict[str, str]:  # type: ignore[misc]  # one of three
            return {"got": repr(what)}

    method.__annotations__["what"] = annotation
    return type("Data", (One,), {"second": method})


@pytest.mark.parametrize(
    ("kind", "data", "got"),
    [
        (second(Point), POINT, POINT),
        (second(Point, by_name=True), POINT, POINT),
        (second(Point | None), None, None),
        (second(Point, default=Point(x=9)), None, Point(x=9)),
        (second(Point, default=Point(x=9)), POINT, POINT),
        (second(Place), PLACE, PLACE),
        (second(tuple[bytes, set[int]]), (b"\xff", {1}), (b"\xff", {1})),
        (second(list[Point]), [POINT], [POINT]),
        (second(Any), {"a": [POINT]}, {"a": [{"x": 1}]}),
    ],
)
def test_data_arrives_as_it_is_annotated(kind: type[One], data: object, got: object) -> None:
    spider = kind()
    spider.data = data
    assert items(crawl(spider, plain)) == [{"got": repr(got)}]


@pytest.mark.parametrize(
    ("data", "words"),
    [(None, "got `null`"), ({"x": "1"}, r"Expected `int`, got `str` - at `$.x`"), (3, "got `int`")],
)
def test_data_that_does_not_fit_fails_its_page(data: object, words: str) -> None:
    spider = second(Point)()
    spider.data = data
    (reason,) = failures(crawl(spider, plain))
    assert "the request's data does not fit: Expected `" in reason
    assert words in reason


def three(self: One, page: Response, data: Point, more: int) -> None: ...
def none(self: One) -> None: ...
def named(self: One, *, page: Response) -> None: ...


def unreadable(annotation: Any) -> Callable[..., Any]:
    def method(self: One, page: Response, what: Any) -> None: ...

    method.__annotations__["what"] = annotation
    return method


class Closed(Struct):
    logs: list[logging.Logger]


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"second": three}, r"second must take a page, and may take data: missing .*'more'"),
        ({"parse": none}, "parse must take a page, and may take data: too many"),
        ({"parse": named}, "parse must take a page, and may take data"),
        ({"on_error": none}, "on_error must take a failure"),
        ({"second": unreadable("Unheard")}, "what cannot be read as annotated: .*'Unheard'"),
        (
            {"second": unreadable(logging.Logger)},
            "what cannot be read as annotated: Logger is not made of",
        ),
        (
            {"second": unreadable(list[Closed])},
            "what cannot be read as annotated: Logger is not made of",
        ),
    ],
)
def test_a_callback_that_could_never_be_called_is_refused_at_the_start(
    attributes: dict[str, Any], words: str
) -> None:
    spider: One = type("Unfit", (One,), dict(attributes))()
    with pytest.raises(SpiderError, match=words):
        crawl(spider, plain)

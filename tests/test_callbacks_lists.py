"""Links of a page are judged one by one, however many of them are plain."""

from collections.abc import Iterator
from typing import Any

import pytest

from crawler.callbacks import Callbacks
from crawler.outcome import Outcome, Verdict
from crawler.request import Request
from crawler.response import Response
from crawler.rules.scope import Scope
from crawler.spider import Spider

HERE = "http://a.b/c/"


class Lists(Spider[Any]):
    """Yields what it is given, twice in a row and then in a list of lists."""

    start_urls = [HERE]

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def parse(self, page: Response) -> Iterator[object]:
        yield self.values
        yield [self.values]


async def no_fetch(request: Request) -> Response:
    raise AssertionError(request)


async def delivered(values: list[Any], *, depth: int = 1, **rules: Any) -> Outcome:
    scope = Scope(**rules)
    scope.add_seed(HERE)
    page = Response(HERE, request=Request(HERE, depth=depth))
    return await Callbacks(Lists(values), scope=scope).deliver(page, fetch=no_fetch)


def links(*paths: str, depth: int = 2, **fields: Any) -> list[Request]:
    return [Request(f"http://a.b/{path}", depth=depth, **fields) for path in paths]


@pytest.mark.parametrize(
    ("values", "rules", "kept", "counts"),
    [
        (links("1", "2", "3"), {}, "123", {}),
        (links("1", "no/2", "3"), {"deny": ["/no/"]}, "13", {"denied": 2}),
        ([*links("1"), *links("2", depth=3), *links("3")], {"max_depth": 2}, "13", {"too_deep": 2}),
        ([*links("1"), Request("http://x.y/2", depth=2), *links("3")], {}, "13", {"offsite": 2}),
        ([*links("1"), Request("http://a.b.y/2", depth=2)], {}, "1", {"offsite": 2}),
        (links("1", "2", "3"), {"prefixes": ["http://a.b/2"]}, "2", {"offsite": 4}),
        ([*links("1"), None, links("2"), *links("3")], {}, "123", {}),
    ],
)
async def test_each_link_of_a_list_is_judged(
    values: list[Any], rules: dict[str, Any], kept: str, counts: dict[str, int]
) -> None:
    outcome = await delivered(values, **rules)
    assert "".join(request.url[-1] for request in outcome.found) == kept * 2
    assert outcome.counts == counts


async def test_a_request_that_does_not_say_whence_it_comes_is_told() -> None:
    outcome = await delivered([*links("1"), *links("2", depth=0)], depth=4)
    assert [request.depth for request in outcome.found] == [2, 5] * 2
    assert [request.parent for request in outcome.found] == ["", HERE] * 2


async def test_a_callback_that_is_not_there_is_a_mistake_wherever_it_stands() -> None:
    outcome = await delivered([*links("1"), *links("2", callback="sceond")])
    assert outcome.verdict is Verdict.FAILED
    assert "unknown callback 'sceond'" in outcome.failures[0].reason
    assert list(outcome.found) == []


async def test_an_element_in_an_item_is_named() -> None:
    page = Response(HERE, request=Request(HERE), body=b"<h1>x</h1>")
    outcome = await delivered([{"title": page.css_first("h1")}])
    reason = "a value of type Node (its text is node.text()) has no place in JSON"
    assert reason in outcome.failures[0].reason

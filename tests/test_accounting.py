"""Every request that is found is accounted for, once."""

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from crawler import Drop, Out, Response, Retry, Spider
from crawler.errors import ConnectError, RobotsDenied, UnwantedType
from crawler.request import Request
from tests.harness import Crawl, crawl, html


def unaccounted(counts: Mapping[str, int], *, queued: int = 0) -> int:
    """Return how many of the requests that were found ended in no way that is counted."""
    failed = {k: n for k, n in counts.items() if k.startswith("failed.")}
    ended = counts.get("pages", 0) + counts.get("sitemaps", 0) + counts.get("skipped", 0)
    ended += sum(n for kind, n in failed.items() if kind not in ("failed.callback", "failed.item"))
    ended += sum(n for name, n in counts.items() if name.startswith("left_out."))
    return counts.get("discovered", 0) - ended - queued


class Mixed(Spider[Any]):
    start_urls = ["http://a.example/"]
    allowed_domains = ["a.example", "b.example"]

    async def parse(self, page: Response) -> Out[Any]:
        what = page.url.rpartition("/")[2]
        if what == "drop":
            raise Drop("dull")
        if what == "again":
            raise Retry
        if what == "broken":
            raise ValueError
        if what == "number":
            yield {"n": float("nan")}
        yield page.follow_all(css="a")


ENDS = ["fine", "drop", "again", "broken", "number", "404", "cut", "denied", "image", "moved"]
ENDS += ["away", "out", "fine?2", "http://c.example/"]


async def answer(request: Request) -> Response:
    what = request.url.rpartition("/")[2]
    if what == "":
        return html(request, "".join(f"<a href='{end}'>x</a>" for end in ENDS))
    if what == "404":
        return html(request, status=404)
    if what == "cut":
        raise ConnectError("cut")
    if what == "denied":
        raise RobotsDenied("no")
    if what == "image":
        raise UnwantedType("image/png")
    if what == "away":
        return html(request, status=302, Location="http://b.example/there")
    if what == "out":
        return html(request, status=302, Location="http://c.example/")
    if what == "moved":
        page = html(structs.replace(request, url="http://a.example/fine"))
        page.request, page.redirects = request, (request.url,)
        return page
    return html(request)


def made(**settings: Any) -> Crawl:
    return crawl(Mixed(), answer, delay=0.0, **settings)


def test_what_is_found_is_delivered_failed_or_skipped() -> None:
    counts = made().totals.counts
    # The seed, what it links to without what is out of scope, and where one of them leads.
    assert counts["discovered"] == 1 + 13 + 1
    assert counts["skipped"] == 6
    assert unaccounted(counts) == 0


def test_retries_change_nothing_of_that() -> None:
    assert unaccounted(made(retries=2).totals.counts) == 0


def test_what_a_limit_leaves_is_queued() -> None:
    done = made(max_pages=2)
    assert done.reason == "max_pages"
    assert unaccounted(done.totals.counts) > 0  # what is queued yet


def test_what_a_host_is_not_asked_for_is_left_out() -> None:
    counts = made(host_pages=3).totals.counts
    assert counts["left_out.host_pages"] > 0
    assert unaccounted(counts) == 0

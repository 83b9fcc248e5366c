"""Requests for what a page links to."""

from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from crawler.errors import CallbackError, InvalidUrl, MissingValue, SpiderError
from crawler.parse.nodes import Node
from crawler.parse.targets import Target
from crawler.request import Request
from crawler.response import Response

HTML = (
    "<ul><li class=next><a class=x href='n?p=2'>Next</a></ul><a href='javascript:1'>no</a>"
    "<a class=html href=a.html>a</a><a href='n?p=2#end'>Next</a><a href='//c.d'>C</a>"
)


@pytest.fixture
def page() -> Response:
    return Response(
        "http://a.b/c/d",
        request=Request("http://a.b/", depth=3),
        body=HTML.encode(),
        headers=CIMultiDictProxy(CIMultiDict({"Content-Type": "text/html"})),
    )


def node(page: Response, css: str) -> Node:
    found = page.css_first(css)
    assert found is not None
    return found


def test_a_url_a_link_and_an_element_are_followed_alike(page: Response) -> None:
    targets: list[Target] = ["n?p=2", URL("http://a.b/c/n?p=2"), page.links()[0], node(page, "a.x")]
    assert {page.follow(target) for target in targets} == {
        Request("http://a.b/c/n?p=2", depth=4, parent="http://a.b/c/d")
    }


def test_a_request_takes_the_fields_it_is_given(page: Response) -> None:
    given: dict[str, Any] = {
        "data": {"a": 1},
        "priority": 2,
        "headers": {"X-Y": "z"},
        "callback": "other",
        "depth": 9,
    }
    (request,) = page.follow_all(css="li a", **given)
    assert request == page.follow("n?p=2", **given)
    assert (request.data, request.priority, request.callback, request.depth) == (
        {"a": 1},
        2,
        "other",
        9,
    )
    assert request.headers == (("X-Y", "z"),)


def test_params_are_added_to_each_url(page: Response) -> None:
    assert page.follow("x", params={"q": [1, 2]}).url == "http://a.b/c/x?q=1&q=2"
    requests = page.follow_all(params={"q": "ü"})
    assert [request.url.partition("?")[2] for request in requests] == [
        "p=2&q=%C3%BC",
        *["q=%C3%BC"] * 2,
    ]


@pytest.mark.parametrize("href", ["li_next.html", "a.html", "my file.pdf", ".", "#x", "a[1]", ""])
def test_a_url_that_looks_odd_is_a_url_still(page: Response, href: str) -> None:
    assert page.follow(href).url.startswith("http://a.b/c/")


@pytest.mark.parametrize("css", ["li.next a", ".next > a", "a.x", "a[href]", "a[href*='p=2']"])
def test_a_selector_given_as_url_is_found_out(page: Response, css: str) -> None:
    with pytest.raises(CallbackError, match=r"is no URL; a selector is for follow_all\(css="):
        page.follow(css)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (None, "got None"),
        (3, "got 3"),
        ([], "got a list; follow_all"),
        (Request("http://a.b/"), "got a Request; yield it as it is"),
    ],
)
def test_what_cannot_be_followed_is_named(page: Response, target: Any, words: str) -> None:
    with pytest.raises(CallbackError, match=f"expected a URL, Link or Node, {words}"):
        page.follow(target)


def test_a_form_is_sent_not_followed(page: Response) -> None:
    form: Any = Response("http://a.b/", request=Request("http://a.b/"), body=b"<form>").form()
    with pytest.raises(CallbackError, match=r"form\.submit\(\)"):
        page.follow(form)


def test_an_element_that_leads_nowhere_says_so(page: Response) -> None:
    with pytest.raises(MissingValue, match="no attribute 'href' in <ul> on http"):
        page.follow(node(page, "ul"))
    with pytest.raises(InvalidUrl, match="only http and https are crawled: 'javascript:1'"):
        page.follow(page.css("a")[1])


def test_several_targets_of_any_kind_are_followed_each_once(page: Response) -> None:
    targets: list[Target] = [*page.css("ul, a"), *page.links(), "n?p=2#top", URL("http://e.f/")]
    assert [request.url for request in page.follow_all(targets)] == [
        "http://a.b/c/n?p=2",
        "http://a.b/c/a.html",
        "http://c.d/",
        "http://e.f/",
    ]
    assert [request.url for request in page.follow_all(targets, allow="b/c", deny=r"\?")] == [
        "http://a.b/c/a.html"
    ]
    assert page.follow_all([]) == []


def test_follow_all_of_a_selector_says_how_it_is_written(page: Response) -> None:
    with pytest.raises(CallbackError, match=r"got a string; css='li\.next a'"):
        page.follow_all("li.next a")


def test_a_callback_that_is_no_method_is_refused_where_it_is_written(page: Response) -> None:
    with pytest.raises(SpiderError, match="callback must be a method of the spider or its name"):
        page.follow("x", callback=lambda page: None)

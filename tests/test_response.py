"""What came back: its text, its JSON, its document, its links."""

import re
from functools import partial
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from crawler.errors import CallbackError, ContentError, FetchError, MissingValue
from crawler.parse.links import Link
from crawler.request import Request
from crawler.response import Response
from tests.growth import assert_costs, cpu_seconds

URL = "http://a.b/c/d"


def answer(body: str | bytes = b"", mime: str | None = "text/html", **fields: Any) -> Response:
    headers = CIMultiDict({} if mime is None else {"Content-Type": mime})
    return Response(
        URL,
        request=Request(URL, depth=3),
        body=body.encode() if isinstance(body, str) else body,
        headers=CIMultiDictProxy(headers),
        **fields,
    )


def found(page: Response, *css: str, **patterns: Any) -> list[str]:
    return [link.url.removeprefix("http://a.b/") for link in page.links(*css, **patterns)]


def test_a_response_says_what_came_and_whence() -> None:
    page = answer("x", status=201, redirects=("http://a.b/old",), seconds=0.5)
    assert (page.status, page.redirects, page.seconds, page.depth) == (
        201,
        ("http://a.b/old",),
        0.5,
        3,
    )
    assert page.headers["content-type"] == "text/html"
    assert page.request.url == page.url == URL
    assert repr(page) == f"<Response 201 {URL}>"


@pytest.mark.parametrize(
    ("body", "mime", "encoding", "html"),
    [
        ("é".encode("latin-1"), "text/html; charset=ISO-8859-1", "windows-1252", "é"),
        ("é".encode(), "text/html", "utf-8", "é"),
        (
            "<meta charset=koi8-r>да".encode("koi8-r"),
            "text/html",
            "koi8-r",
            "<meta charset=koi8-r>да",
        ),
        ("\ufeffé".encode("utf-16-le"), "text/html; charset=utf-8", "utf-16le", "é"),
    ],
)
def test_the_source_is_decoded_by_what_the_page_declares(
    body: bytes,
    mime: str,
    encoding: str,
    html: str,
) -> None:
    page = answer(body, mime)
    assert (page.encoding, page.html, page.body) == (encoding, html, body)


@pytest.mark.parametrize(
    ("body", "mime"),
    [
        (b"\x89PNG\r\n\0\0<a href=1>x</a>", "text/html"),
        (b'{"a": "<a href=1>x</a>"}', "application/json"),
        (b"<a href='1'>x</a>", "application/xml"),
        (b"plain", None),
        (b"", "text/html"),
    ],
)
def test_a_body_that_is_no_html_has_no_elements(body: bytes, mime: str | None) -> None:
    page = answer(body, mime)
    assert (page.css("a"), page.css_first("a"), page.links(), page.follow_all()) == (
        [],
        None,
        [],
        [],
    )
    assert (page.text("a", default="none"), page.tree.css("a")) == ("none", [])
    with pytest.raises(MissingValue, match="no element for selector 'a' on http"):
        page.text("a")
    with pytest.raises(MissingValue, match="no form 'form' on http"):
        page.form()


def test_the_name_of_an_encoding_is_known_without_decoding_the_body() -> None:
    body = "一\xff".encode("gb18030") * 200_000

    def fresh() -> Response:
        return answer(body, "text/plain; charset=gbk")

    def naming() -> float:
        return cpu_seconds(partial(getattr, fresh(), "encoding"))

    def decoding() -> float:
        return cpu_seconds(partial(getattr, fresh(), "html"))

    assert_costs(naming, at_most=1 / 3, times=decoding)
    page = fresh()
    assert page.encoding == "gbk"
    assert len(page.html) == 400_000
    assert page.encoding == "gbk"


def test_what_is_malformed_is_a_replacement_character_wherever_it_is_read() -> None:
    body = b"<title>a\xffb</title><p id='\xe2\x82'>c\xe9</p><a href='/\xff'>d</a>"
    page = answer(body, "text/html; charset=utf-8")
    assert page.encoding == "utf-8"
    assert (page.text("title"), page.text("p")) == ("a\ufffdb", "c\ufffd")
    assert page.attr("id", "p") == "\ufffd"
    assert page.html.count("\ufffd") == 4
    assert found(page) == ["%EF%BF%BD"]


@pytest.mark.parametrize("mime", ["TEXT/HTML;charset=utf-8", "application/xhtml+xml", None])
def test_html_is_known_by_its_type_or_without_one_by_its_looks(mime: str | None) -> None:
    assert found(answer("<p><a href='1'>x</a>", mime)) == ["c/1"]


def test_html_above_the_limit_is_text_without_elements() -> None:
    page = answer("<a href=1>x</a>", parsed=False)
    assert (page.html, page.links(), page.is_html) == ("<a href=1>x</a>", [], False)


@pytest.mark.parametrize(
    ("body", "mime"),
    [
        ('{"a": "é"}'.encode(), "application/json"),
        ('{"a": "é"}'.encode(), "text/plain; charset=utf-8"),
        ('{"a": "é"}'.encode("utf-8-sig"), "application/json"),
        ('{"a": "é"}'.encode("utf-16"), "application/json"),
        ('{"a": "é"}'.encode("latin-1"), "application/json; charset=iso-8859-1"),
    ],
)
def test_json_is_read_in_the_encoding_it_came_in(body: bytes, mime: str) -> None:
    page = answer(body, mime)
    assert page.json() == page.json(dict[str, str]) == {"a": "é"}


@pytest.mark.parametrize(
    ("body", "words"),
    [('{"a": "x"}', "Expected `int`, got `str`"), ('{"a":', "truncated"), ("", "truncated")],
)
def test_json_that_is_not_what_was_expected_is_an_error_with_the_url(body: str, words: str) -> None:
    with pytest.raises(ContentError, match=rf"not the JSON expected: .*{words}.*: {URL}$"):
        answer(body, "application/json").json(dict[str, int])


def test_json_that_nests_without_end_is_none() -> None:
    with pytest.raises(ContentError, match=rf"not the JSON expected: .*recursion.*: {URL}$"):
        answer("[" * 1_000_000, "application/json").json()


def test_links_come_once_in_order_with_what_they_say() -> None:
    page = answer(
        "<a href=1>one</a><map><area href=/2></map><a href='1#x'>again</a>"
        "<a href=3 rel='x nofollow'>three</a><a href='mailto:a@b.c'>m</a><a name=y>n</a>"
    )
    assert page.links() == [
        Link("http://a.b/c/1", "one"),
        Link("http://a.b/2", tag="area"),
        Link("http://a.b/c/3", "three", nofollow=True),
    ]


PATHS = "<p><a href=/x1>x</a><a href=/x2>x</a></p><a href=/y1>x</a>"


@pytest.mark.parametrize(
    ("patterns", "paths"),
    [
        ({}, ["x1", "x2", "y1"]),
        ({"css": "p a"}, ["x1", "x2"]),
        ({"css": "p"}, []),
        ({"allow": "1$"}, ["x1", "y1"]),
        ({"deny": re.compile("X", re.IGNORECASE)}, ["y1"]),
        ({"allow": ["x2", re.compile("y")], "deny": ("y1", "zz")}, ["x2"]),
        ({"allow": {"2", "y"}}, ["x2", "y1"]),
    ],
)
def test_links_are_chosen_by_element_and_by_url(patterns: dict[str, Any], paths: list[str]) -> None:
    assert found(answer(PATHS), **patterns) == paths
    page = answer(PATHS)
    assert [request.url for request in page.follow_all(**patterns)] == [
        f"http://a.b/{path}" for path in paths
    ]


def test_a_pattern_that_is_none_is_named() -> None:
    with pytest.raises(CallbackError, match=r"not a regular expression: 'p\(1'"):
        answer(PATHS).links(allow=["a", "p(1"])
    with pytest.raises(CallbackError, match=r"not a CSS selector: 'a\[' \(on http://a.b/c/d\)"):
        answer(PATHS).links("a[")
    with pytest.raises(CallbackError, match=r"text\(css\) and attr\(name, css\) take the value"):
        answer(PATHS).css("a::text")


@pytest.mark.parametrize(
    ("head", "path"),
    [
        ("<base href='/e/'>", "e/1"),
        ("<base href='e/'><base href='/f/'>", "c/e/1"),
        ("<base href='javascript:1'>", "c/1"),
        ("<base href='http://['>", "c/1"),
        ("<base target=_top>", "c/1"),
    ],
)
def test_the_base_counts_for_links_and_for_what_is_followed(head: str, path: str) -> None:
    page = answer(f"{head}<a href=1>x</a><form action=1></form>")
    node = page.css_first("a")
    assert node is not None
    assert found(page) == [path]
    assert page.follow("1").url == page.follow(node).url == page.form().url == f"http://a.b/{path}"


def test_an_element_shows_what_it_is() -> None:
    page = answer("<ul><li>one<li>two <b>x</b></ul>")
    assert repr(page.css_first("li")) == "<Node li http://a.b/c/d>"
    assert [node.text() for node in page.css("li")] == ["one", "two x"]
    assert [node.text("b", default=None) for node in page.css("li")] == [None, "x"]


async def test_fetch_needs_a_crawl() -> None:
    with pytest.raises(FetchError, match="inside a callback only"):
        await answer().fetch("/x")

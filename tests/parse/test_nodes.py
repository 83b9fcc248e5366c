"""Elements of a page: text, attributes, selectors."""

import contextlib
import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import CallbackError, MissingValue
from crawler.parse.nodes import Element, Node, base_of, parse_html

URL = "http://a.b/c/d"


def page(html: str | bytes) -> Node:
    root = parse_html(html).root
    assert root is not None
    return Element(root, url=URL)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p>", "one"),
        ("<p>\n  one\t two\xa0 </p>", "one two"),
        ("<p>Hello <b>big</b>, <i>w</i>orld</p>", "Hello big, world"),
        ("<p>one<br>two", "one two"),
        ("<ul><li>one</li><li>two</li></ul>", "one two"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1 2"),
        ("<div>a<div>b</div>c</div>", "a b c"),
        ("<p>a<script>x()</script><style>y</style><!-- z -->b</p>", "ab"),
        ("<p></p>", ""),
        ("<title>not seen</title>seen", "seen"),
        ("", ""),
    ],
)
def test_text_is_what_a_reader_sees_on_one_line(html: str, text: str) -> None:
    assert page(html).text() == text


def test_text_of_a_script_asked_for_is_its_source() -> None:
    assert page("<script> {'a':  1} </script>").text("script") == "{'a': 1}"
    assert page("<title> a\nb </title>").text("title") == "a b"


def test_text_is_that_of_the_first_match() -> None:
    assert page("<p>one<p>two").text("p") == "one"


def test_a_missing_element_is_an_error_naming_selector_and_url() -> None:
    with pytest.raises(MissingValue, match=r"'h1\.x' on http://a\.b/c/d"):
        page("<h1>y").text("h1.x")
    with pytest.raises(MissingValue, match=r"attribute 'href' for selector 'h1' on http"):
        page("<h1>y").attr("href", "h1")
    with pytest.raises(MissingValue, match=r"attribute 'id' in <html> on http"):
        page("<h1>y").attr("id")


def test_a_default_stands_in_for_what_is_missing() -> None:
    root = page("<h1>y")
    assert root.text("h2", default=None) is None
    assert root.text("h2", default="z") == "z"
    assert root.text("h1", default="z") == "y"
    assert root.attr("href", "h1", default=0) == 0
    assert root.attr("href", "h2", default="") == ""


def test_an_attribute_without_value_is_there() -> None:
    root = page("<input DISABLED value='' name=x>")
    assert root.attr("disabled", "input") == ""
    assert root.attr("value", "input", default="z") == ""
    assert root.attr("NAME", "input") == "x"


def test_css_finds_elements_in_document_order() -> None:
    nodes = page("<i>1</i><b>2</b><i>3</i>").css("b, i")
    assert [(node.tag, node.text(), node.url) for node in nodes] == [
        ("i", "1", URL),
        ("b", "2", URL),
        ("i", "3", URL),
    ]


def test_css_looks_inside_the_element_only() -> None:
    outer = page("<div id=a><div id=b></div></div><div id=c></div>").css_first("#a")
    assert outer is not None
    assert [node.attr("id") for node in outer.css("div")] == ["b"]
    first = outer.css_first("div")
    assert first is not None
    assert first.attr("id") == "b"
    assert first.css_first("div") is None


def test_the_page_itself_has_an_html_element() -> None:
    assert page("<html lang=de>").attr("lang", "html") == "de"
    assert [node.tag for node in page("").css("html")] == ["html"]


def test_html_is_the_whole_element() -> None:
    node = page("<p class=x>a<b>c</b></p>d").css_first("p")
    assert node is not None
    assert node.html == '<p class="x">a<b>c</b></p>'


@pytest.mark.parametrize("css", ["", "a[", "a::attr(href)", "p >", ":nope", "a\udcff"])
def test_a_bad_selector_is_named(css: str) -> None:
    for ask in (page("<a>").css, page("<a>").css_first, page("<a>").text, page("<a>").form):
        with pytest.raises(CallbackError, match=r"not a CSS selector: .*on http://a\.b"):
            ask(css)


def test_xpath_in_the_place_of_a_selector_is_told_where_it_belongs() -> None:
    with pytest.raises(CallbackError, match=r"not a CSS selector: '//a'.*; page\.xpath\(query\)"):
        page("<a>").text("//a")


def test_an_element_keeps_its_document_alive() -> None:
    node = page("<p>kept</p>").css_first("p")
    gc.collect()
    assert node is not None
    assert node.text() == "kept"
    assert node.lexbor.parent is not None


@pytest.mark.parametrize(
    ("head", "base"),
    [
        ("", URL),
        ("<base target=x>", URL),
        ("<base href='/e/'>", "http://a.b/e/"),
        ("<base target=x><base href=e><base href=f>", "http://a.b/c/e"),
        ("<base href='https://x.y/#z'>", "https://x.y/"),
        ("<base href='javascript:1'><base href='/e/'>", URL),
        ("<base href='http://['>", URL),
        ("<base href>", URL),
        ("<body><p><BaSe href=/e/>", "http://a.b/e/"),
        ("<body><a href='<base href=/e/>'></a>", URL),
    ],
)
def test_the_first_base_is_what_links_go_by(head: str, base: str) -> None:
    assert base_of(parse_html(head), URL) == base
    assert page(head).base == base


def test_text_of_a_very_deep_page_is_found() -> None:
    assert page("<i>" * 3_000 + "deep").text() == "deep"


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_nothing_is_too_strange_to_parse(html: bytes | str) -> None:
    root = page(html)
    assert isinstance(root.text(), str)
    assert all(node.url == URL for node in root.css("*"))


@given(st.text(max_size=30) | st.text(alphabet="a[]=.:#>+~*,()'\"\\ ", max_size=12))
def test_a_selector_works_or_is_refused(css: str) -> None:
    with contextlib.suppress(CallbackError):
        assert all(isinstance(node, Node) for node in page("<p class=a>b").css(css))

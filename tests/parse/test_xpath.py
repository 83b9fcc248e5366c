"""XPath over pages and elements, by parsel."""

import sys
from typing import Annotated, Any

import pytest

from crawler import Item, xpath
from crawler.errors import CallbackError, MissingExtra
from crawler.items import ItemKinds
from tests.parse.test_extract import only
from tests.test_response import answer

PAGE = """
<title>T</title><h1>The <b>Book</b><script>x()</script><br>two<!-- c --></h1>
<table><tr><td>1<td>2<tr><td>3</table><a href="/x" title=" a  b ">y</a>
"""


class Heading(Item):
    text: Annotated[str, xpath("//h1")]


def test_a_page_is_queried_as_its_tree_stands_in_a_browser() -> None:
    page = answer(PAGE)
    assert page.xpath("/html/body/table/tbody/tr[1]/td/text()").getall() == ["1", "2"]
    assert page.xpath("//a[@href=$to]/text()", to="/x").get() == "y"
    assert page.xpath("//title/text()").get() == "T"
    assert page.xpath("//none").get() is None


@pytest.mark.parametrize(
    ("css", "query", "found"),
    [
        ("tr", "./td/text()", ["1", "2"]),
        ("tr", "//td/text()", ["1", "2"]),
        ("tr", ".", ["<tr><td>1</td><td>2</td></tr>"]),
        ("td", "text()", ["1"]),
        ("head", "./title/text()", ["T"]),
        ("title", "./text()", ["T"]),
        ("body", "./table//td[1]/text()", ["1", "3"]),
        ("html", "./body/a/@href", ["/x"]),
        ("tbody", "count(./tr)", ["2.0"]),
    ],
)
def test_an_element_is_queried_by_itself(css: str, query: str, found: list[str]) -> None:
    node = answer(PAGE).css(css)[0]
    assert node.xpath(query).getall() == found


def test_a_wrong_query_is_named() -> None:
    with pytest.raises(CallbackError, match=r"not an XPath query: '//h1\[' \(on http://a\.b/c/d\)"):
        answer(PAGE).xpath("//h1[")
    with pytest.raises(CallbackError, match="not an XPath query"):
        only(Annotated[str, xpath("//h1[")], PAGE)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Annotated[str, xpath("//h1")], "The Book two"),
        (Annotated[str, xpath("//h1//text()")], "The"),
        (Annotated[str, xpath("//a/@title")], "a b"),
        (Annotated[str, xpath("//a", attr="href")], "http://a.b/x"),
        (Annotated[str, xpath("//a/@href")], "http://a.b/x"),
        (Annotated[str, xpath("string(//script)")], "x()"),
        (Annotated[int, xpath("count(//td)")], 3),
        (Annotated[float, xpath("sum(//td) div 4")], 1.5),
        (Annotated[bool, xpath("//td = '3'")], True),
        (Annotated[bool, xpath("//h9", exists=True)], False),
        (Annotated[list[int], xpath("//td")], [1, 2, 3]),
        (Annotated[list[str], xpath("//td[. > 1]")], ["2", "3"]),
        (Annotated[list[str], xpath("//td", attr="id")], []),
        (Annotated[list[str], xpath("//a/@title", regex=r"\w")], ["a", "b"]),
    ],
)
def test_a_field_may_be_found_by_xpath(annotation: Any, value: object) -> None:
    assert only(annotation, PAGE) == value


def test_items_in_a_list_are_queried_each_by_itself() -> None:
    class Row(Item):
        first: Annotated[int, xpath("./td[1]")]

    assert [Row.extract(node).first for node in answer(PAGE).css("tr")] == [1, 3]


@pytest.mark.parametrize(
    "html", ["<h1>x", PAGE, "<p>a<div>b<br>c</div>d<p><i>e</i>f", "a<p> b &nbsp;"]
)
def test_the_text_of_an_element_is_the_same_by_either_way(html: str) -> None:
    page = answer(html)
    for element in ("html", "body"):
        assert only(Annotated[str, xpath(f"//{element}")], page) == page.text(element)


def test_what_is_no_html_or_very_deep_has_nothing_more_than_css_finds() -> None:
    assert answer("<h1>x", "text/plain").xpath("//h1").getall() == []
    assert len(answer("<i>" * 3_000 + "x").xpath("//i")) > 200
    assert answer("<p>a&#0;b\x0b</p>").xpath("//p/text()").getall() == ["a\ufffdb\x0b"]


def test_a_tree_far_larger_than_its_page_is_not_copied() -> None:
    page = answer(f"<p><b a='{'x' * 400_000}'>" + "<p>y" * 150)
    with pytest.raises(CallbackError, match=r"too large for XPath: http://a\.b/c/d"):
        page.xpath("//p")
    assert page.css("p")[-1].xpath("string(.)").get() == "y"


def test_the_trees_go_when_the_callback_ends() -> None:
    page = answer(PAGE)
    before = page.selector
    assert page.selector is before
    page.detach()
    assert page.selector is not before


def test_without_the_extra_an_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "parsel", None)
    said = r"XPath needs an extra: pip install 'crawlkeeper\[xpath\]'"
    with pytest.raises(MissingExtra, match=said):
        answer(PAGE).xpath("//h1")
    with pytest.raises(MissingExtra, match=said):
        only(Annotated[str, xpath("//h1")], PAGE)
    with pytest.raises(MissingExtra, match=said):
        ItemKinds([Heading])

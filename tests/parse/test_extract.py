"""Items from pages: where their fields are found, and what is said of those that are not."""

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import attrs
import msgspec
import pydantic
import pytest

from crawler import Item, Out, Response, Spider, css, extract, xpath
from crawler.errors import CallbackError, MissingValue, SpiderError, WrongValue
from crawler.items import ItemKinds
from crawler.parse.markers import Marker
from tests.growth import assert_costs, cpu_seconds
from tests.harness import crawl, html
from tests.test_response import URL, answer

BOOK = """
<base href="/shop/"><h1> The  <b>Book</b></h1>
<p class="price">12.50</p> <p class="blank"> </p>
<ul><li>red<li>blue<li></ul>
<a href="x#part">x</a><a href="mailto:a@b.c">mail</a><a>none</a><a href="http://[">bad</a>
<img src="i.png" data-src="j.png"><input disabled value=" v ">
<div class="author"><b>Ann</b><a href="ann">home</a></div>
<p>Sizes: S, M, L</p>
"""


class Author(Item):
    name: Annotated[str, css("b")]
    home: Annotated[str | None, css("a", attr="href")] = None


class Book(Item):
    url: str
    title: Annotated[str, css("h1")]
    price: Annotated[float, css(".price")]
    author: Annotated[Author, css(".author")]
    colours: Annotated[list[str], css("li")]
    rating: Annotated[float | None, css(".rating")] = None


_css: Any = css  # takes what type checkers do not let pass


def only(annotation: Any, page: Response | str = BOOK, default: Any = msgspec.NODEFAULT) -> Any:
    """Return what a field with that annotation, alone in its item, is found to be."""
    field = (
        ("value", annotation) if default is msgspec.NODEFAULT else ("value", annotation, default)
    )
    kind = msgspec.defstruct("One", [field])
    return extract(kind, answer(page) if isinstance(page, str) else page).value  # type: ignore[attr-defined]  # made above


def test_an_item_is_found_field_by_field() -> None:
    page = answer(BOOK)
    assert Book.extract(page, url=page.url) == Book(
        url=URL,
        title="The Book",
        price=12.5,
        author=Author(name="Ann", home="http://a.b/shop/ann"),
        colours=["red", "blue", ""],
    )


def test_a_node_is_extracted_from_like_a_page() -> None:
    node = answer(BOOK).css(".author")[0]
    assert Author.extract(node) == Author(name="Ann", home="http://a.b/shop/ann")


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Annotated[str, css("h1")], "The Book"),
        (Annotated[str, css("h1 b, p")], "Book"),
        (Annotated[str, css("input", attr="value")], " v "),
        (Annotated[str, css("input", attr="DISABLED")], ""),
        (Annotated[str, css(".blank")], ""),
        (Annotated[str, css("p", regex=r"\d+")], "12"),
        (Annotated[str, css("p", regex=r"(\d+)\.(\d+)")], "12"),
        (Annotated[list[str], css("p:last-child", regex=r"\b[SML]\b")], ["S", "M", "L"]),
        (Annotated[str, css("li", all=True)], "red blue"),
        (Annotated[str, css("p:last-child", all=True, regex=r"\b[SML]\b")], "S M L"),
        (Annotated[list[str], css("li", all=True)], ["red", "blue", ""]),
        (Annotated[list[str], css("h9")], []),
        (Annotated[set[str], css("li")], {"red", "blue", ""}),
        (Annotated[tuple[str, ...], css("li")], ("red", "blue", "")),
        (Annotated[list[str], css("input", attr="value")], [" v "]),
        (Annotated[list, css("h1")], ["The Book"]),
        (Annotated[Any, css("h1")], "The Book"),
        (Annotated[str, css("h1")] | None, "The Book"),
        (Annotated[str | None, css("h1")], "The Book"),
    ],
)
def test_a_marker_says_where_and_a_type_says_what(annotation: Any, value: object) -> None:
    assert only(annotation) == value


def test_without_a_selector_it_is_the_element_itself() -> None:
    class Word(Item):
        text: Annotated[str, css()]
        kind: Annotated[str, css(attr="class")]
        author: Annotated[Author | None, css()] = None

    node = answer("<p class=x>a <b>c</b></p>").css("p")[0]
    assert Word.extract(node) == Word(text="a c", kind="x", author=Author(name="c"))


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Annotated[str, css("a", attr="href")], "http://a.b/shop/x"),
        (Annotated[list[str], css("a", attr="href")], ["http://a.b/shop/x", "http://a.b/shop/ann"]),
        (Annotated[str, css("img", attr="SRC")], "http://a.b/shop/i.png"),
        (Annotated[str, css("img", attr="data-src")], "j.png"),
        (Annotated[str, css("img", attr="data-src", url=True)], "http://a.b/shop/j.png"),
        (Annotated[str, css("img", attr="src", url=False)], "i.png"),
        (Annotated[str, css("a", attr="href", regex="x#(.*)")], "part"),
        (Annotated[str, css("a", attr="href", regex="x", url=True)], "http://a.b/shop/x"),
        (Annotated[str, css("a", url=True)], "http://a.b/shop/x"),
    ],
)
def test_urls_are_absolute(annotation: Any, value: object) -> None:
    assert only(annotation) == value


def test_an_element_goes_by_its_page_and_its_settings() -> None:
    page = answer("<base href=/shop/><div><p><a href=x>y")
    assert page.css("div")[0].css("p")[0].base == "http://a.b/shop/"
    first = page.css_first("div")
    assert first is not None
    assert first.base == "http://a.b/shop/"
    latin = answer(b"<form>", "text/html; charset=iso-8859-1")
    assert latin.css("form")[0].encoding == "windows-1252"


def test_exists_asks_whether_there_is_one() -> None:
    for marker, there in (
        (css("h1", exists=True), True),
        (css(".blank", exists=True), True),
        (css(".sold-out", exists=True), False),
        (css("input", attr="disabled", exists=True), True),
        (css("input", attr="checked", exists=True), False),
        (css("h1", regex="(?i)book", exists=True), True),
        (css("h1", regex="film", exists=True), False),
    ):
        assert only(Annotated[bool, marker]) is there, marker


def test_what_is_not_found_has_the_default_of_its_class() -> None:
    for annotation in (
        Annotated[str, css("h9")],
        Annotated[str, css("h1", attr="id")],
        Annotated[str, css("h1", regex="z")],
        Annotated[float, css(".blank")],
        Annotated[list[str], css("h9")],
        Annotated[list[float], css(".blank")],
        Annotated[Author, css("h9")],
    ):
        assert only(annotation, default="other") == "other"


@pytest.mark.parametrize(
    "annotation",
    [
        Annotated[str | None, css("h9")],
        Annotated[float, css(".blank")] | None,
        Annotated[list[str] | None, css("h9")],
        Annotated[int | str | None, css("h9")],
        Annotated[Author | None, css("h9")],
    ],
)
def test_what_may_be_none_is_none_where_nothing_is_found(annotation: Any) -> None:
    assert only(annotation) is None
    assert only(annotation, default="other") == "other"


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (Annotated[str, css("h9")], r"css('h9')"),
        (Annotated[str, css("h1", attr="id")], r"css('h1', attr='id')"),
        (Annotated[str, css("h1", regex="z")], r"css('h1', regex='z')"),
        (Annotated[float, css(".blank")], r"css('.blank')"),
        (Annotated[Author, css("h9")], r"css('h9')"),
        (Annotated[str, css("h9", all=True)], r"css('h9', all=True)"),
    ],
)
def test_what_has_none_is_missed_by_name(annotation: Any, said: str) -> None:
    with pytest.raises(MissingValue) as caught:
        only(annotation)
    assert str(caught.value) == f"One.value: nothing for {said} on {URL}"


def test_what_is_missing_in_an_item_within_is_missed_there() -> None:
    with pytest.raises(MissingValue, match=r"Author\.name: nothing for css\('b'\) on"):
        only(Annotated[Author, css("h1 b")])


def test_the_wrong_text_is_an_error_that_shows_it_but_not_all_of_it() -> None:
    page = "<p>\x1b[2J " + "long " * 1_000
    with pytest.raises(WrongValue) as caught:
        only(Annotated[float, css("p")], page)
    said = str(caught.value)
    assert said.startswith("One.value: expected a number, got '\\x1b[2J long ")
    assert said.endswith(f"… (css('p') on {URL})")
    assert len(said) < 250


def test_an_unusable_url_is_an_error_alone_and_left_out_of_a_list() -> None:
    page = "<a href=mailto:x@y.z>m</a><a href=/b>b</a>"
    with pytest.raises(WrongValue, match=r"expected an http\(s\) URL, got 'mailto:x@y.z' \(css"):
        only(Annotated[str, css("a", attr="href")], page)
    assert only(Annotated[list[str], css("a", attr="href")], page) == ["http://a.b/b"]
    assert "secret" not in only(Annotated[str, css("a", attr="href")], "<a href=//me:secret@c.d/>x")


def test_constraints_are_checked_where_the_value_is_found() -> None:
    positive = msgspec.Meta(gt=0)
    assert only(Annotated[float, css(".price"), positive]) == 12.5
    with pytest.raises(WrongValue, match=r"Expected `float` > 0.0, got -3.0 \(css\('p'\) on http"):
        only(Annotated[float, css("p"), positive], "<p>-3")
    with pytest.raises(WrongValue, match=r"length >= 1, got \[\] \(css\('p'\)"):
        only(Annotated[list[str], css("p"), msgspec.Meta(min_length=1)], "")
    with pytest.raises(WrongValue, match=r"Expected `int` >= 1 - at `\$\[1\]`"):
        only(Annotated[list[Annotated[int, positive]], css("p")], "<p>1<p>0")


class Comment(Item):
    text: Annotated[str, css("p")]
    answers: Annotated[list["Comment"], css(".comment")]


class Thread(Item):
    comments: Annotated[list[Comment], css(".comment")]


def comments(depth: int) -> str:
    return "<div class=comment><p>x</p>" * depth + "</div>" * depth


def test_items_within_items_of_their_kind_are_each_found_once() -> None:
    page = f"{comments(1)}<section>{comments(3)}</section>"
    one, other = Thread.extract(answer(page)).comments
    assert (one.answers, other.answers[0].answers[0].answers) == ([], [])


def test_forty_comments_within_each_other_are_no_bomb() -> None:
    found = Thread.extract(answer(comments(40))).comments
    for _ in range(40):
        assert len(found) == 1
        found = found[0].answers
    assert found == []


def test_items_nested_without_end_are_an_error_of_ours() -> None:
    with pytest.raises(CallbackError, match=r"items within items, too deep on http://a\.b"):
        Thread.extract(answer(comments(1_500)))


def test_values_that_no_page_says_are_given() -> None:
    page = answer(BOOK)
    assert Book.extract(page, url="u", title="Own").title == "Own"
    with pytest.raises(
        CallbackError, match=r"item Book: url has neither css nor a default: extract\(page, url=…\)"
    ):
        Book.extract(page)
    with pytest.raises(CallbackError, match=r"unknown field 'titel'; did you mean 'title'"):
        Book.extract(page, url="u", titel="x")


class Base(Item):
    title: Annotated[str, css("h1")]


class More(Base, rename="camel"):
    first_price: Annotated[float, css(".price")]


def test_a_subclass_has_the_fields_of_its_base_and_names_in_json_do_not_matter() -> None:
    assert More.extract(answer(BOOK)) == More(title="The Book", first_price=12.5)


@dataclasses.dataclass
class Plain:
    title: Annotated[str, css("h1")]
    rating: Annotated[float, css(".rating")] = 1.0
    words: Annotated[list[str], css("h9")] = dataclasses.field(default_factory=lambda: ["none"])
    length: int = dataclasses.field(init=False, default=3)


@attrs.define
class Attrs:
    title: Annotated[str, css("h1")]
    rating: Annotated[float, css(".rating")] = 1.0
    words: Annotated[list[str], css("h9")] = attrs.field(factory=lambda: ["none"])


class Model(pydantic.BaseModel):
    title: Annotated[str, css("h1")]
    rating: Annotated[float, css(".rating")] = 1.0
    words: Annotated[list[str], css("h9")] = ["none"]


class Offer(pydantic.BaseModel):
    price: Annotated[float, css(".price"), pydantic.Field(alias="Price", le=10)]
    link: Annotated[pydantic.HttpUrl | None, css("a", attr="href")]


class Offers(pydantic.BaseModel):
    offers: Annotated[list[Offer], css("p")]


def test_a_model_has_its_aliases_and_types_of_pydantic_and_its_faults_are_named() -> None:
    page = "<p><b class=price>$3</b><a href=/x>x</a><p><b class=price>9</b>"
    first, second = extract(Offers, answer(page)).offers
    assert (first.price, str(first.link)) == (3.0, "http://a.b/x")
    assert (second.price, second.link) == (9.0, None)
    with pytest.raises(WrongValue) as caught:
        extract(Offers, answer("<p><b class=price>11</b>"))
    assert str(caught.value) == (
        f"Offer.price: Input should be less than or equal to 10, got 11.0 on {URL}"
    )


def test_a_model_of_a_function_is_read_as_pydantic_reads_it() -> None:
    class Word(pydantic.BaseModel):
        text: str

    class Local(pydantic.BaseModel):
        word: "Word"
        title: "Annotated[str | None, css('h1'), pydantic.Field(min_length=1)]"

    ItemKinds([Local])
    word = Word(text="x")
    assert extract(Local, answer(BOOK), word=word) == Local(word=word, title="The Book")


@pytest.mark.parametrize("kind", [Plain, Attrs, Model])
def test_other_kinds_of_items_are_extracted_too(kind: type) -> None:
    assert extract(kind, answer(BOOK)) == kind(title="The Book")
    with pytest.raises(MissingValue, match=rf"{kind.__name__}\.title: nothing for css\('h1'\)"):
        extract(kind, answer(""))


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (Annotated[str, css("a[")], r"not a CSS selector: 'a\['"),
        (Annotated[str, css("a", regex="(")], r"not a regex: '\('"),
        (Annotated[int, css("a", all=True)], "all=True is for a list, or for text"),
        (Annotated[str, css("a", exists=True)], "exists=True is for a field of type bool"),
        (Annotated[Author, css("a", attr="href")], "read from an element, without attr="),
        (Annotated[Author, xpath("//a")], "the element of an item is found by css"),
        (Annotated[list[Annotated[str, css("a")]], css("b")], r"css\('a'\) belongs to the list"),
        (Annotated[tuple[str, int], css("a")], r"a tuple of matches is tuple\[X, \.\.\.\]"),
        (
            Annotated[str, css("a::text")],
            "not a CSS selector: 'a::text'; it takes the text, or attr=",
        ),
        (
            Annotated[dict[str, str], css("table")],
            r"no text becomes a dict; give it: extract\(page, v",
        ),
        (Annotated[list[list[str]], css("table")], "no text becomes a list; give it"),
        (Annotated[str, css], r"expected css\(…\), got css alone"),
        (Annotated[str, css("a"), css("b")], r"one marker, got css\('a'\) and css\('b'\)"),
        (
            Annotated[str, _css("a", languages="de")],
            r"got `str` - at `\$\.languages` of css\('a'\)",
        ),
        (Annotated[str, _css("a", decimal=";")], r"Invalid enum value ';' - at `\$\.decimal`"),
        (
            Annotated[str, _css(1)],
            r"Expected `str \| null`, got `int` - at `\$\.query` of css\(1\)",
        ),
    ],
)
def test_a_mistake_in_an_item_is_told_before_anything_is_crawled(
    annotation: Any, said: str
) -> None:
    kind = msgspec.defstruct("One", [("value", annotation)])
    with pytest.raises(SpiderError, match=rf"item One\.value: .*{said}"):
        ItemKinds([kind])


def test_a_marker_is_no_default() -> None:
    for kind in (
        msgspec.defstruct("One", [("value", str, css("h1"))]),
        dataclasses.make_dataclass("One", [("value", str, css("h1"))]),
        attrs.make_class("One", {"value": attrs.field(type=str, default=css("h1"))}),
        pydantic.create_model("One", value=(str, css("h1"))),
    ):
        with pytest.raises(
            SpiderError, match=r"One\.value: css\('h1'\) is no default; write value: "
        ):
            ItemKinds([kind])


def test_only_a_page_or_a_node_is_extracted_from() -> None:
    for other in ("<h1>x", answer(BOOK).css("h1")):
        with pytest.raises(CallbackError, match="Book: extract takes a page or a node of it, got"):
            Book.extract(other)  # type: ignore[arg-type]  # what is tested


def test_a_mistake_in_an_item_within_an_item_is_told_as_well() -> None:
    inner = msgspec.defstruct("Inner", [("value", Annotated[str, css("a[")])])
    outer = msgspec.defstruct("Outer", [("inner", Annotated[list[inner], css("p")])])  # type: ignore[valid-type]  # made above
    with pytest.raises(SpiderError, match=r"item Inner\.value: not a CSS selector"):
        ItemKinds([outer])
    ItemKinds([Thread, Plain, Attrs, Model, dict])


def test_what_is_no_item_type_is_refused() -> None:
    for kind in (dict, int, list[Book]):
        with pytest.raises(SpiderError, match="extract takes an item type, got"):
            extract(kind, answer(""))


def test_an_item_that_a_page_does_not_have_is_a_line_of_the_failures() -> None:
    class Shop(Spider[Author]):
        start_urls = ["http://a.b/", "http://a.b/none", "http://a.b/bad"]

        async def parse(self, page: Response) -> Out[Author]:
            yield Author.extract(page)

    bodies = {"http://a.b/": "<b>Ann</b>", "http://a.b/bad": "<b>x</b><a href=javascript:0>x</a>"}

    async def serve(request: Any) -> Response:
        return html(request, bodies.get(request.url, ""))

    left = crawl(Shop(), serve)
    assert left.spool.lines["items"] == [b'{"name":"Ann","home":null}']
    failures = [msgspec.json.decode(line) for line in left.spool.lines["failures"]]
    assert sorted((one["kind"], one["reason"].partition(" (test_")[0]) for one in failures) == [
        ("callback", "MissingValue: Author.name: nothing for css('b') on http://a.b/none"),
        (
            "callback",
            "WrongValue: Author.home: expected an http(s) URL, got 'javascript:0' "
            "(css('a', attr='href') on http://a.b/bad)",
        ),
    ]


def test_an_item_costs_no_more_on_a_page_that_has_many() -> None:
    def seconds(items: int) -> float:
        page = answer(f"<p>{'<i>x</i>' * 20}</p>" + "<div><b>n</b><a href=y>z</a></div>" * items)
        return cpu_seconds(lambda: [Author.extract(node) for node in page.css("div")])

    assert_costs(partial(seconds, 4_000), at_most=11, times=partial(seconds, 1_000))


def test_a_marker_shows_itself_as_it_is_written() -> None:
    shown: Mapping[Marker, str] = {
        css(): "css()",
        css("a", attr="href", regex="x"): "css('a', attr='href', regex='x')",
        xpath("//a"): "xpath('//a')",
    }
    for marker, text in shown.items():
        assert str(marker) == text

"""The links of a page."""

from hypothesis import given
from hypothesis import strategies as st

from crawler import urls
from crawler.parse.links import ANCHORS, Link, extract, links_of
from crawler.parse.nodes import parse_html

URL = "http://a.b/c/d?q"


def found(html: str | bytes) -> list[str]:
    return [link.url for link in extract(html, URL)]


def test_links_come_in_document_order() -> None:
    html = "<a href=1>x</a><map><area href=/2></map><p><a href='//x.y'>y</a><a href='?3'>z</a>"
    assert found(html) == ["http://a.b/c/1", "http://a.b/2", "http://x.y/", "http://a.b/c/d?3"]


def test_a_link_knows_its_text_and_its_element() -> None:
    html = "<a href=1>\n Go <b>on</b>\t</a><map><area href=2 alt=x></map>"
    assert extract(html, URL) == [
        Link("http://a.b/c/1", "Go on"),
        Link("http://a.b/c/2", "", tag="area"),
    ]


def test_a_url_is_one_link_with_the_first_text_it_has() -> None:
    html = "<a href=1#a><img></a><a href='./1'>first</a><a href=1#b>second</a>"
    assert extract(html, URL) == [Link("http://a.b/c/1", "first")]


def test_nofollow_counts_if_every_link_says_it() -> None:
    html = (
        "<a href=1 rel=nofollow></a><a href=1></a>"
        "<a href=2></a><a href=2 rel=nofollow></a>"
        "<a href=3 rel='noopener NoFollow'></a><a href=3 rel='ugc\nnofollow'></a>"
        "<a href=4 rel=nofollower></a><a href=5 rel></a>"
    )
    assert [link.nofollow for link in extract(html, URL)] == [False, False, True, False, False]


def test_what_cannot_be_crawled_is_left_out() -> None:
    html = (
        "<a href='javascript:go()'>1</a><a href='mailto:a@b.c'>2</a><a href='tel:1'>3</a>"
        "<a href='data:,x'>4</a><a href='http://['>5</a><a href='ftp://a/'>6</a><a name=x>7</a>"
        "<a href='http://a b/'>8</a><svg><a xlink:href=y>9</a></svg><link href=z>"
        "<template><a href=t>10</a></template><a href=ok>11</a>"
    )
    assert found(html) == ["http://a.b/c/ok"]


def test_white_space_in_hrefs_is_that_of_the_standard() -> None:
    assert found("<a href=' \n1 '></a><a href='2\t\n3'></a><a href='4 5'></a>") == [
        "http://a.b/c/1",
        "http://a.b/c/23",
        "http://a.b/c/4%205",
    ]


def test_an_empty_href_is_the_page_itself() -> None:
    assert found("<a href=''>x</a>") == found("<a href>x</a>") == found("<a href='#y'>x</a>")
    assert found("<a href=''>x</a>") == [URL]


def test_the_base_element_counts_wherever_it_stands() -> None:
    assert found("<a href=1>x</a><base href='/e/'><a href=2>x</a>") == [
        "http://a.b/e/1",
        "http://a.b/e/2",
    ]


def test_entities_in_hrefs_are_characters() -> None:
    assert found("<a href='?a=1&amp;b=2&copy;=3'>x</a>") == ["http://a.b/c/d?a=1&b=2%C2%A9=3"]


def test_bytes_are_decoded_by_what_they_declare() -> None:
    html = "<meta charset=windows-1251><a href=1>да</a>".encode("windows-1251")
    assert extract(html, URL) == [Link("http://a.b/c/1", "да")]


def test_the_page_url_may_be_written_loosely() -> None:
    assert [link.url for link in extract("<a href=x>y", "HTTP://A.b:80#z")] == ["http://a.b/x"]


def test_elements_without_href_are_no_links() -> None:
    tree = parse_html("<p><a href=1>x</a><b>y</b>")
    assert links_of(tree.css("b, p"), URL) == []
    assert len(links_of(tree.css(ANCHORS), URL)) == 1


def test_text_of_nested_links_does_not_grow_with_their_square() -> None:
    nest = "".join(f"<table><td><a href={n}>{'x' * 5_000}" for n in range(100))
    big = extract("<p>" + nest + "y" * 200_000, URL)
    assert len(big) == 100
    assert sum(len(link.text) for link in big) < 5_000_000


@given(st.binary(max_size=200).map(b"<a href='".__add__) | st.binary(max_size=200))
def test_links_are_canonical_whatever_the_page_holds(html: bytes) -> None:
    links = extract(html + b"'>x</a><a href=", URL)
    assert all(urls.canonicalize(link.url) == link.url for link in links)
    assert len({link.url for link in links}) == len(links)

"""What pages say to those who crawl them: robots, canonical, refresh, base."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from multidict import CIMultiDict, CIMultiDictProxy

from crawler import urls
from crawler.parse.directives import STANDARD, page_rules
from crawler.request import Request
from crawler.response import Response
from crawler.settings import Settings
from tests.growth import assert_costs, cpu_seconds

URL = "http://a.b/c/d"
FIVE_LINKS = (
    "<a href=1>x</a><a href=2 rel='x NoFollow'>x</a><a href=3 rel=UGC>x</a>"
    "<area href=4 rel='sponsored noopener'><a href=5 rel=nofollower>x</a>"
)


def page(
    body: str | bytes, headers: Sequence[tuple[str, str]] = (), *, url: str = URL, **rules: object
) -> Response:
    fields = CIMultiDict([("Content-Type", "text/html"), *headers])
    return Response(
        url,
        request=Request(url),
        body=body.encode() if isinstance(body, str) else body,
        headers=CIMultiDictProxy(fields),
        rules=structs.replace(STANDARD, **rules),
    )


def followed(answer: Response) -> list[str]:
    return [request.url.removeprefix("http://a.b/c/") for request in answer.follow_all()]


def meta(content: str, name: str = "robots") -> Response:
    return page(f'<meta name="{name}" content="{content}"><a href=1>x</a>')


@pytest.mark.parametrize(
    "content",
    [
        *("nofollow", "NOFOLLOW", "none", "noindex, nofollow", " noindex ,nofollow "),
        *("index nofollow", "noindex;nofollow", "noindex | nofollow", "max-snippet: 3 nofollow"),
    ],
)
def test_nothing_is_followed_of_a_page_that_says_nofollow(content: str) -> None:
    answer = meta(content)
    assert not [*answer.follow_all(), *answer.follow_all(css="a"), *answer.links()]
    assert [r.url for r in answer.follow_all(["1", answer.css("a")[0]])] == ["http://a.b/c/1"]
    assert answer.follow("1").url == "http://a.b/c/1"


@pytest.mark.parametrize("content", ["", "noindex", "follow", "nofollow-x", "max-snippet:0"])
def test_other_words_let_links_be_followed(content: str) -> None:
    assert followed(meta(content)) == ["1"]


@pytest.mark.parametrize(
    ("name", "links"),
    [("ROBOTS", 0), ("CrawlKeeper", 0), ("googlebot", 1), ("crawlkeeper-images", 1), ("robot", 1)],
)
def test_a_meta_is_for_all_or_for_our_product_token(name: str, links: int) -> None:
    assert len(meta("nofollow", name).follow_all()) == links


def test_the_token_is_that_of_our_user_agent() -> None:
    agent = page_rules(Settings(user_agent="MyBot/2.0 (+http://a.b)")).agent
    body = "<meta name=mybot content=nofollow><a href=1>x</a>"
    assert followed(page(body, agent=agent)) == []
    assert followed(page(body)) == ["1"]


def test_a_meta_in_the_body_counts_one_in_a_script_does_not() -> None:
    assert followed(page("<p>x<meta name=robots content=nofollow><a href=1>x</a>")) == []
    assert followed(page('<script>"<meta name=robots content=none>"</script><a href=1>x')) == ["1"]


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (["noindex"], {"noindex"}),
        (["noindex, NoFollow", "noarchive"], {"noindex", "nofollow", "noarchive"}),
        (["crawlkeeper: nofollow"], {"nofollow"}),
        (["googlebot: nofollow"], set()),
        (["googlebot: nofollow, noindex"], set()),
        (["noarchive, googlebot: nofollow, noindex"], {"noarchive"}),
        (["googlebot: nofollow, crawlkeeper: noindex, noarchive"], {"noindex", "noarchive"}),
        (["googlebot: nofollow", "noindex"], {"noindex"}),
        (["*: none"], {"none"}),
        (
            ["max-snippet:20, max-image-preview : large"],
            {"max-snippet:20", "max-image-preview:large"},
        ),
        (["googlebot: max-snippet:20"], set()),
        (["noindex nofollow"], {"noindex", "nofollow"}),
        (["noindex; nofollow|noarchive"], {"noindex", "nofollow", "noarchive"}),
        (["googlebot: noindex nofollow; none"], set()),
        (["googlebot: noindex crawlkeeper : nofollow none"], {"nofollow", "none"}),
        (["max-foo: 3, nofollow"], {"max-foo:3", "nofollow"}),
        (["noindex max-snippet : -1 nofollow"], {"noindex", "max-snippet:-1", "nofollow"}),
        (["", ",", ":", "a:", ": b"], set()),
    ],
)
def test_headers_may_be_several_lists_and_for_one_agent(headers: list[str], said: set[str]) -> None:
    tags = [("X-Robots-Tag", header) for header in headers]
    assert page("", tags).directives == said


@pytest.mark.parametrize(
    ("date", "is_past"),
    [
        ("25 Jun 2010 15:00:00 PST", True),
        ("Friday, 25-Jun-10 15:00:00 UTC", True),
        ("Fri, 25 Jun 2010 15:00:00 GMT", True),
        ("2010-06-25T15:00:00+02:00", True),
        ("2010-06-25", True),
        ("2999-06-25", False),
        ("25 Jun 2999 15:00:00 GMT", False),
        ("soon", False),
        ("", False),
    ],
)
def test_what_was_available_until_a_day_gone_by_is_noindex(date: str, is_past: bool) -> None:
    now = ("Date", "Thu, 26 Nov 2020 16:00:00 GMT")
    tagged = page("", [now, ("X-Robots-Tag", f"unavailable_after: {date}, nosnippet")])
    assert ("noindex" in tagged.directives) == is_past
    assert "nosnippet" in tagged.directives
    said = page(f'<meta name=robots content="unavailable_after: {date}">', [now])
    assert ("noindex" in said.directives) == is_past
    ours = f"crawlkeeper: unavailable_after : {date}; nosnippet"
    assert ("noindex" in page("", [now, ("X-Robots-Tag", ours)]).directives) == is_past
    undated = page(f'<meta name=robots content="unavailable_after: {date}">')
    assert "noindex" not in undated.directives


def test_headers_count_for_what_is_not_html() -> None:
    tags = [("Content-Type", "application/json"), ("X-Robots-Tag", "noindex")]
    answer = Response(
        URL, request=Request(URL), body=b"{}", headers=CIMultiDictProxy(CIMultiDict(tags))
    )
    assert answer.directives == {"noindex"}


def test_links_that_the_page_does_not_vouch_for_are_not_followed() -> None:
    answer = page(FIVE_LINKS)
    assert followed(answer) == ["1", "5"]
    by_selector = [request.url[-1] for request in answer.follow_all(css="a, area")]
    assert by_selector == ["1", "5"]
    assert [link.url[-1] for link in answer.links()] == ["1", "2", "3", "4", "5"]
    assert [link.nofollow for link in answer.links()] == [False, True, False, False, False]
    assert len(answer.follow_all(answer.css("a"))) == 4


def test_one_link_that_it_vouches_for_is_enough() -> None:
    assert followed(page("<a href=1 rel=nofollow>x</a><a href=1>x</a>")) == ["1"]


def test_rules_that_are_off_are_not_kept_to() -> None:
    assert len(followed(page(FIVE_LINKS, nofollow=False))) == 5
    assert len(page(FIVE_LINKS, nofollow=False).follow_all(css="a")) == 4
    body = "<meta name=robots content=none><base href=/e/><a href=1>x</a>"
    free = page(body, robots=False, base=False)
    assert followed(free) == ["1"]
    assert "none" in free.directives


HEAD_LINK = '<link rel="canonical" href="{}">'


@pytest.mark.parametrize(
    ("body", "canonical"),
    [
        (HEAD_LINK.format("/x"), "http://a.b/x"),
        ('<LINK REL="x Canonical" HREF=" x#y ">', "http://a.b/c/x"),
        ("<base href=/e/>" + HEAD_LINK.format("x"), "http://a.b/e/x"),
        (HEAD_LINK.format("/x") * 3, "http://a.b/x"),
        (HEAD_LINK.format("/x") + HEAD_LINK.format("http://A.b:80/x"), "http://a.b/x"),
        (HEAD_LINK.format("/x") + HEAD_LINK.format("/y"), None),
        (HEAD_LINK.format("/x") + HEAD_LINK.format("http://["), None),
        (HEAD_LINK.format(""), None),
        ("<link rel=canonical>", None),
        (HEAD_LINK.format("javascript:x"), None),
        (HEAD_LINK.format("file:///etc/passwd"), None),
        ("<body><p>x</p>" + HEAD_LINK.format("/x"), None),
        ("<link rel=canonicals href=/x><link rel=alternate href=/y>", None),
        ("<!-- " + HEAD_LINK.format("/x") + "-->", None),
    ],
)
def test_the_canonical_url_is_the_one_that_the_head_names(body: str, canonical: str | None) -> None:
    assert page(body).canonical == canonical


@pytest.mark.parametrize(
    ("headers", "canonical"),
    [
        (['<http://x.y/>; rel="canonical"'], "http://x.y/"),
        (["</x>;rel=Canonical"], "http://a.b/x"),
        (['<a>; rel=next, <b>; title="a, b; c"; rel="x canonical"'], "http://a.b/c/b"),
        (["<a>; rel=next", "<b>; rel=canonical"], "http://a.b/c/b"),
        (["<a>; rel=canonical", "<b>; rel=canonical"], None),
        (["<a>; rel=next; rel=canonical"], None),
        (['<a>; rel=canonical; anchor="/other"'], None),
        (["<a; rel=canonical", "a; rel=canonical", "<<<<", "<a>; title=canonical"], None),
    ],
)
def test_a_link_header_may_name_it(headers: list[str], canonical: str | None) -> None:
    pairs = [("Link", header) for header in headers]
    # RFC 8288 3.2: against the document's own URL.
    assert page("<base href=/e/>", pairs).canonical == canonical


def test_element_and_header_have_to_agree() -> None:
    header = [("Link", "</x>; rel=canonical")]
    assert page(HEAD_LINK.format("/x"), header).canonical == "http://a.b/x"
    assert page(HEAD_LINK.format("/y"), header).canonical is None


def test_a_canonical_url_is_followed_as_a_link_of_the_whole_page_is() -> None:
    answer = page(HEAD_LINK.format("/x") + "<a href=1>x</a><p><a href=2>y</a>")
    assert followed(answer) == ["1", "2", "http://a.b/x"]
    assert [r.url for r in answer.follow_all(css="p a")] == ["http://a.b/c/2"]
    assert followed(page(HEAD_LINK.format("https://a.b/c/d"))) == []
    assert followed(page(HEAD_LINK.format("/x"), canonical="ignore")) == []
    assert followed(page(HEAD_LINK.format("/x") + "<meta name=robots content=nofollow>")) == []


@pytest.mark.parametrize(
    ("content", "target"),
    [
        ("0; url=/x", "http://a.b/x"),
        ("0;URL='/x'", "http://a.b/x"),
        ('0;url="/x"junk', "http://a.b/x"),
        ("0;url='/x", "http://a.b/x"),
        ("0,/x", "http://a.b/x"),
        ("0 /x", "http://a.b/x"),
        ("0 ; url = /x", "http://a.b/x"),
        ("  1.5.7;url=x", "http://a.b/c/x"),
        (".5; url=x", "http://a.b/c/x"),
        ("0; u=x", "http://a.b/c/u=x"),
        ("0; urlx", "http://a.b/c/urlx"),
        ("10;url=x", "http://a.b/c/x"),
        ("11;url=x", None),
        ("99999999999999999999999999999999999;url=x", None),
        ("0", None),
        ("0;", None),
        ("0; url=", None),
        ("0; url=#top", None),
        ("0; url=http://a.b/c/d", None),
        ("url=/x", None),
        ("; url=/x", None),
        ("-1; url=/x", None),
        ("0x; url=/x", None),
        ("", None),
        ("0; url=javascript:x", None),
        ("0; url=data:text/html,x", None),
        ("0; url=http://[", None),
        ("0; url=" + "x" * 20_000, None),
        ("0" * 10_001, None),
    ],
)
def test_a_refresh_is_read_as_browsers_do(content: str, target: str | None) -> None:
    text = content.replace('"', "&quot;")
    assert page(f'<meta http-equiv=Refresh content="{text}">').refresh == target
    assert page("", [("Refresh", content)]).refresh == target


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ("<base href=/e/><meta http-equiv=refresh content='0;url=x'>", "http://a.b/e/x"),
        ("<noscript><meta http-equiv=refresh content='0;url=x'></noscript>", None),
        ("<p><noscript><b><meta http-equiv=refresh content='0;url=x'></noscript>", None),
        ("<!-- <meta http-equiv=refresh content='0;url=x'> -->", None),
        ("<script>'<meta http-equiv=refresh content=0;url=x>'</script>", None),
        ("<template><meta http-equiv=refresh content='0;url=x'></template>", None),
        ("<p>x<meta http-equiv=REFRESH content='0;url=x'>", "http://a.b/c/x"),
        (
            "<meta http-equiv=refresh content=junk><meta http-equiv=refresh content='0;url=x'>"
            "<meta http-equiv=refresh content='0;url=y'>",
            "http://a.b/c/x",
        ),
        (
            "<meta http-equiv=refresh content='60'><meta http-equiv=refresh content='0;url=y'>",
            None,
        ),
        ("<meta name=refresh content='0;url=x'>", None),
        ("<meta name=x http-equiv=refresh content='0;url=x'>", "http://a.b/c/x"),
        ("<meta http-equiv=refresh>", None),
    ],
)
def test_the_first_refresh_counts_where_a_reader_sees_it(body: str, target: str | None) -> None:
    assert page(body).refresh == target


def test_a_refresh_that_is_off_or_far_down_is_none() -> None:
    body = "<meta http-equiv=refresh content='0;url=x'>"
    assert page(body, refresh=False).refresh is None
    assert page("", [("Refresh", "0;url=x")], refresh=False).refresh is None
    assert page(f"<!--{'x' * 10_000}-->{body}").refresh is None


@pytest.mark.parametrize(
    ("body", "base"),
    [
        ("<base href=/e/>", "http://a.b/e/"),
        ("<base target=x><base href=/e/><base href=/f/>", "http://a.b/e/"),
        ("<base href='http://['><base href=/f/>", URL),
        ("<base href='data:text/html,x'>", URL),
        ("<base href='javascript:x'>", URL),
        ("<base href='file:///c:/site/'>", URL),
        ("<base href=''>", URL),
        ("<base href>", URL),
        ("<base href='//evil.example/x/'>", "http://evil.example/x/"),
        ("<p>x<base href=/e/>", "http://a.b/e/"),
        ("<BASE HREF='?q#f'>", URL + "?q"),
        ("<base href=/e/>" * 50_000, "http://a.b/e/"),
    ],
)
def test_the_first_base_counts_unless_it_is_none(body: str, base: str) -> None:
    assert page(body).base == base
    assert page(body, base=False).base == URL


HOSTILE = {
    "metas": "<meta name=robots content=none>",
    "contents": "<meta name=robots content='" + ",;: " * 20 + "'>",
    "refreshes": "<noscript><meta http-equiv=refresh content='0;url=x'></noscript>",
    "deep": "<div><meta http-equiv=refresh content=x>",
    "canonicals": "<link rel=canonical href=/x>",
    "bases": "<base href=//x.y>",
    "rels": "<a href=x rel='" + "nofollo " * 20 + "'>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_work_grows_with_the_page_not_with_its_square(name: str) -> None:
    def seconds(size: int) -> float:
        answer = page("<!-- refresh -->" + HOSTILE[name] * (size // len(HOSTILE[name])))
        _ = answer.tree

        def read() -> None:
            _ = answer.directives, answer.refresh, answer.canonical, answer.base
            answer.follow_all()

        return cpu_seconds(read)

    assert_costs(lambda: seconds(800_000), at_most=24, times=lambda: seconds(100_000), slack=0.005)


def test_ten_refreshes_are_looked_at_whoever_they_are_for() -> None:
    unseen = "<noscript><meta http-equiv=refresh content='0;url=x'></noscript>"
    seen = "<meta http-equiv=refresh content='0;url=/y'>"
    assert page(unseen * 9 + seen).refresh == "http://a.b/y"
    assert page(unseen * 10 + seen).refresh is None


def test_refreshes_for_no_script_cost_the_same_however_deep() -> None:
    def seconds(depth: int) -> float:
        metas = "<meta http-equiv=refresh content=1>" * 9_000
        answer = page(f"<body><meta><!--refresh--><noscript>{'<div>' * depth}{metas}")
        _ = answer.tree
        taken = cpu_seconds(lambda: answer.refresh)
        assert answer.refresh is None
        return taken

    assert_costs(lambda: seconds(900), at_most=8, times=lambda: seconds(9), slack=0.005)


def test_a_page_gives_a_hundred_directives_and_ten_canonical_urls_at_most() -> None:
    dates = ",".join(f"unavailable_after:{day}" for day in range(2_000))
    assert len(page(f"<meta name=robots content='{dates}'>" * 2).directives) <= 100
    words = [f"<meta name=robots content='x{n}'>" for n in range(200)]
    assert page("".join(words)).directives == {f"x{n}" for n in range(100)}
    links = "".join(HEAD_LINK.format(f"/x#{n}") for n in range(10))
    assert page(links).canonical == "http://a.b/x"
    assert page(links.replace("/x#9", "/y")).canonical is None


@pytest.mark.parametrize("content", [",", "unavailable_after: 2020-01-01,", "x ", "fri,"])
def test_only_the_beginning_of_a_robots_meta_is_read(content: str) -> None:
    def seconds(size: int) -> float:
        answer = page(f"<meta name=robots content='{content * (size // len(content))}'>")
        _ = answer.tree
        return cpu_seconds(lambda: answer.directives)

    assert_costs(lambda: seconds(1_600_000), at_most=8, times=lambda: seconds(100_000), slack=0.001)


@given(st.text(max_size=60) | st.text("0123456789;,.url='\" \t/x", max_size=30))
def test_nothing_is_too_strange_to_be_a_directive(text: str) -> None:
    try:
        fields = [(name, text) for name in ("Refresh", "Link", "X-Robots-Tag")]
        text.encode()
    except UnicodeEncodeError:
        return
    answer = page(
        "".join(
            f'<{start}="{text.replace(chr(34), "&quot;")}">'
            for start in (
                "meta name=robots content",
                "meta http-equiv=refresh content",
                "link rel=canonical href",
                "base href",
            )
        ),
        fields,
    )
    assert all(one == one.lower() for one in answer.directives)
    for url in (answer.refresh, answer.canonical, answer.base):
        assert url is None or urls.canonicalize(url) == url

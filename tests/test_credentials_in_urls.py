"""User and password in a URL go nowhere: not into a request, a link, a file, a message."""

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from crawler import urls
from crawler.errors import InvalidUrl, SpiderError
from crawler.meaning import meaning_of
from crawler.parse import links, sitemaps
from crawler.request import Request
from crawler.response import Response
from crawler.rules.hops import hop
from crawler.rules.robots import Robots
from crawler.rules.scope import Scope
from crawler.settings import Settings
from crawler.spider import Spider

SECRET = "http://me:secret@a.example/x?y=@"
CLEAN = "http://a.example/x?y=@"


def page(body: str = "", *, status: int = 200, **headers: str) -> Response:
    fields = CIMultiDict({"Content-Type": "text/html", **headers})
    return Response(
        "http://b.example/",
        request=Request("http://b.example/"),
        status=status,
        body=body.encode(),
        headers=CIMultiDictProxy(fields),
    )


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        (SECRET, CLEAN),
        ("http://me@a.example:81/", "http://a.example:81/"),
        ("http://me:se@cret@a.example/", "http://a.example/"),
        ("http:\\\\me:secret@a.example\\x", "http://a.example/x"),
        ("https://:secret@[::1]/", "https://[::1]/"),
        ("http://a.example/@me:secret@x", "http://a.example/@me:secret@x"),
    ],
)
def test_a_request_has_none(written: str, clean: str) -> None:
    assert Request(written).url == clean
    assert Request(URL(written, encoded=True)).url == clean
    assert urls.canonicalize(clean) == clean


def test_links_have_none() -> None:
    answer = page(f'<a href="{SECRET}">a</a><a href="//me:secret@b.example/z">b</a>')
    found = [CLEAN, "http://b.example/z"]
    assert [link.url for link in answer.links()] == found
    assert [request.url for request in answer.follow_all()] == found
    assert [request.url for request in answer.follow_all(answer.css("a"))] == found
    assert answer.follow(answer.css("a")[0]).url == CLEAN
    assert answer.follow(SECRET).url == CLEAN
    assert answer.follow_all([SECRET, URL(SECRET)])[0].url == CLEAN
    assert [link.url for link in links.extract("<a href=z>", "http://me:secret@b.example/")] == [
        "http://b.example/z"
    ]


def test_a_base_gives_none_away() -> None:
    answer = page('<base href="http://me:secret@a.example/"><a href=x>x</a>')
    assert answer.base == "http://a.example/"
    assert [link.url for link in answer.links()] == ["http://a.example/x"]


def test_a_form_has_none() -> None:
    answer = page('<form action="http://me:secret@a.example/x"><input name=q></form>')
    form = answer.form()
    assert form is not None
    assert form.url == "http://a.example/x"


def test_a_redirect_has_none() -> None:
    answer = page(status=302, Location=SECRET)
    target = hop(answer)
    assert target is not None
    assert target.url == CLEAN


def test_sitemaps_have_none() -> None:
    listed = f"<urlset><url><loc>{SECRET}</loc></url></urlset>".encode()
    assert [entry.url for entry in sitemaps.parse(listed).entries] == [CLEAN]
    assert list(Robots.parse(f"Sitemap: {SECRET}".encode()).sitemaps) == [CLEAN]


@pytest.mark.parametrize(
    "text",
    [
        "http://me:secret@[/",
        "http:me:secret@[",
        "http:\\\\me:secret@[",
        " hTTp:/me:secret@[",
        "//me:secret@",
        "ftp://me:secret@a.example/",
        "http://me:sec/ret@a.example/",
        "http://me:@secret@a b/",
        "file://me:secret@/etc/passwd",
    ],
)
def test_an_error_hides_them(text: str) -> None:
    for refused in (
        lambda: urls.canonicalize(text),
        lambda: urls.join("https://a.example/", text + "["),
        lambda: Request(text),
    ):
        with pytest.raises(InvalidUrl) as error:
            refused()
        assert "sec" not in str(error.value)
        assert "sec" not in error.value.url
        assert "***@" in error.value.url


def test_an_error_shows_what_is_no_password() -> None:
    with pytest.raises(InvalidUrl, match=r"'mailto:me@a\.example'"):
        urls.canonicalize("mailto:me@a.example")


def test_hiding_takes_linear_time() -> None:
    for text in ("@" + "/" * 1_000_000, "/" * 1_000_000 + "@", "http:@" * 200_000):
        with pytest.raises(InvalidUrl):
            urls.canonicalize(text + "[")


def test_what_a_run_remembers_of_its_seeds_has_none() -> None:
    class Seeded(Spider[object]):
        start_urls = (SECRET,)

    meaning = meaning_of(Seeded(), Settings(), None)
    assert meaning["start_urls"] == [CLEAN]


def test_a_prefix_has_none() -> None:
    scope = Scope(prefixes=["http://me:secret@a.example/x"])
    assert scope.refusal(CLEAN) is None
    with pytest.raises(SpiderError) as error:
        Scope(prefixes=["http://me:secret@"])
    assert "secret" not in str(error.value)

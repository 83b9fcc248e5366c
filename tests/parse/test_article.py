import datetime
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from crawler import Article, Item
from crawler.request import Request
from crawler.response import Response

DOCS = Path("/usr/share/doc/python3-doc/html")
URL = "https://a.example/news/page.html"
WORDS = "This is a sentence with quite a few words in it, of which nobody will read all. " * 4
STORY = f"""<html lang="en"><head><title>A story | The Site</title>
<meta name=author content="Jo Doe">
<meta property="article:published_time" content="2024-01-31T10:00:00Z"><meta property="og:site_name"
content="The Site"><meta name=description content="Short">
<meta property="og:image" content="/a.png">
</head><body><nav><a href=/>Home</a> <a href=/x>Everything else</a></nav><article><h1>A story</h1>
<p>First <b>bold</b> words. {WORDS}</p><ul><li>one thing</li><li>another</li></ul><p>{WORDS}</p>
</article><footer>All rights reserved, cookies, imprint</footer></body></html>"""


def page(body: bytes | str, mime: str = "text/html; charset=utf-8") -> Response:
    headers = CIMultiDictProxy(CIMultiDict({"Content-Type": mime}))
    content = body.encode() if isinstance(body, str) else body
    return Response(URL, request=Request(URL), body=content, headers=headers)


def test_the_main_text_is_found_and_what_the_page_says_of_it() -> None:
    found = page(STORY).article()
    assert found is not None
    assert found.text.startswith("A story\nFirst bold words. This is")
    assert found.markdown.startswith("# A story\n\nFirst **bold** words. This is")
    assert "- one thing\n- another" in found.text
    assert "Home" not in found.text
    assert "imprint" not in found.text
    assert (found.title, found.author, found.site) == ("A story", "Jo Doe", "The Site")
    assert (found.description, found.language) == ("Short", "en")
    assert found.date == datetime.date(2024, 1, 31)
    assert found.image == "https://a.example/a.png"


def test_an_article_may_be_a_field_of_an_item() -> None:
    class Page(Item):
        article: Article | None

    one = Page(article=page(STORY).article())
    assert msgspec.json.decode(msgspec.json.encode(one), type=Page) == one


@pytest.mark.parametrize(
    ("body", "mime"),
    [
        ("", "text/html"),
        ("<html><body></body></html>", "text/html"),
        ("<img src=a.png>", "text/html"),
        ('{"a": "<p>text"}', "application/json"),
        (b"\0\1<p>" * 99, "text/html"),
        ("<b>" * 100_000, "text/html"),
    ],
)
def test_a_page_without_a_main_text_has_no_article(body: str | bytes, mime: str) -> None:
    assert page(body, mime).article() is None


@pytest.mark.parametrize(
    ("mime", "encoding"),
    [("text/html; charset=windows-1251", "cp1251"), ("text/html", "utf-16")],
)
def test_articles_of_other_encodings_are_read(mime: str, encoding: str) -> None:
    words = "Это предложение, в котором довольно много слов, и никто их все не прочтёт. " * 5
    found = page(
        f"<title>Т</title><article><p>{words}</p></article>".encode(encoding), mime
    ).article()
    assert found is not None
    assert found.text == words.strip()


def test_a_page_that_takes_too_long_is_given_up_and_the_next_one_is_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    began = time.monotonic()
    hostile = page(("<div>x" * 200 + "</div>" * 200) * 45)  # 100 kB, 20 s
    assert hostile.article(seconds=0.5) is None
    assert time.monotonic() - began < 20
    assert f"no main text, as it takes too much: {URL}" in caplog.text
    found = page(STORY).article()
    assert found is not None
    assert found.title == "A story"


def test_threads_take_turns() -> None:
    with ThreadPoolExecutor(4) as threads:
        titles = [f"Story {number}" for number in range(12)]
        pages = [page(STORY.replace("A story", title)) for title in titles]
        found = list(threads.map(Response.article, pages))
    assert [one and one.title for one in found] == titles


@pytest.mark.skipif(not DOCS.exists(), reason="needs Debian's python3-doc")
def test_the_text_of_a_real_page_is_found() -> None:
    real = page((DOCS / "library" / "fractions.html").read_bytes())
    found = real.article()
    assert found is not None
    assert "A Fraction instance can be constructed from a pair of integers" in found.text
    assert "Previous topic" not in found.text

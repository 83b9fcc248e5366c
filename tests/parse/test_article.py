import asyncio
import datetime
import time
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
HOSTILE = ("<div>x" * 200 + "</div>" * 200) * 45  # 100 kB, 20 s


def page(body: bytes | str, mime: str = "text/html; charset=utf-8") -> Response:
    headers = CIMultiDictProxy(CIMultiDict({"Content-Type": mime}))
    content = body.encode() if isinstance(body, str) else body
    return Response(URL, request=Request(URL), body=content, headers=headers)


async def test_the_main_text_is_found_and_what_the_page_says_of_it() -> None:
    found = await page(STORY).article()
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


async def test_an_article_may_be_a_field_of_an_item() -> None:
    class Page(Item):
        article: Article | None

    one = Page(article=await page(STORY).article())
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
async def test_a_page_without_a_main_text_has_no_article(body: str | bytes, mime: str) -> None:
    assert await page(body, mime).article() is None


@pytest.mark.parametrize(
    ("mime", "encoding"),
    [("text/html; charset=windows-1251", "cp1251"), ("text/html", "utf-16")],
)
async def test_articles_of_other_encodings_are_read(mime: str, encoding: str) -> None:
    words = "Это предложение, в котором довольно много слов, и никто их все не прочтёт. " * 5
    found = await page(
        f"<title>Т</title><article><p>{words}</p></article>".encode(encoding), mime
    ).article()
    assert found is not None
    assert found.text == words.strip()


async def test_a_page_that_takes_too_long_is_given_up_and_the_next_one_is_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    began = time.monotonic()
    hostile = page(HOSTILE)
    assert await hostile.article(seconds=0.5) is None
    assert time.monotonic() - began < 20
    assert f"no main text, as it takes too much: {URL}" in caplog.text
    found = await page(STORY).article()
    assert found is not None
    assert found.title == "A story"


async def test_a_tree_far_larger_than_its_page_has_no_article(
    caplog: pytest.LogCaptureFixture,
) -> None:
    repeated = f"<p><b a='{'x' * 400_000}'>" + f"<p>{WORDS}" * 150
    assert await page(repeated).article() is None
    assert f"no main text, as it takes too much: {URL}" in caplog.text


async def test_pages_take_turns_while_the_loop_goes_on() -> None:
    titles = [f"Story {number}" for number in range(12)]
    pages = [page(STORY.replace("A story", title)) for title in titles]
    finding = asyncio.gather(*(one.article() for one in pages))
    turns = 0
    while not finding.done():
        await asyncio.sleep(0)
        turns += 1
    assert [one and one.title for one in await finding] == titles
    assert turns > 20


async def test_what_nobody_waits_for_any_more_holds_up_no_other_page() -> None:
    await page(STORY).article()  # its process is there
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await asyncio.gather(page(HOSTILE).article(seconds=60), page(STORY).article())
    found = await page(STORY).article()
    assert found is not None
    assert time.monotonic() - begun < 20


@pytest.mark.skipif(not DOCS.exists(), reason="needs Debian's python3-doc")
async def test_the_text_of_a_real_page_is_found() -> None:
    real = page((DOCS / "library" / "fractions.html").read_bytes())
    found = await real.article()
    assert found is not None
    assert "A Fraction instance can be constructed from a pair of integers" in found.text
    assert "Previous topic" not in found.text

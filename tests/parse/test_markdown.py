import asyncio
import time
from pathlib import Path

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from crawler.errors import MissingValue
from crawler.request import Request
from crawler.response import Response

DOCS = Path("/usr/share/doc/python3-doc/html")
URL = "https://a.example/docs/page.html"


def page(body: bytes | str, mime: str = "text/html; charset=utf-8") -> Response:
    headers = CIMultiDictProxy(CIMultiDict({"Content-Type": mime}))
    content = body.encode() if isinstance(body, str) else body
    return Response(URL, request=Request(URL), body=content, headers=headers)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>T</h1><p>a <b>b</b><br>c", "# T\n\na **b**  \nc\n"),
        ("<ul><li>a<ul><li>b</ul><li>c</ul>", "- a\n  - b\n- c\n"),
        ("<ol start=3><li>x<li>y</ol>", "3. x\n4. y\n"),
        (
            "<table><tr><th>a<th>b<tr><td>1|2<td>a long one</table>",
            "| a | b |\n| --- | --- |\n| 1\\|2 | a long one |\n",
        ),
        ("<pre><code class='language-c'>int x;\n</code></pre>", "```c\nint x;\n```\n"),
        ("<p># no heading<p>- no list", "\\# no heading\n\n\\- no list\n"),
        ("<title>T</title><script>bad()</script><style>p{}</style><p>hi", "hi\n"),
        ("<img src='data:image/png;base64,AAAA' alt=pic>", "pic\n"),
        ("", ""),
    ],
)
async def test_html_becomes_markdown(html: str, text: str) -> None:
    assert await page(html).markdown() == text


async def test_urls_are_whole_and_base_counts_once() -> None:
    body = "<a href='../x.html'>x</a> <img src=/i.png alt=i> <a href=mailto:a@b.c>m</a>"
    assert await page(body).markdown() == (
        "[x](https://a.example/x.html) ![i](https://a.example/i.png) [m](mailto:a@b.c)\n"
    )
    based = page("<head><base href='sub/'></head><a href=x>x</a>")
    assert await based.markdown() == "[x](https://a.example/docs/sub/x)\n"


async def test_a_selector_takes_the_first_element_it_finds() -> None:
    two = page("<nav>menu</nav><main><h2>One</h2></main><main>two</main>")
    assert await two.markdown("main") == "## One\n"
    with pytest.raises(MissingValue, match=r"'aside' on https://a\.example"):
        await two.markdown("aside")


async def test_what_is_not_html_has_no_markdown() -> None:
    assert await page('{"a": "<b>"}', "application/json").markdown() == ""
    assert await page(b"\0\1\2<p>", "text/html").markdown() == ""


@pytest.mark.parametrize(
    ("mime", "encoding"),
    [
        ("text/html; charset=windows-1251", "cp1251"),
        ("text/html; charset=shift_jis", "shift_jis"),
        ("text/html", "utf-16"),
    ],
)
async def test_pages_of_other_encodings_are_read(mime: str, encoding: str) -> None:
    word = "日本語" if encoding == "shift_jis" else "Привет, мир"
    assert await page(f"<h1>{word}</h1>".encode(encoding), mime).markdown() == f"# {word}\n"


NESTED = ["div", "blockquote", "ul><li", "table><tr><td", "b", "a href=x", "dl><dd", "pre"]


@pytest.mark.parametrize("tags", NESTED)
@pytest.mark.parametrize("number", [900, 10_000])
async def test_what_is_nested_without_end_ends(tags: str, number: int) -> None:
    began = time.process_time()
    await page(f"<{tags}>" * number + "x").markdown()
    assert time.process_time() - began < 3


# Each would take the converter five seconds, or hundreds of megabytes, if it were as long as 2 MB.
@pytest.mark.parametrize(
    "html",
    [
        pytest.param("<b>" * 100_000, id="a knot"),
        pytest.param("<pre>" * 1_000, id="pre"),
        pytest.param(f"<p><b a='{'x' * 400_000}'>" + "<p>y" * 150, id="an attribute in each"),
        pytest.param("<div>" * 600, id="deeper than the converter goes"),
        pytest.param("<blockquote>" * 100 + "x<br>" * 30_000, id="quoted breaks"),
        pytest.param("<blockquote>" * 100 + "<pre>" + "x\n" * 90_000, id="quoted lines"),
        pytest.param("<ul><li>" * 100 + "<pre>" + "x\n" * 90_000, id="listed lines"),
        pytest.param("<em>" * 400 + "<p>x</p>" * 3_000, id="emphasis"),
        pytest.param(
            "<blockquote><!--</blockquote>-->" * 99 + "<pre>" + "\n" * 90_000, id="comment"
        ),
        pytest.param(
            "<blockquote><p a='</blockquote>'></p>" * 99 + "<pre>" + "\n" * 90_000, id="attribute"
        ),
        pytest.param(
            "<blockquote><script></blockquote></script>" * 99 + "<pre>" + "\n" * 90_000, id="script"
        ),
        pytest.param("<table><tr>" + "<td>x" * 40_000 + "<tr><td>y" * 9_000, id="a wide row"),
        pytest.param("<table>" + "<tr><td colspan=9999999>x" * 6_000, id="wide cells"),
    ],
)
async def test_what_would_take_too_much_is_not_converted(
    html: str, caplog: pytest.LogCaptureFixture
) -> None:
    began = time.process_time()
    assert await page(html).markdown() == ""
    assert time.process_time() - began < 2
    assert "takes too much: https://a.example/docs/page.html" in caplog.text


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("<p>some words, and <a href=x>a link</a></p>\n" * 20_000, id="1 MB"),
        pytest.param("<table>" + "<tr><td>1<td>2<td colspan=2>3</tr>\n" * 9_000, id="table"),
        pytest.param("<ul>" + "<li><ul><li>x</ul>\n" * 9_000 + "</ul>", id="lists"),
        pytest.param("<blockquote>" * 8 + "<p>x\n" * 9_000, id="a long thread"),
        pytest.param("<div>" * 400 + "<p>x", id="deep"),
        pytest.param("<font color=red>" * 200 + "<p>x", id="never closed"),
    ],
)
async def test_what_is_merely_large_is_converted(html: str) -> None:
    assert len(await page(html).markdown()) > 1


async def test_the_loop_goes_on_while_a_large_page_is_converted() -> None:
    large = page("<p>x" * 30_000)
    large.prepare()
    converting = asyncio.create_task(large.markdown())
    turns = 0
    while not converting.done():
        await asyncio.sleep(0)
        turns += 1
    assert len(await converting) > 30_000
    assert turns > 20


async def test_a_tag_with_an_odd_attribute_counts() -> None:
    quoted = page('<blockquote a"b=c>' * 99 + "<pre>" + "x\n" * 90_000)
    assert await quoted.markdown() == ""
    plain = page("<p a\"b='<blockquote>'>x" + "<pre>" + "x\n" * 90_000)
    assert len(await plain.markdown()) > 90_000


@pytest.mark.skipif(not DOCS.exists(), reason="needs Debian's python3-doc")
async def test_real_pages_keep_their_headings_code_and_links() -> None:
    source = DOCS / "library" / "fractions.html"
    url = "https://docs.python.org/3/library/fractions.html"
    real = Response(url, request=Request(url), body=source.read_bytes())
    text = await real.markdown("div.body")
    assert text.startswith(
        "# [`fractions`](https://docs.python.org/3/library/fractions.html#module"
    )
    assert "numbers.html#numbers.Rational" in text
    assert "```\n>>> from fractions import Fraction" in text
    assert "<div" not in text

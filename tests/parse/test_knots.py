"""Documents that would take a parser minutes or gigabytes are told from long ones."""

from collections.abc import Callable, Iterator
from itertools import chain, repeat

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from crawler.parse.knots import is_knotted
from crawler.request import Request
from crawler.response import Response

MOST = 2_000_000  # `html_bytes`


def numbered(pattern: bytes, number: int) -> bytes:
    return b"".join(pattern % n for n in range(number))


KNOTS: dict[str, Callable[[int], bytes]] = {
    "div": lambda n: b"<div>" * n,
    "in-capitals": lambda n: b"<DIV\n>" * n,
    "with-false-ends": lambda n: b"<div></p></x-y>" * n,
    "ends-first": lambda n: b"</div>" * (n // 2) + b"<div>" * (n // 2),
    "lists": lambda n: b"<ul><li>" * n,
    "options": lambda n: b"<select>" + b"<option>a" * n,
    "options-ended": lambda n: b"<SELECT>" + b"<Option>a</option>" * n + b"</select>",
    "formatting": lambda n: numbered(b"<p><b id=%d></p>", n),
    "fonts": lambda n: numbered(b"<p><FONT size=%d></p>", n),
    "formatting-in-turn": lambda n: numbered(b"<i a=%d><code/b><strong\nc>", n) + b"<p>x</p>" * n,
    "blocks-left-open-by-formatting": lambda n: b"<b><div></b>" * n,
    "blocks-left-open-by-forms": lambda n: b"<form><div></form>" * n,
    "attributes": lambda n: b"<p " + numbered(b"a%d=1 ", n) + b">",
    "attributes-without-blanks": lambda n: b"<p " + numbered(b"a%d='<>'", n) + b">",
    "attributes-between-slashes": lambda n: b"<p/" + numbered(b"a%d/", n) + b">",
}
LONG: dict[str, Callable[[int], bytes]] = {
    "divs": lambda n: b"<div><p class='a'>x<br><b class='c'>y</b></p></div>\n" * n,
    "paragraphs-left-open": lambda n: b"<p>more text" * n,
    "entries-left-open": lambda n: b"<ul>" + b"<li>entry <a href='x'>y</a>" * n + b"</ul>",
    "cells-left-open": lambda n: b"<table>" + b"<tr><td>a<td>b\n" * n + b"</table>",
    "selects": lambda n: (b"<select>" + b"<option>a</option>" * 500 + b"</select>") * (n // 500),
    "breaks": lambda n: b"line<br>\n" * n,
    "spans": lambda n: b"<span class='k'>def</span> <code class='x'>y</code>\n" * n,
    "misnested": lambda n: b"<font><div>x</font></div><form><table><tr></form></table>\n" * n,
    "script": lambda n: b"<script>" + b"write('<div><b>');\n" * (n // 200) + b"</script>",
    "text": lambda n: b"<p>" + b"word 'quoted' a=b\n" * n,
    "data": lambda n: b"<img src='data:;base64," + b"QUJD" * n + b"'>",
    "comparisons": lambda n: b"if a < b and c < d: print('e')\n" * n,
}


@pytest.mark.parametrize("kind", KNOTS)
@pytest.mark.parametrize("number", [30_000, 300_000])
def test_a_knot_is_seen(kind: str, number: int) -> None:
    assert is_knotted(KNOTS[kind](number)[:MOST])


@pytest.mark.parametrize("kind", LONG)
@pytest.mark.parametrize("number", [100, 3_000, 30_000, 300_000])
def test_a_long_document_is_none(kind: str, number: int) -> None:
    assert not is_knotted(LONG[kind](number)[:MOST])


HIDDEN: dict[str, Callable[[], Iterator[bytes]]] = {
    "div": lambda: repeat(b"<div>"),
    "formatting": lambda: chain([b"<p>"], map(b"<b a=%d>".__mod__, range(200)), repeat(b"<p>x")),
}


@pytest.mark.parametrize("kind", HIDDEN)
def test_a_knot_that_is_hidden_between_what_looks_harmless_is_seen(kind: str) -> None:
    harmless, parts = b"<p>lorem ipsum</p>" * 150, HIDDEN[kind]()
    body = b"<html><body>"
    while len(body) < 400_000:
        body += harmless[: 2_060 - len(body) % 8_192]
        end = len(body) // 8_192 * 8_192 + 8_192
        while len(body) < end - 20:
            body += next(parts)
        body = body.ljust(end)
    assert is_knotted(body)


def test_nesting_as_in_real_pages_is_none() -> None:
    assert not is_knotted(b"<div>" * 200 + b"<p>x</p>" * 20_000 + b"</div>" * 200)


@pytest.mark.parametrize("tag", ["div", "span", "a href='/x'"])
def test_what_is_deep_and_no_knot_is_read_without_recursion(tag: str) -> None:
    body = f"<{tag}>" * 4_000 + "deep"
    request = Request("http://a.example/")
    fields = CIMultiDictProxy(CIMultiDict({"Content-Type": "text/html"}))
    page = Response(request.url, request=request, body=body.encode(), headers=fields)
    assert page.text() == "deep"
    assert len(page.css("body *")) == 4_000
    assert page.css(tag.split()[0])[-1].text() == "deep"
    page.detach()


@pytest.mark.parametrize("charset", ["utf-8", "utf-16-le"])
def test_a_knot_is_delivered_and_not_parsed(charset: str) -> None:
    body = ("<div>" * 100_000 + "<a href='/x'>deep").encode(charset)
    fields = CIMultiDict({"Content-Type": f"text/html; charset={charset}"})
    request = Request("http://a.example/")
    page = Response(
        request.url, request=request, status=200, body=body, headers=CIMultiDictProxy(fields)
    )
    assert page.css("div") == []
    assert page.links() == []
    assert not page.is_html
    assert page.body == body

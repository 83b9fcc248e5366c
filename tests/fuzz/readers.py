"""Everything that reads what a server sent, and pieces that it might trip over."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from functools import partial
from typing import Annotated, NamedTuple

from crawler import Item, css, urls, xpath
from crawler.errors import CallbackError, ContentError, InvalidUrl
from crawler.export.paths import path_for
from crawler.fetch.cookies import CookieJar
from crawler.fetch.setcookie import parse_date
from crawler.parse import encoding
from crawler.parse.charsets import MULTI_BYTE
from crawler.parse.directives import (
    NO_MARKS,
    beginning,
    canonical_of,
    marks_of,
    refresh_of,
)
from crawler.parse.forms import form_of
from crawler.parse.joiner import Joiner
from crawler.parse.links import extract
from crawler.parse.moments import moment
from crawler.parse.nodes import Element, Node, base_of, looks_like_html, parse_html
from crawler.parse.numbers import number, price
from crawler.parse.references import candidates
from crawler.parse.robots_words import robots_of
from crawler.parse.scripts import values_of
from crawler.parse.sitemaps import parse as parse_sitemap
from crawler.rules.accept import Accept
from crawler.rules.pacing import retry_after
from crawler.rules.robots import Robots
from crawler.urls import KeyRules

HOME = "https://a.example/b/c?d"
NOW = 1_700_000_000.0
_RULES = KeyRules(ignore_query_order=True, ignore_params=("utm_*", "a"))
_JAR = CookieJar()
_JAR.store(HOME, "a=b", "c=d; secure", now=NOW)


class Reader(NamedTuple):
    """`read` takes any text and raises nothing; `pieces` are what it looks for."""

    read: Callable[[str], None]
    pieces: tuple[str, ...]


def _url(text: str) -> None:
    for read in (urls.canonicalize, partial(urls.join, HOME), partial(urls.key, rules=_RULES)):
        try:
            url = read(text)
        except InvalidUrl:
            continue
        assert read(url) == url
        path_for(url)
        urls.registrable_domain(urls.hostname_of(url))


def _absolute(text: str) -> None:
    _url(f"http://a.example/{text}")


def _host(text: str) -> None:
    _url(f"http://{text}/")


def _joined(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()  # no half of a pair comes out of a document
    try:
        url = urls.without_credentials(urls.join(HOME, text))
    except InvalidUrl:
        url = None
    assert Joiner(HOME)(text) == url


def _links(text: str) -> None:
    for link in extract(text, HOME):
        assert urls.canonicalize(link.url) == link.url


def _directives(text: str) -> None:
    quoted = text.replace('"', "&quot;")
    html = (
        f'<base href="{quoted}"><meta name=robots content="{quoted}"><link rel=canonical '
        f'href="{quoted}"><meta http-equiv=refresh content="{quoted}"><meta {text}>'
    ).encode("utf-8", "replace")
    tree = parse_html(html)
    marks = marks_of(tree, beginning(html), "me")
    base = base_of(tree, HOME)
    robots_of((*marks.robots, text), [text, f"me: {text}"], agent="me", date=text)
    for url in (
        base,
        canonical_of(marks, [text, f"<{text}>; rel=canonical"], url=HOME, base=base),
        refresh_of(marks, text, url=HOME, base=base),
        refresh_of(NO_MARKS, f"0;url={text}", url=HOME, base=base),
    ):
        assert url is None or urls.canonicalize(url) == url
    list(candidates(text))


def _form(text: str) -> None:
    tree = parse_html(f"<form {text}><input {text}>{text}<select><option {text}>{text}</form>")
    for node in tree.css("form"):
        with suppress(InvalidUrl, CallbackError):  # more than 10,000 controls
            form_of(node, url=HOME, base=HOME, encoding="utf-8")


def _page(text: str) -> None:
    body = text.encode("latin-1", "replace")
    name, decoded = encoding.decode_with_name(body, None)
    assert encoding.utf8_with_name(body, None)[0] == name
    decoded.encode()
    looks_like_html("", body)


def _legacy(text: str) -> None:
    body = text.encode("latin-1", "replace")
    for name in MULTI_BYTE:
        encoding.decode(body, f"text/html; charset={name}").encode()


def _content_type(text: str) -> None:
    encoding.detect(b"x", text)
    Accept(["html", "xml", "image/*"]).admits(text)


def _robots(text: str) -> None:
    robots = Robots.parse(f"User-agent: *\n{text}".encode("utf-8", "replace"))
    robots.allows("me", HOME)
    robots.allows("me", f"https://a.example/{'a' * 200}b?{'=' * 50}")
    delay = robots.crawl_delay("me")
    assert delay is None or 0 <= delay < float("inf")
    for sitemap in robots.sitemaps:
        assert sitemap.startswith(urls.SCHEMES)


def _rule(text: str) -> None:
    _robots(f"Disallow: /{text}")


def _sitemap(text: str) -> None:
    for body in (text, f"<urlset><url><loc>{text}</loc></url></urlset>"):
        for entry in parse_sitemap(body.encode("utf-8", "replace")).entries:
            assert entry.url.startswith(urls.SCHEMES)


def _cookie(text: str) -> None:
    jar = CookieJar()
    jar.store(HOME, text, f"a={text}", f"e=f; expires={text}; domain={text}; path=/{text}", now=NOW)
    sent = jar.header(HOME, now=NOW)
    assert len(sent.encode()) <= 8_000
    assert not set(sent) & set("\r\n\0")


def _date(text: str) -> None:
    parse_date(text)
    wait = retry_after(text, NOW)
    assert wait is None or wait >= 0


class _Fields(Item):
    text: Annotated[str, css("p")] = ""
    numbers: Annotated[list[float], css("b", regex=r"\d+")]
    day: Annotated[date | None, css("time", attr="datetime")] = None
    links: Annotated[list[str], css("a", attr="href")]
    also: Annotated[list[str], xpath("//p | //a/@href")]


def _node(html: str) -> Node:
    root = parse_html(html).root
    assert root is not None
    return Element(root, HOME)


def _fields(text: str) -> None:
    with suppress(ContentError):  # a time that is none
        for link in _Fields.extract(_node(text)).links:
            assert urls.canonicalize(link) == link


def _tables(text: str) -> None:
    with suppress(CallbackError):  # spans that make far more of it
        for rows in _node(f"<table>{text}").tables():
            assert len({tuple(row) for row in rows}) <= 1  # all have the same names


def _script(text: str) -> None:
    list(values_of([text], "x"))
    with suppress(ContentError):
        _node(f"<script>{text}</script>").script_json("x")


def _number(text: str) -> None:
    for read in (number, partial(number, whole=True, decimal=","), price):
        found = read(text)
        assert found is None or found.is_finite()
    moment(text, ("en",))


_URL = (
    *("/", "//", "\\", "..", ".", "%2e", "%", "%zz", "%00", "?", "#", ":", "@", "&", "=", ";"),
    *("http:", "https://", "a", "a.b", "xn--", "[", "]", "::", "0x", "1.", "é", "ß", "。", "ﬁ"),
    *(
        " ",
        "\t",
        "\n",
        "\0",
        "\x7f",
        "\u200b",
        "\ufeff",
        "\ud800",
        "\U0001f600",
        "u:p@",
        ":80",
        "~",
    ),
)
_HTML = (
    *(
        "<",
        ">",
        "</",
        "/>",
        "<a ",
        "<a href=",
        "<area href='",
        "<base href=",
        "<!--",
        "-->",
        "<![CDATA[",
    ),
    *(
        "<b>",
        "</b>",
        "<table>",
        "<tr>",
        "<svg>",
        "<math>",
        "<template>",
        "<select>",
        "<p>",
        "<script>",
    ),
    *("'", '"', "=", "x", "&amp;", "&#0;", "&#x110000;", "&", "href", "rel=nofollow ", "\0", "\n"),
    *("http://a.b/", "../", "#", "?", "<form>", "<input>", "<title>", "<textarea>", "<plaintext>"),
)
_BYTES = (
    *("\x80", "\x81", "\x8e", "\x8f", "\xa1", "\xa2", "\xa2A", "\xb7", "\xe4\xb8", "\xfe", "\xff"),
    *(
        "\xef\xbb\xbf",
        "\xff\xfe",
        "\xfe\xff",
        "\x1b",
        "\x1b$B",
        "\x1b(B",
        "\x1b(J",
        "\x0e",
        "0",
        "\0",
    ),
    *(
        "<meta ",
        "charset=",
        "<meta charset=",
        "http-equiv=content-type ",
        "content=",
        "gbk",
        "'",
        '"',
    ),
    *("<?xml ", "encoding=", "?>", "<!--", "-->", "<a ", ">", " ", "\n", "abc", "\xe9", "\xc0\xaf"),
)
_XML = (
    *("<url>", "<loc>", "</loc>", "</url>", "<urlset>", "<sitemap>", "<rss>", "<feed>", "<item>"),
    *(
        "<link href='",
        "<link>",
        "<entry>",
        "<?xml version='1.0'?>",
        "<!DOCTYPE x [",
        "<!ENTITY a '",
    ),
    *("]>", "&a;", "&amp;", "&", "<![CDATA[", "]]>", "<!--", "-->", "http://a.b/", "\n", "<", ">"),
    *("<lastmod>2020-01-01", "<priority>1e999", "xmlns:x='y' ", "\0", "é", "x:", "/", "'", " "),
)
_ROBOTS = (
    *("User-agent: ", "user-agent:*", "Disallow: ", "Allow: ", "Crawl-delay: ", "Sitemap: ", "\n"),
    *(
        "\r",
        "*",
        "$",
        "**",
        "*$",
        "/",
        "a",
        "%41",
        "%",
        "%zz",
        "#",
        ":",
        " ",
        "\t",
        "me",
        "é",
        "\0",
    ),
    *("1e999", "-1", "nan", "http://a.b/", "\ufeff", "=", "&", "?", "*a*a", "Disallow: /*a$\n"),
)
_COOKIE = (
    *("a=", "=", ";", "; ", ",", '"', "path=", "domain=", "expires=", "max-age=", "secure", "\t"),
    *("httponly", "samesite=none", "__Host-", "__Secure-", ".example", "a.example", "com", "/"),
    *("Thu, 01 Jan 2099 00:00:00 GMT", "9" * 30, "-", "\0", "\r\n", "é", "\udcff", "[::1]", " "),
)
_HEADER = (
    *(
        "text/html",
        ";",
        "; ",
        "charset",
        "=",
        "utf-8",
        '"',
        "'",
        "hex",
        "rot13",
        ",",
        " ",
        "/",
        "*",
    ),
    *(
        "1",
        "99",
        "1e999",
        "-",
        ":",
        "Jan",
        "Feb 30",
        "2024",
        "10000",
        "Thu, ",
        "GMT",
        "24:00:00",
        "\0",
    ),
    *("01 Jan 2099 00:00:00 GMT", "00:00:60", "é", "\udcff", "\t", "nan", "inf", "0x1", "１"),
)

_DIRECTIVE = (
    *("noindex", "nofollow", "none", ",", ", ", ":", "me: ", "other: ", "unavailable_after: ", " "),
    *("mon,", "x:mon,", "Mon, 01 Jan 2020 00:00:00 GMT", "2020-01-01", "max-snippet:", "9" * 20),
    *("0", "5", ";", "url=", "URL = '", "'", '"', "http://a.b/", "/", "#", "<", ">", ";rel=", "("),
    *("canonical", "anchor=", "=", "1x", "2w", "3h", "1e9x", ")", "é", "\t", "\n", "\0", "refresh"),
)
_FORM = (
    *("action=", "method=post ", "enctype=text/plain ", "name=a ", "type=radio ", "type=file "),
    *(
        "value=",
        "checked ",
        "disabled ",
        "<input ",
        "<select ",
        "<option ",
        "<textarea ",
        "<button ",
    ),
    *("</select>", "</form>", "<fieldset disabled>", "<legend>", "<optgroup>", "form=x ", "id=x "),
    *(">", "'", '"', " ", "é", "\0", "http://a.b/", "<label>", "accept-charset=gbk ", "<datalist>"),
)
_FIELD = (
    *("<p>", "<b>", "</p>", "<a href=", "<a href='", "'>", ">", "<time datetime=2024-05-06>", "x"),
    *(
        "1",
        "12.5 €",
        " ",
        "<base href=/x>",
        "<svg>",
        "<!--",
        "-->",
        "\0",
        "&#0;",
        "<time datetime='",
    ),
    *(
        "<script>",
        "</script>",
        "<table>",
        "é",
        "javascript:",
        "//",
        "\ud800",
        "\x0b",
        "<x:y z:a=b>",
    ),
)
_TABLE = (
    *("<tr>", "<td>", "<th>", "<thead>", "<tbody>", "<tfoot>", "</table>", "<table>", "x", " "),
    *("<td colspan=2>", "<td rowspan=2>", "<td rowspan=0>", "<th colspan=999999999 rowspan=9>"),
    *("<td colspan=1000 rowspan=65534>", "<td colspan='-1'>", "<caption>", "<td rowspan=²>", "<p>"),
)
_SCRIPT = (
    *("x", "x=", "x = ", "x:", "x(", "[", "]", "{", "}", '"', "'", "\\", ",", ":", "1", "a", " "),
    *(
        "JSON.parse(",
        "x=JSON.parse('",
        '\\"',
        "\\x2",
        "\\u{110000}",
        "\\u00e9",
        "\n",
        "null",
        ";",
        "é",
    ),
    *('"x":{', '{"a":', "</script>", "<!--", "\0", "\ud800", "x=[", "x={", "[x]", "['x']="),
)
_NUMBER = (
    *(
        "1",
        "12",
        "123",
        "000",
        ".",
        ",",
        "'",
        " ",
        "-",
        "+",
        "e",
        "e999",
        "€",
        "$",
        "free",
        "%",
        "٣",
    ),
    *(
        "\xa0",
        "\u066b",
        "\u2212",
        "\u200f",
        "²",
        "2024-05-06",
        "T10:00",
        "Z",
        "May",
        "/",
        ":",
        "\0",
    ),
)

READERS = {
    "url": Reader(_url, _URL),
    "absolute url": Reader(_absolute, _URL),
    "host": Reader(_host, _URL),
    "joined url": Reader(_joined, _URL),
    "links": Reader(_links, _HTML),
    "directives": Reader(_directives, _DIRECTIVE),
    "form": Reader(_form, _FORM),
    "page without charset": Reader(_page, (*_BYTES, *_HTML)),
    "legacy text": Reader(_legacy, _BYTES),
    "content type": Reader(_content_type, _HEADER),
    "robots.txt": Reader(_robots, _ROBOTS),
    "robots rule": Reader(_rule, _ROBOTS),
    "sitemap": Reader(_sitemap, _XML),
    "cookie": Reader(_cookie, _COOKIE),
    "date": Reader(_date, _HEADER),
    "fields": Reader(_fields, _FIELD),
    "tables": Reader(_tables, _TABLE),
    "script": Reader(_script, _SCRIPT),
    "number": Reader(_number, _NUMBER),
}

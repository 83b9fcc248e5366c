"""Twice the input costs about twice the time, whatever it is made of."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.bounds import FUZZING, bounded
from tests.fuzz.readers import READERS
from tests.growth import assert_costs, cpu_seconds

# What is measured lies well above the clock's grain; four times the input then costs 16 times as
# much where the cost is quadratic.
_LEAST_SECONDS = 0.01 if FUZZING else 0.002
# Four times that is 1 MB. Of more, what glibc's realloc and the kernel do to one growing text node
# of Lexbor's depends on all that the process did before.
_LONGEST = 1 << 18

# Patterns that were, or could be, quadratic: what repeats, and what stands before it.
SHAPES = {
    "url": [("http://a.b/", "../"), ("http://a.b/", "%2e/"), ("http://", "a."), ("", "http:")],
    "absolute url": [("", "a/"), ("", "\\"), ("?", "a=b&"), ("?", "utm_a&"), ("", "é")],
    "host": [("", "a"), ("", "a."), ("", "@"), ("", "u:"), ("", "é"), ("", "0x1."), ("[", ":")],
    "joined url": [("", "../"), ("", "a/"), ("?", "a"), ("", "#"), ("a", " "), ("/", "/")],
    "links": [
        *(
            ("", "<a href=x>"),
            ("", "<a href=x>t</a>"),
            ("<a ", "a=b "),
            ("<!--", "-"),
            ("", "&amp;"),
        ),
        *(("", "<b>"), ("", "</p>"), ("", "<table>"), ("", "<a href=x><b>"), ("<a href='", "x ")),
        *(("", "<base href=y>"), ("", "<p>"), ("", "<svg>"), ("<title>", "<a href=x>"), ("", "<")),
    ],
    "directives": [
        *(
            ("", "mon,"),
            ("", "x:mon,"),
            ("", "a,"),
            ("", "me:"),
            ("", "unavailable_after:"),
            ("", " "),
        ),
        *(
            ("0;url=", "a"),
            ("0;", " "),
            ("", "1"),
            ("", "a 1x,"),
            ("", "a ("),
            ("", ","),
            ("a ", "1w "),
        ),
        *(
            ("", "<a>;rel=canonical,"),
            ("", "<"),
            ("<a>", ";rel=x"),
            ("<a>;rel=", '"'),
            ("", "name=x "),
        ),
        *(("><", "noscript><"), ("><div><", "meta http-equiv=refresh content=x><b><")),
    ],
    # Not what nests, nor options: their cost grows with the square, and ends (see `knots`).
    "form": [
        *(("><", "input name=a><"), ("><", "input type=radio name=a checked><"), ("", "a ")),
        *(("><", "select><option>a<"), ("><", "input form=x><"), ("><", "label><")),
    ],
    "page without charset": [
        *(
            ("<", "<meta "),
            ("", "<meta charset="),
            ("<meta ", "a=b "),
            ("<!--", "<!--"),
            ("", "<!"),
        ),
        *(("", "\xe9"), ("", "\xc3\xa9\xe9"), ("", "a\xe9<"), ("", "\x81\x30"), ("", "\x1b$B")),
    ],
    "legacy text": [
        *(
            ("", "\xff"),
            ("", "\x81"),
            ("", "\x8f\xa2\xb7"),
            ("", "\xa2A"),
            ("", "\x1b$B"),
            ("", "\x1b"),
        ),
        *(
            ("\x1b$B", "!"),
            ("\x1b$B", "!\n"),
            ("", "\x81\x30"),
            ("", "\x81\x30\x81"),
            ("", "\x8e<"),
        ),
    ],
    "content type": [("", ";"), ("text/html;", "charset "), ("charset", " "), ("charset='", "a")],
    "robots.txt": [
        *(("", "Disallow: /*a\n"), ("", "User-agent: *\n"), ("", "\n"), ("", "a"), ("", "#")),
        *(
            ("", "Allow: /a\nDisallow: /*b$\n"),
            ("", "Sitemap: http://a.b/\n"),
            ("", "\r"),
            ("", ":"),
        ),
    ],
    "robots rule": [
        ("", "*"),
        ("", "*a"),
        ("", "a*"),
        ("", "%41"),
        ("", "$"),
        ("", "*a$"),
        ("", "%"),
    ],
    "sitemap": [
        *(
            ("", "<url>"),
            ("<urlset>", "<url><loc>http://a.b/</loc></url>"),
            ("", "&"),
            ("<a>", "&b;"),
        ),
        *(
            ("<x ", "a='b' "),
            ("", "http://a.b/\n"),
            ("<!DOCTYPE x [", "<!ENTITY a 'b'>"),
            ("<!--", "-"),
        ),
        *(("<urlset><url><loc>", "x"), ("<a>", "<![CDATA["), ("", "<feed>"), ("<rss>", "<item>")),
    ],
    "cookie": [
        ("", ";"),
        ("a=", "b"),
        ("", "path=/;"),
        ("", "="),
        ("a=b; domain=", "a."),
        ("", " "),
    ],
    "fields": [
        *(("", "<p>x"), ("<p>", "<b>1</b>"), ("", "<a href=x>y</a>"), ("", "<base href=y>")),
        *(("<p>", "x "), ("", "<time datetime=2024-05-06>"), ("<b>", "1 "), ("<a href='", "../")),
    ],
    # Not tables in tables: what nests costs its square, and ends (see `knots`).
    "tables": [
        *(
            ("", "<td>"),
            ("", "<tr>"),
            ("", "<tr><td>x"),
            ("", "<tr><th>x"),
            ("", "<td colspan=9>x"),
        ),
        *(("", "<tr><td colspan=1000>"), ("<td rowspan=65534>", "<tr>"), ("", "<tbody><tr><td>")),
        *(("", "<tr><td rowspan=65534>"), ("<tr>", "<td rowspan=2>"), ("<td colspan=999>", "<tr>")),
    ],
    "script": [
        *(("", "x=["), ("", "x={"), ("", 'x="'), ('x=["', '",x=["'), ("", "x=JSON.parse('")),
        *(("x=[", '"a",'), ("x=", "["), ("", '"x":{'), ("x", " "), ("", "x"), ("", 'x=["\\')),
        *(("", "x=[]"), ("x=JSON.parse('", "\\x41"), ('x=["', "\\"), ("", "x=[';"), ("", "x:{a}")),
    ],
    "number": [("", "1"), ("", "1,"), ("", " "), ("", "1 "), ("€", "1."), ("", "€"), ("", "-")],
    "date": [("", "1"), ("", "1:"), ("", " "), ("", "Jan "), ("", "01 Jan 2099 "), ("", ",")],
}
EVERY = [
    pytest.param(name, head, piece, id=f"{name}: {head + piece!a}")
    for name, shapes in SHAPES.items()
    for head, piece in shapes
]


def assert_linear(read: Callable[[str], None], head: str, piece: str) -> None:
    """Fail if two and four times the input take much longer than that; 4 and 16 are quadratic.

    Between 1 and 2 there may be a step, where a cache or a limit ends: so 6 there, as nothing that
    is within its bound at 4 grows with its square.
    """

    def seconds(length: int) -> float:
        text = head + piece * max(1, length // len(piece))
        return cpu_seconds(lambda: read(text))

    length = 256
    while min(seconds(length), seconds(length)) < _LEAST_SECONDS:
        length *= 2
        if length > _LONGEST:
            return
    once = partial(seconds, length)
    assert_costs(partial(seconds, 2 * length), at_most=6, times=once)
    assert_costs(partial(seconds, 4 * length), at_most=11, times=once)


@pytest.mark.parametrize(("name", "head", "piece"), EVERY)
def test_a_reader_takes_linear_time(name: str, head: str, piece: str) -> None:
    assert_linear(READERS[name].read, head, piece)


# What is drawn at random meets the allocator's moods as well: for `make fuzz` alone.
if FUZZING:

    @bounded(seldom=12)
    @given(name=st.sampled_from(sorted(set(READERS) - {"form", "tables"})), data=st.data())
    def test_a_reader_takes_linear_time_for_whatever_repeats(
        name: str, data: st.DataObject
    ) -> None:
        pieces = st.lists(st.sampled_from(READERS[name].pieces), min_size=1, max_size=3).map(
            "".join
        )
        assert_linear(READERS[name].read, data.draw(pieces), data.draw(pieces))

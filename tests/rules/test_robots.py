import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.rules.robots import Robots

SITE = "https://example.com"


def judge(text: str | bytes, path: str, *, agent: str = "foobot") -> bool:
    body = text.encode() if isinstance(text, str) else text
    return Robots.parse(body).allows(agent, SITE + path)


def group(*lines: str) -> str:
    return "\n".join(("User-agent: foobot", *lines))


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        (["Disallow: /fish"], "/fish", False),
        (["Disallow: /fish"], "/fish.html?id=1", False),
        (["Disallow: /fish"], "/fishheads/yummy", False),
        (["Disallow: /fish"], "/Fish.asp", True),
        (["Disallow: /fish"], "/catfish", True),
        (["Disallow: /fish"], "/?id=/fish", True),
        (["Disallow: /fish/"], "/fish", True),
        (["Disallow: /fish*"], "/fishheads", False),
        (["Disallow: /*.php"], "/folder/filename.php?x=1", False),
        (["Disallow: /*.php"], "/windows.PHP", True),
        (["Disallow: /*.php$"], "/filename.php", False),
        (["Disallow: /*.php$"], "/filename.php?parameters", True),
        (["Disallow: /*.php$"], "/a.php/b.php", False),
        (["Disallow: /fish*.php"], "/fishheads/catfish.php?parameters", False),
        (["Disallow: /foo/bar$"], "/foo/bar", False),
        (["Disallow: /foo/bar$"], "/foo/bar/", True),
        (["Disallow: *.gif"], "/x/y.gif", False),
        (["Disallow: *"], "/x", False),
        (["Disallow: *$"], "/x", False),
        (["Disallow: /a*b*$"], "/axxb", False),
        (["Disallow: /ab*b$"], "/ab", True),
        (["Disallow: /a**b"], "/axb", False),
        (["Disallow:"], "/x", True),
        (["Disallow: x"], "/x", True),
        (["Disallow: /$x"], "/$xy", False),
    ],
)
def test_patterns_match_from_the_first_octet(rules: list[str], path: str, allowed: bool) -> None:
    assert judge(group(*rules), path) is allowed


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        (["Allow: /p", "Disallow: /"], "/page", True),
        (["Disallow: /", "Allow: /p"], "/page", True),
        (["Allow: /folder", "Disallow: /folder"], "/folder/page", True),
        (["Disallow: /folder", "Allow: /folder"], "/folder/page", True),
        (["Allow: /page", "Disallow: /*.htm"], "/page.htm", False),
        (["Allow: /page", "Disallow: /*.ph"], "/page.php5", True),
        (["Allow: /$", "Disallow: /"], "/", True),
        (["Allow: /$", "Disallow: /"], "/page.htm", False),
        (["Allow: /", "Disallow: /*"], "/page", False),
        (["Disallow: /x/page.html", "Allow: /x/page."], "/x/page.html", False),
    ],
)
def test_the_longest_rule_wins_and_allow_wins_ties(
    rules: list[str], path: str, allowed: bool
) -> None:
    assert judge(group(*rules), path) is allowed


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("/foo/bar/ツ", "/foo/bar/%E3%83%84"),
        ("/foo/bar/%E3%83%84", "/foo/bar/ツ"),
        ("/foo/bar/%e3%83%84", "/foo/bar/%E3%83%84"),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz"),
        ("/foo/bar/baz", "/foo/bar/%62%61%7A"),
        ("/~joe", "/%7ejoe"),
        ("/a%2fb", "/a%2Fb"),
        ("/foo?baz=https://foo.bar", "/foo?baz=https://foo.bar"),
        ("/file-with-a-%2A.html", "/file-with-a-*.html"),
        ("/price-%24$", "/price-$"),
        ("/?q='x'", "/?q=%27x%27"),
        ("/a b", "/a%20b"),
        ("/100%", "/100%25"),
    ],
)
def test_escapes_are_brought_to_one_form_before_comparing(rule: str, path: str) -> None:
    assert not judge(group("Disallow: " + rule), path)


@pytest.mark.parametrize(("rule", "path"), [("/a%2Fb", "/a/b"), ("/a/b", "/a%2Fb"), ("/%2A", "/x")])
def test_escaped_reserved_characters_stay_apart_from_plain_ones(rule: str, path: str) -> None:
    assert judge(group("Disallow: " + rule), path)


def test_robots_txt_itself_is_always_allowed() -> None:
    assert judge(group("Disallow: /"), "/robots.txt")
    assert not judge(group("Disallow: /"), "/robots.txt.bak")


@pytest.mark.parametrize("url", ["https://example.com", "/", "//example.com/", "https://h?x"])
def test_a_url_without_a_path_is_judged_as_the_root(url: str) -> None:
    assert not Robots.parse(b"User-agent: *\nDisallow: /").allows("foobot", url)


def test_a_fragment_takes_no_part() -> None:
    assert judge(group("Disallow: /*x"), "/a#x")


@pytest.mark.parametrize(
    "agent", ["foobot", "FooBot", "FOOBOT/2.1", "FooBot/1.0 (+https://example.com/bot)"]
)
@pytest.mark.parametrize("line", ["foobot", "FooBot", "foobot/1.2", "foobot bar", "foobot*"])
def test_agents_are_matched_by_product_token(agent: str, line: str) -> None:
    assert not judge(f"User-agent: *\nAllow: /\nUser-agent: {line}\nDisallow: /", "/x", agent=agent)


@pytest.mark.parametrize("agent", ["foo", "foobots", "foobot-image", "barbot foobot", ""])
def test_other_tokens_are_other_agents(agent: str) -> None:
    assert judge("User-agent: foobot\nDisallow: /", "/x", agent=agent)


def test_the_star_group_counts_only_where_no_group_is_specific() -> None:
    text = "User-agent: *\nDisallow: /\nUser-agent: foobot\nDisallow: /a"
    assert judge(text, "/b")
    assert not judge(text, "/b", agent="barbot")
    assert judge("User-agent: *\nDisallow: /\nUser-agent: foobot", "/b")


def test_groups_of_one_agent_are_merged() -> None:
    text = (
        "allow: /foo/bar/\n\nuser-agent: FooBot\ndisallow: /\nallow: /x/\n"
        "user-agent: BarBot\ndisallow: /\nallow: /y/\n\n\nallow: /w/\n"
        "user-agent: BazBot\n\nuser-agent: FooBot\nallow: /z/\ndisallow: /\n"
    )
    allowed = {
        agent: [p for p in "wxyz" if judge(text, f"/{p}/a", agent=agent)]
        for agent in ("foobot", "barbot", "bazbot")
    }
    assert allowed == {"foobot": ["x", "z"], "barbot": ["w", "y"], "bazbot": ["z"]}
    assert not judge(text, "/foo/bar/")


@pytest.mark.parametrize("between", ["", "Sitemap: https://example.com/s.xml", "Foo: bar", "# x"])
def test_other_records_and_empty_lines_do_not_end_a_group(between: str) -> None:
    text = f"User-agent: foobot\n{between}\nUser-agent: barbot\n{between}\nDisallow: /"
    assert not judge(text, "/x", agent="foobot")
    assert not judge(text, "/x", agent="barbot")


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\n\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_any_line_end_and_a_byte_order_mark_are_read(end: str, bom: str) -> None:
    assert not judge(f"{bom}User-agent: foobot{end}Disallow: /a{end}Disallow: /x", "/x")


@pytest.mark.parametrize(
    "text",
    [
        "user agent: foobot\ndisallow: /",
        "USERAGENT : foobot\nDISSALLOW : /",
        "user-agent foobot\ndisallow /",
        "\tUser-agent:foobot # us\n  Disallow:/ # all",
    ],
)
def test_well_known_misspellings_and_blanks_are_forgiven(text: str) -> None:
    assert not judge(text, "/x")


def test_lines_that_are_no_records_are_skipped() -> None:
    junk = (
        b"\x00\xff\xfe\x89PNG:\x00\n<html>: no\nUser-agent: foobot\n\x00\x01\xc3\x28\nDisallow: /x"
    )
    assert not judge(junk, "/x")
    assert judge(junk, "/y")
    assert judge("disallow everything now /", "/x")


def test_only_whole_lines_within_500_kib_are_read() -> None:
    head = b"User-agent: *\nDisallow: /first\n"
    fill = b"#" + b"x" * 98 + b"\n"
    limit = 500 * 1024
    body = head + fill * 6000
    cut = limit - len(b"Disallow: /full")
    body = body[: cut - 1] + b"\nDisallow: /full\nDisallow: /late"
    robots = Robots.parse(body)
    assert not robots.allows("x", "/first")
    assert not robots.allows("x", "/full")
    assert robots.allows("x", "/late")
    torn = Robots.parse(body[: cut - 1] + b"\nDisallow: /full-stop\n")
    assert torn.allows("x", "/full-stop")
    assert torn.allows("x", "/full")


def test_a_line_counts_up_to_16_kib() -> None:
    robots = Robots.parse(b"User-agent: *\nDisallow: /" + b"a" * 20_000)
    assert not robots.allows("x", "/" + "a" * 17_000)
    assert robots.allows("x", "/" + "a" * 16_000)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *[("5", 5.0), ("0.5", 0.5), (".5", 0.5), ("0", 0.0), ("-1", None), ("nan", None)],
        *[("inf", None), ("1e3", None), ("5 s", None), ("", None), ("٣", None), ("9" * 400, None)],
    ],
)
def test_a_crawl_delay_is_a_plain_number_of_seconds(value: str, seconds: float | None) -> None:
    body = f"User-agent: foobot\nCrawl-delay: {value}".encode()
    assert Robots.parse(body).crawl_delay("FooBot/1.0") == seconds


def test_a_crawl_delay_is_for_the_agents_named_before_it() -> None:
    robots = Robots.parse(
        b"User-agent: a\nCrawl-delay: 5\nUser-agent: b\nDisallow: /x\nCrawl-delay: 2\n"
        b"User-agent: *\nCrawl-delay: 9"
    )
    assert [robots.crawl_delay(agent) for agent in "abc"] == [5.0, 2.0, 9.0]


def test_sitemaps_are_absolute_urls_anywhere_in_the_file() -> None:
    robots = Robots.parse(
        b"Sitemap: https://example.com/a.xml\nUser-agent: x\n"
        b"site-map: HTTP://Example.com/b.xml # b\n"
        b"Sitemap: /relative.xml\nSitemap: ftp://example.com/c\nSitemap:\n"
        b"Disallow: /\nSitemap: https://example.com/a.xml\n"
    )
    assert robots.sitemaps == ("https://example.com/a.xml", "http://example.com/b.xml")


def test_everything_or_nothing_can_be_allowed() -> None:
    assert Robots.allow_all().allows("foobot", SITE + "/x")
    assert not Robots.disallow_all().allows("foobot", SITE + "/x")
    assert Robots.disallow_all().allows("foobot", SITE + "/robots.txt")


def reference(rules: list[tuple[str, bool]], path: str) -> bool:
    """RFC 9309 2.2.2 by trying every rule, each with all the backtracking it wants."""

    def fits(pattern: str, text: str) -> bool:
        if pattern in ("", "$"):
            return pattern == "" or text == ""
        if pattern[0] == "*":
            return any(fits(pattern[1:], text[at:]) for at in range(len(text) + 1))
        return text[:1] == pattern[0] and fits(pattern[1:], text[1:])

    ranks = [(len(p), allow) for p, allow in rules if p and fits(p, path)]
    return max(ranks, default=(0, True))[1]


PATTERNS = st.tuples(st.text("ab/*", max_size=6), st.sampled_from(["", "", "$"])).map("".join)
RULES = st.lists(st.tuples(PATTERNS.map("/".__add__), st.booleans()), max_size=8)


@given(RULES, st.lists(st.text("ab/", max_size=8), min_size=1, max_size=8))
@settings(max_examples=300)
def test_the_index_judges_as_trying_every_rule_would(
    rules: list[tuple[str, bool]], paths: list[str]
) -> None:
    robots = Robots.parse(
        group(*(f"{'Allow' if allow else 'Disallow'}: {p}" for p, allow in rules)).encode()
    )
    for path in paths:
        assert robots.allows("foobot", f"{SITE}/{path}") is reference(rules, "/" + path)


@given(st.binary(max_size=300), st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=200)
def test_nothing_makes_it_raise(body: bytes, agent: str, url: str) -> None:
    robots = Robots.parse(b"User-agent: *\nDisallow: " + body)
    assert robots.allows(agent, url) in (True, False)
    assert robots.crawl_delay(agent) is None or robots.sitemaps is not None

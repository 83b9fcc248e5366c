"""The URL standard, dedupe keys, hosts and public suffixes."""

import string
import subprocess
import sys

import ada_url
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import urls
from crawler.errors import InvalidUrl
from crawler.parse.joiner import Joiner, _Joined
from crawler.urls import KeyRules

ROUGH = st.text(
    alphabet=string.ascii_letters + string.digits + "/:.?#@%&=[]-_~ \t\n\\'\"<>é中", max_size=60
)
TIDY = st.text(alphabet="ab0-_~!$&'()*+,;=:@%/?.|{}^`", max_size=40)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("http://example.com", "http://example.com/"),
        ("HTTP://EXAMPLE.com:80/", "http://example.com/"),
        ("https://example.com:443/a", "https://example.com/a"),
        ("https://example.com:80/a", "https://example.com:80/a"),
        ("http://example.com/a/../b/./c", "http://example.com/b/c"),
        ("http://example.com/%2e%2E/b", "http://example.com/b"),
        ("http://example.com/a/..", "http://example.com/"),
        ("http:example.com/a", "http://example.com/a"),
        ("http:\\\\example.com\\a", "http://example.com/a"),
        (" \n http://example.com/a\tb\n ", "http://example.com/ab"),
        ("http://example.com/a b", "http://example.com/a%20b"),
        ("http://example.com/é?ü=é", "http://example.com/%C3%A9?%C3%BC=%C3%A9"),
        ("http://example.com/%zz%41", "http://example.com/%zz%41"),
        ("http://example.com/?q='x'", "http://example.com/?q=%27x%27"),
        ("http://example.com/a#b?c", "http://example.com/a"),
        ("http://example.com/?", "http://example.com/?"),
        ("http://example.com/?#", "http://example.com/?"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://EXAMPLE.com./", "http://example.com./"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://017700000001/", "http://127.0.0.1/"),
        ("http://[::0:1]:80/", "http://[::1]/"),
        ("http://user:pa ss@example.com/", "http://user:pa%20ss@example.com/"),
        ("http://example.com//a//", "http://example.com//a//"),
    ],
)
def test_a_url_is_written_as_the_standard_writes_it(written: str, canonical: str) -> None:
    assert urls.canonicalize(written) == canonical


@pytest.mark.parametrize(
    "text",
    [
        *("", "a/b", "//example.com/", "http://", "http://a b/", "http://[::1", "http://a:99999/"),
        *(
            "http://256.256.256.256/",
            "http://xn--a\u00ad\u0600/",
            "::",
            "http://%",
        ),
    ],
)
def test_what_is_no_url_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidUrl, match="not a valid") as refused:
        urls.canonicalize(text)
    assert refused.value.url == text


@pytest.mark.parametrize(
    "url", ["ftp://a/", "javascript:alert(1)", "data:,x", "file:///etc/hosts", "mailto:a@b.c"]
)
def test_other_schemes_are_refused(url: str) -> None:
    with pytest.raises(InvalidUrl, match="only http and https"):
        urls.canonicalize(url)
    with pytest.raises(InvalidUrl, match="only http and https"):
        urls.join("http://a/", url)


@pytest.mark.parametrize(
    ("href", "joined"),
    [
        ("", "http://a.b/c/d?q"),
        ("#top", "http://a.b/c/d?q"),
        ("?x", "http://a.b/c/d?x"),
        ("e", "http://a.b/c/e"),
        ("/e", "http://a.b/e"),
        ("../../../e", "http://a.b/e"),
        ("//x.y/e", "http://x.y/e"),
        ("\\e", "http://a.b/e"),
        (" e\n", "http://a.b/c/e"),
        ("https://x.y", "https://x.y/"),
        ("http:e", "http://a.b/c/e"),
    ],
)
def test_a_reference_is_resolved(href: str, joined: str) -> None:
    assert urls.join("http://a.b/c/d?q", href) == joined


@pytest.mark.parametrize(
    ("base", "href", "named"),
    [
        ("http://a.b/", "http://[", "http://["),
        ("http://a.b/", "tel:1", "tel:1"),
        ("no base", "x", "no base"),
        ("no base", "http://a.b/", "no base"),
        ("mailto:me@a.b", "x", "mailto:me@a.b"),
    ],
)
def test_a_reference_that_is_nonsense_is_refused_by_the_wrong_part(
    base: str, href: str, named: str
) -> None:
    with pytest.raises(InvalidUrl) as refused:
        urls.join(base, href)
    assert refused.value.url == named


@given(ROUGH | ROUGH.map("http://a.b/{}".format) | ROUGH.map("https://{}".format))
def test_a_canonical_url_stays_as_it_is(text: str) -> None:
    try:
        url = urls.canonicalize(text)
    except InvalidUrl:
        return
    assert urls.canonicalize(url) == url
    assert urls.key(url) == url
    assert "#" not in url


@given(st.sampled_from(["a.b", "a-b.c", "1.b.c", "b--c.d", "1.2.3", "a.0x1", "xn--a.b"]), TIDY)
def test_what_skips_the_parser_is_what_the_parser_would_write(host: str, rest: str) -> None:
    for url in (f"http://{host}/{rest}", f"https://{host}{rest}"):
        try:
            expected = ada_url.normalize_url(url)
        except ValueError:
            continue
        assert urls.canonicalize(url) == expected


@given(ROUGH)
def test_a_joined_url_is_canonical(href: str) -> None:
    try:
        url = urls.join("https://a.b/c/d?q", href)
    except InvalidUrl:
        return
    assert urls.canonicalize(url) == url


def test_hostile_text_is_judged_in_linear_time() -> None:
    url = "http://a.b" + "/a" * 300_000 + '"'
    assert urls.canonicalize(url + "/x").endswith("/x")
    with pytest.raises(InvalidUrl):
        urls.canonicalize("http://" + "a." * 300_000 + "/x")


def test_without_rules_the_key_is_the_canonical_url() -> None:
    assert urls.key("http://A.b?b=2&a=1#c") == "http://a.b/?b=2&a=1"


def test_query_order_can_be_ignored() -> None:
    rules = KeyRules(ignore_query_order=True)
    assert urls.key("http://a.b/?y=2&x=1&x=0", rules) == urls.key("http://a.b/?x=0&x=1&y=2", rules)
    assert urls.key("http://a.b/?x=1", rules) != urls.key("http://a.b/?x=1&x=1", rules)


def test_parameters_can_be_ignored_by_name_and_by_prefix() -> None:
    rules = KeyRules(ignore_params=("utm_*", "sid"))
    url = "http://a.b/c?utm_source=x&Q=%7e+1&sid=4&utm%5Fmedium=y&side=1&novalue&sid"
    assert urls.key(url, rules) == "http://a.b/c?Q=%7e+1&side=1&novalue"
    assert urls.key("http://a.b/c?sid=1", rules) == urls.key("http://a.b/c", rules)
    assert urls.key("http://a.b/c?", rules) == "http://a.b/c"


@given(ROUGH, st.builds(KeyRules, st.booleans(), st.sampled_from([(), ("a*",), ("b", "=")])))
def test_a_key_is_its_own_key(query: str, rules: KeyRules) -> None:
    key = urls.key(f"http://a.b/?{query}", rules)
    assert urls.key(key, rules) == key


@pytest.mark.parametrize(
    ("url", "host", "hostname", "origin"),
    [
        ("http://a.b/", "a.b", "a.b", "http://a.b"),
        ("https://a.b/x@y:1//z?q@r", "a.b", "a.b", "https://a.b"),
        ("http://a.b:8080/?//", "a.b:8080", "a.b", "http://a.b:8080"),
        ("http://user:pw@a.b:1/", "a.b:1", "a.b", "http://a.b:1"),
        ("http://u@[::1]/", "[::1]", "[::1]", "http://[::1]"),
        ("http://[::1]:81/", "[::1]:81", "[::1]", "http://[::1]:81"),
    ],
)
def test_a_canonical_url_is_cut_into_host_and_origin(
    url: str, host: str, hostname: str, origin: str
) -> None:
    assert urls.host_of(url) == host
    assert urls.hostname_of(url) == hostname
    assert urls.origin_of(url) == origin


@given(ROUGH.map("http://{}".format))
def test_hosts_are_those_the_parser_sees(text: str) -> None:
    try:
        url = urls.canonicalize(text)
    except InvalidUrl:
        return
    parsed = ada_url.URL(url)
    assert (urls.host_of(url), urls.hostname_of(url)) == (parsed.host, parsed.hostname)
    assert urls.origin_of(url) == parsed.origin


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.example.com", "example.com"),
        ("WWW.Example.COM.", "example.com"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("co.uk", None),
        ("com", None),
        ("localhost", None),
        ("user.github.io", "user.github.io"),
        ("x.user.github.io", "user.github.io"),
        ("github.io", None),
        ("www.ck", "www.ck"),
        ("a.b.ck", "a.b.ck"),
        ("b.ck", None),
        ("a.example.unheardof", "example.unheardof"),
        ("www.食狮.公司.cn", "食狮.公司.cn"),
        ("www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"),
        ("127.0.0.1", None),
        ("[::1]", None),
        ("::1", None),
        ("a..com", None),
        ("", None),
        (".", None),
    ],
)
def test_the_registrable_domain_is_one_label_above_a_public_suffix(
    host: str, domain: str | None
) -> None:
    assert urls.registrable_domain(host) == domain


def test_yarl_keeps_every_byte() -> None:
    url = urls.canonicalize("http://a.b/%7e%41'(x)?q=%27+a%20b&c=|")
    assert str(urls.to_yarl(url)) == url


def test_importing_costs_neither_yarl_nor_the_suffix_list() -> None:
    code = (
        "import sys, crawler.urls as urls;"
        "print('yarl' in sys.modules, urls._suffixes.cache_info().currsize)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["False", "0"]


BASES = st.builds(
    lambda path, query: urls.canonicalize(f"http://u:p@example.com:81/{path}{query}"),
    st.text(alphabet="ab/.%-~", max_size=20),
    st.sampled_from(["", "?", "?a/b=c/../d"]),
)
HREFS = st.one_of(
    ROUGH,
    TIDY,
    st.builds(
        "".join,
        st.lists(st.sampled_from(["../", "./", "/", "a", "b.html", "?q=1", "#f", " ", ":"])),
    ),
)


# Pieces that end, begin or hide something in a URL.
HOSTILE = st.lists(
    st.sampled_from(
        [
            "/",
            "//",
            "///",
            "\\",
            "/\\",
            "..",
            ".",
            "%2e",
            "%2E.",
            "%2f",
            "%00",
            "%",
            "%zz",
            "?",
            "#",
        ]
        + [":", "@", "&", "=", ";", "http:", "https:", "HTTP://", "https:/", "javascript:", "//a.b"]
        + ["http://x.y", "http:x", "x", "b.html", "~", "|", "'", '"', "<", "{", "^", "`", "[::1]"]
        + [" ", "\t", "\n", "\r", "\x00", "\x1f", "\x7f", "\u00a0", "\u3000", "\ufeff", "\u200b"]
        + ["é", "ß", "ﬁ", "。", "%E9", "\ud800", "\U0001f600", "xn--", "0x7f.1", ":80", "u:p@", "+"]
    ),
    max_size=8,
).map("".join)


@given(HOSTILE | HOSTILE.map("http://a.b{}".format) | HOSTILE.map("https:{}".format))
def test_whatever_is_admitted_stays_as_it_is(text: str) -> None:
    for read in (urls.canonicalize, lambda href: urls.join("https://u:p@a.b/c/d?e", href)):
        try:
            url = read(text)
        except InvalidUrl:
            continue
        assert urls.canonicalize(url) == url
        assert urls.join("http://x.y/", url) == url
        assert url.isascii()
        assert url.isprintable()
        assert not set(url) & set(" #<>")
        assert "\\" not in url.partition("?")[0]
        assert url.startswith(urls.SCHEMES)
        assert 0 < len(urls.hostname_of(url)) <= 254
        for rules in (KeyRules(ignore_query_order=True), KeyRules(ignore_params=("a*", "e"))):
            key = urls.key(url, rules)
            assert urls.key(key, rules) == key


@given(st.lists(st.tuples(BASES, HREFS | HOSTILE), max_size=8))
def test_a_joiner_gives_what_join_gives(pairs: list[tuple[str, str]]) -> None:
    for base, href in (*pairs, *pairs):
        join = Joiner(base)
        try:
            url = urls.without_credentials(urls.join(base, href))
        except InvalidUrl:
            url = None
        assert [join(href), join(href)] == [url, url]


def test_documents_of_a_folder_share_what_goes_by_the_folder_only() -> None:
    for name in ("a", "b", "c?d"):
        join = Joiner(f"http://a.b/{name}")
        assert [join(href) for href in ("e", "?f", "http:?g", "#h", "")] == [
            "http://a.b/e",
            f"http://a.b/{name[:1]}?f",
            f"http://a.b/{name[:1]}?g",
            *[f"http://a.b/{name}"] * 2,
        ]


def test_what_joiners_share_is_bounded() -> None:
    joined = _Joined()
    folders = [joined.of(f"http://a.b/{number}/") for number in range(joined.MOST_FOLDERS)]
    kept = sum(joined.has_room(20) for _ in range(2 * joined.MOST_HREFS))
    assert kept == joined.MOST_HREFS
    assert not joined.has_room(20)
    assert joined.of("http://a.b/0/") is not folders[0]
    assert joined.has_room(joined.LONGEST)
    assert not joined.has_room(joined.LONGEST + 1)


def test_what_is_not_kept_is_joined_all_the_same() -> None:
    long = "x" * 1_000
    for _ in range(2):
        join = Joiner("http://a.b/x")
        for number in range(70_000):
            assert join(f"{number}") == f"http://a.b/{number}"
        assert join("1") == join("1#a") == "http://a.b/1"
        assert join(long) == f"http://a.b/{long}"


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("b.html", "http://example.com/x/y/b.html"),
        ("../b/", "http://example.com/x/b/"),
        ("../../../b", "http://example.com/b"),
        ("/b?c=/../d", "http://example.com/b?c=/../d"),
        ("", "http://example.com/x/y/a?q"),
        ("#top", "http://example.com/x/y/a?q"),
        ("b #top", "http://example.com/x/y/b%20"),
        ("b ", "http://example.com/x/y/b"),
        ("?r", "http://example.com/x/y/a?r"),
        ("//other.example", "http://other.example/"),
        ("mailto:somebody", None),
    ],
)
def test_a_joiner_resolves_as_browsers_do(href: str, url: str | None) -> None:
    assert Joiner("http://example.com/x/y/a?q")(href) == url


def test_half_of_a_surrogate_pair_is_a_character_that_was_lost() -> None:
    assert urls.canonicalize("http://a.b/\ud800?\udfff") == "http://a.b/%EF%BF%BD?%EF%BF%BD"
    assert urls.join("http://a.b/c", "d#\ud800") == "http://a.b/d"
    with pytest.raises(InvalidUrl):
        urls.canonicalize("http://\ud800/")

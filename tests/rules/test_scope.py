"""Which URLs belong to a crawl."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import SpiderError
from crawler.request import Request
from crawler.response import Response
from crawler.rules.scope import Scope
from crawler.spider import Spider
from tests.harness import crawl, html

LABELS = st.lists(st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True), min_size=1, max_size=4)


def admitted(scope: Scope, *urls: str) -> list[str]:
    return [url for url in urls if scope.refusal(url) is None]


def test_without_a_word_the_hosts_of_the_seeds_are_home() -> None:
    scope = Scope()
    assert scope.refusal("http://a.example/") == "offsite"
    scope.add_seed("http://a.example/deep?q")
    scope.add_seed("http://b.example:8080/")
    inside = ["http://a.example/", "https://a.example/x", "http://b.example:8080/x"]
    outside = ["http://www.a.example/", "http://a.example:81/", "http://b.example/"]
    assert admitted(scope, *inside, *outside) == inside


@pytest.mark.parametrize(
    ("domain", "inside", "outside"),
    [
        ("example.com", ["example.com", "a.b.example.com", "example.com:8080"], ["notexample.com"]),
        ("EXAMPLE.com", ["example.com", "www.example.com"], ["com", "example.com.evil.org"]),
        ("example.com.", ["example.com", "example.com.", "a.example.com."], ["com"]),
        (".example.com", ["example.com", "a.example.com"], ["com"]),
        ("*.example.com", ["example.com", "a.example.com"], ["com"]),
        ("bücher.example", ["xn--bcher-kva.example", "a.xn--bcher-kva.example"], ["example"]),
        ("localhost", ["localhost", "localhost:8000", "a.localhost"], ["localhost.example"]),
        ("127.0.0.1", ["127.0.0.1", "127.0.0.1:8000"], ["127.0.0.2", "1.0.0.127"]),
        ("[::1]", ["[::1]", "[::1]:8000"], ["[::2]", "1"]),
        ("::1", ["[::1]"], ["[::2]"]),
        ("*", ["anywhere.example", "[::1]", "10.0.0.1"], []),
    ],
)
def test_a_domain_includes_its_subdomains_and_ports(
    domain: str, inside: list[str], outside: list[str]
) -> None:
    hosts = [f"http://{host}/" for host in inside + outside]
    assert admitted(Scope(domains=[domain]), *hosts) == hosts[: len(inside)]


@given(LABELS, LABELS)
def test_a_host_is_home_if_its_last_labels_are_the_domain(
    host: list[str], domain: list[str]
) -> None:
    scope = Scope(domains=[".".join(domain)])
    home = host[-len(domain) :] == domain
    for _ in range(2):  # the second answer is remembered
        assert (scope.refusal(f"http://{'.'.join(host)}/") is None) == home


@pytest.mark.parametrize(
    "domain",
    [
        *("http://example.com", "example.com/", "example.com:80", "[::1]:80", "me@example.com"),
        *("example.com?x", "example.com#x", "a\\b", "", " ", "**", "a.*.com", "a b", 3, None),
    ],
)
def test_what_is_no_host_name_is_refused(domain: Any) -> None:
    with pytest.raises(SpiderError) as caught:
        Scope(domains=[domain])
    expected = "allowed_domains must hold host names without port, as 'example.com', got"
    assert str(caught.value) == f"{expected} {domain!r}"


@pytest.mark.parametrize(
    ("prefix", "inside", "outside"),
    [
        ("http://a/doc", ["http://a/doc", "http://a/docs/x", "http://a/doc?q"], ["http://a/do"]),
        ("http://a/doc/", ["http://a/doc/", "http://a/doc/x"], ["http://a/doc", "http://a/docs/"]),
        ("HTTP://A:80", ["http://a/", "http://a/x"], ["http://a.b/", "https://a/", "http://a:81/"]),
        ("http://a/x?id=#part", ["http://a/x?id=1"], ["http://a/x", "http://a/x?a&id=1"]),
        ("http://a/é", ["http://a/%C3%A9/x"], ["http://a/e"]),
    ],
)
def test_a_prefix_is_how_urls_begin(prefix: str, inside: list[str], outside: list[str]) -> None:
    assert admitted(Scope(prefixes=[prefix]), *inside, *outside) == inside


@pytest.mark.parametrize(
    ("domains", "inside"),
    [
        (["b"], ["http://b/doc"]),
        (["*"], ["http://a/doc", "http://b/doc"]),
        (["b", "*"], ["http://a/doc", "http://b/doc"]),
        (["c"], []),
    ],
)
def test_domains_and_prefixes_must_both_fit(domains: list[str], inside: list[str]) -> None:
    scope = Scope(domains=domains, prefixes=["http://a/doc", "http://b/doc"])
    scope.add_seed("http://a/seed")
    assert admitted(scope, "http://a/doc", "http://b/doc", "http://b/", "http://a/seed") == inside


def test_what_an_expression_finds_is_denied() -> None:
    scope = Scope(domains=["*"], deny=[r"/print/", re.compile(r"\?SORT=", re.IGNORECASE)])
    assert admitted(scope, "http://a/", "http://a/print/x", "http://a/?sort=1") == ["http://a/"]
    assert scope.refusal("http://a/print/x") == "denied"


@pytest.mark.parametrize(("most", "refused"), [(None, 9), (0, 1), (2, 3)])
def test_depth_is_counted_from_the_seeds(most: int | None, refused: int) -> None:
    scope = Scope(domains=["*"], max_depth=most)
    found = [scope.refusal("http://a/", depth=depth) for depth in range(9)]
    assert found == [None] * refused + ["too_deep"] * (9 - refused)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"domains": "example.com"}, "allowed_domains must be a list, got 'example.com'"),
        ({"prefixes": "http://a/"}, "allowed_prefixes must be a list, got 'http://a/'"),
        ({"deny": "/print/"}, "deny must be a list, got '/print/'"),
        ({"deny": 3}, "deny must be a list, got 3"),
        ({"deny": ["("]}, "deny must hold regular expressions, got '(': missing )"),
        ({"deny": [b"x"]}, "deny must hold regular expressions, got b'x': "),
        ({"deny": [None]}, "deny must hold regular expressions, got None: "),
        ({"prefixes": ["/doc"]}, "allowed_prefixes must hold URLs, got '/doc'"),
        ({"prefixes": [3]}, "allowed_prefixes must hold URLs, got 3"),
    ],
)
def test_what_cannot_be_a_scope_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(SpiderError, match=re.escape(words)):
        Scope(**arguments)


def test_nothing_may_be_said_as_none() -> None:
    nothing: Any = None
    scope = Scope(domains=nothing, prefixes=nothing, deny=nothing)
    scope.add_seed("http://a/")
    assert admitted(scope, "http://a/x", "http://b/") == ["http://a/x"]


class Moves(Spider[Any]):
    """`http://a.example/` moves by way of `b` to `c`; every page links to all three."""

    start_urls: Sequence[str] = ("http://a.example/",)

    def parse(self, page: Response) -> Iterable[object]:
        return page.follow_all()


async def moving(request: Request) -> Response:
    host, _, path = request.url.removeprefix("http://").partition("/")
    if not path and host != "c.example":
        target = {"a.example": "b.example", "b.example": "c.example"}[host]
        return html(request, status=301, Location=f"http://{target}/")
    links = (f"http://{name}.example/{name}" for name in "abcd")
    return html(request, "".join(f"<a href='{link}'>x</a>" for link in links))


def test_where_a_seed_is_redirected_to_joins_the_seeds() -> None:
    left = crawl(Moves(), moving)
    assert left.urls()[:3] == [f"http://{name}.example/" for name in "abc"]
    assert sorted(left.urls()[3:]) == [f"http://{name}.example/{name}" for name in "abc"]
    assert left.stats.counts["offsite"] == 4


def test_where_a_link_is_redirected_to_does_not() -> None:
    class Links(Moves):
        start_urls = ("http://c.example/",)

    async def answer(request: Request) -> Response:
        if request.url == "http://c.example/c":
            return html(request, status=302, Location="http://d.example/")
        return await moving(request)

    left = crawl(Links(), answer)
    assert left.urls() == ["http://c.example/", "http://c.example/c"]
    assert left.stats.counts["offsite"] == 4

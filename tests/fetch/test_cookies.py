from calendar import timegm

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import InvalidUrl
from crawler.fetch.cookies import CookieJar
from crawler.fetch.setcookie import Cookie, parse_date
from tests.growth import assert_costs, cpu_seconds

HOME = "https://home.example.org/"
NOW = 1_700_000_000.0
YEAR = 365 * 86_400.0


def kept(*headers: str, at: str = HOME, asked: str | None = None, later: float = 0.0) -> str:
    jar = CookieJar()
    for header in headers:
        jar.store(at, header, now=NOW)
    return jar.header(asked or at, now=NOW + later)


@pytest.mark.parametrize(
    ("header", "sent"),
    [
        ("foo=bar", "foo=bar"),
        ("  foo \t=\t bar ; x", "foo=bar"),
        ("foo=bar=baz", "foo=bar=baz"),
        ('foo="bar;baz"', 'foo="bar'),
        ('foo="bar"', 'foo="bar"'),
        ("foo", "foo"),
        ("=foo", "foo"),
        ("foo=", "foo="),
        ("foo=b\tar", "foo=b\tar"),
        ("föö=bär", "föö=bär"),
        ("foo=bar,baz=qux", "foo=bar,baz=qux"),
        ("", ""),
        ("=", ""),
        (" ; foo=bar", ""),
        ("=; path=/", ""),
        ("foo=b\x00ar", ""),
        ("foo=bar; path=/\x7f", ""),
        ("foo=b\nar", ""),
        ("foo=b\udcffar", ""),
    ],
)
def test_name_and_value_are_read_leniently(header: str, sent: str) -> None:
    assert kept(header) == sent


def test_name_and_value_together_may_have_4096_octets() -> None:
    assert kept("n=" + "v" * 4095)
    assert not kept("n=" + "v" * 4096)
    assert not kept("n=" + "é" * 2048)


def test_an_attribute_longer_than_1024_octets_does_not_count() -> None:
    assert kept(f"a=b; path=/{'x' * 1023}", asked=HOME) == ""
    assert kept(f"a=b; path=/{'x' * 1024}", asked=HOME) == "a=b"
    assert kept(f"a=b; path=/x; path=/{'x' * 1024}", asked=HOME + "x") == "a=b"


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", (1994, 11, 6, 8, 49, 37)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", (1994, 11, 6, 8, 49, 37)),
        ("Sun Nov  6 08:49:37 1994", (1994, 11, 6, 8, 49, 37)),
        ("Mon, 10-Dec-2007 17:02:24 GMT", (2007, 12, 10, 17, 2, 24)),
        ("Thu, 1 Jan 1970 0:0:0 GMT", (1970, 1, 1, 0, 0, 0)),
        ("1 jan 69 1:2:3", (2069, 1, 1, 1, 2, 3)),
        ("1 jan 70 1:2:3", (1970, 1, 1, 1, 2, 3)),
        ("23:59:59x 2031 decemberish 24", (2031, 12, 24, 23, 59, 59)),
        ("24 decemberish 2031 23:59:59x", (2031, 12, 24, 23, 59, 59)),
        ("24th/Dec/2031th 23:59:59 PST", (2031, 12, 24, 23, 59, 59)),
        ("29 Feb 2024 00:00:00", (2024, 2, 29, 0, 0, 0)),
        ("29 Feb 2023 00:00:00", None),
        ("32 Dec 2031 00:00:00", None),
        ("0 Dec 2031 00:00:00", None),
        ("1 Dec 1600 00:00:00", None),
        ("1 Dec 1601 00:00:00", (1601, 12, 1, 0, 0, 0)),
        ("1 Dec 20311 00:00:00", None),
        ("1 Dec 2031 24:00:00", None),
        ("1 Dec 2031 00:60:00", None),
        ("1 Dec 2031 00:00:60", None),
        ("1 Dec 2031 00:00:000", None),
        ("1 Dec 2031", None),
        ("Dec 2031 00:00:00", None),
        ("1 2031 00:00:00", None),
        ("", None),
    ],
)
def test_dates_are_found_in_any_order(date: str, moment: tuple[int, ...] | None) -> None:
    expected = None if moment is None else float(timegm(moment))
    assert parse_date(date) == expected


@pytest.mark.parametrize(
    ("attributes", "age", "alive"),
    [
        ("", 10 * YEAR, True),
        ("max-age=10", 9, True),
        ("max-age=10", 10, False),
        ("max-age=0", 0, False),
        ("max-age=-1", 0, False),
        ("max-age=-" + "9" * 1000, 0, False),
        ("max-age=" + "9" * 1000, 399 * 86_400, True),
        ("max-age=" + "9" * 1000, 401 * 86_400, False),
        ("max-age=0; max-age=10", 9, True),
        ("max-age=0; max-age=1x", 0, False),
        ("max-age=1.5", 10, True),
        ("max-age=+0", 10, True),
        ("max-age=", 10, True),
        ("max-age=10; expires=Thu, 01 Jan 1970 00:00:00 GMT", 9, True),
        ("expires=Thu, 01 Jan 1970 00:00:00 GMT; max-age=10", 9, True),
        ("expires=Thu, 01 Jan 1970 00:00:00 GMT", 0, False),
        ("expires=Thu, 01 Jan 9999 00:00:00 GMT", 399 * 86_400, True),
        ("expires=Thu, 01 Jan 9999 00:00:00 GMT", 401 * 86_400, False),
        ("expires=never", 10 * YEAR, True),
        ("expires=Thu, 01 Jan 1970 00:00:00 GMT; expires=never", 0, False),
    ],
)
def test_a_cookie_lives_as_long_as_it_says(attributes: str, age: float, alive: bool) -> None:
    assert kept(f"a=b; {attributes}", later=age) == ("a=b" if alive else "")


def test_an_expired_cookie_deletes_the_one_of_its_name() -> None:
    assert kept("a=b", "c=d", "a=; max-age=0") == "c=d"


@pytest.mark.parametrize(
    ("domain", "asked", "sent"),
    [
        ("", HOME, True),
        ("", "https://sub.home.example.org/", False),
        ("home.example.org", "https://sub.home.example.org/", True),
        (".home.example.org", "https://sub.home.example.org/", True),
        ("HOME.Example.ORG", HOME, True),
        ("example.org", "https://example.org/", True),
        ("example.org", "https://sibling.example.org:8443/x", True),
        ("example.org", "https://notexample.org/", False),
        ("..home.example.org", HOME, False),
        ("sub.home.example.org", HOME, False),
        ("sibling.example.org", HOME, False),
        ("e.example.org", HOME, False),
        ("org", HOME, False),
        (".org", HOME, False),
        ("home.example.org.", HOME, False),
        ("home.example.org:443", HOME, False),
        ("hörst.example.org", HOME, False),
        ("example.org; domain=", "https://example.org/", False),
        ("example.org; domain=", HOME, True),
        ("wrong.org; domain=example.org", HOME, True),
    ],
)
def test_the_domain_attribute_reaches_subdomains(domain: str, asked: str, sent: bool) -> None:
    assert kept(f"a=b; domain={domain}", asked=asked) == ("a=b" if sent else "")


def test_letters_that_only_look_ascii_when_lowered_match_no_domain() -> None:
    assert not kept("a=b; domain=\u212aiwi.example", at="https://kiwi.example/")


@pytest.mark.parametrize(
    ("at", "domain", "asked", "sent"),
    [
        ("https://github.io/", "github.io", "https://github.io/", True),
        ("https://github.io/", "github.io", "https://joe.github.io/", False),
        ("https://joe.github.io/", "github.io", "https://joe.github.io/", False),
        ("https://joe.github.io/", "joe.github.io", "https://a.joe.github.io/", True),
        ("http://127.0.0.1/", "127.0.0.1", "http://127.0.0.1/", True),
        ("http://127.0.0.1/", "0.0.1", "http://127.0.0.1/", False),
        ("http://127.0.0.1/", "1", "http://127.0.0.1/", False),
        ("http://[::1]/", "[::1]", "http://[::1]:8080/", True),
        ("http://localhost/", "localhost", "http://localhost/", True),
        ("http://localhost/", "localhost", "http://a.localhost/", False),
    ],
)
def test_public_suffixes_and_addresses_speak_for_themselves_only(
    at: str, domain: str, asked: str, sent: bool
) -> None:
    assert kept(f"a=b; domain={domain}", at=at, asked=asked) == ("a=b" if sent else "")


@pytest.mark.parametrize(
    ("at", "path", "asked", "sent"),
    [
        ("/a/b/c?x=/y/", None, "/a/b/d", True),
        ("/a/b/c", None, "/a/bc", False),
        ("/a", None, "/z", True),
        ("/a/", None, "/a", True),
        ("/a/", None, "/b", False),
        ("/", "/foo", "/foo", True),
        ("/", "/foo", "/foo?x", True),
        ("/", "/foo", "/foo/", True),
        ("/", "/foo", "/foobar", False),
        ("/", "/foo/", "/foo/bar", True),
        ("/", "/foo/", "/foo", False),
        ("/", "/FOO", "/foo", False),
        ("/x/y", "foo", "/x/z", True),
        ("/x/y", "", "/z", False),
        ("/", "/foo%2Fbar", "/foo/bar", False),
        ("/x/y", "/x; path=/", "/z", True),
        ("/x/y", "/; path=z", "/z", False),
    ],
)
def test_the_path_reaches_what_lies_below(
    at: str, path: str | None, asked: str, sent: bool
) -> None:
    header = "a=b" if path is None else f"a=b; path={path}"
    site = "https://example.org"
    assert kept(header, at=site + at, asked=site + asked) == ("a=b" if sent else "")


@pytest.mark.parametrize(
    ("at", "asked", "sent"),
    [
        ("https://example.org/", "https://example.org/", True),
        ("https://example.org/", "http://example.org/", False),
        ("http://example.org/", "https://example.org/", False),
        ("http://127.0.0.1/", "http://127.0.0.1:8080/", True),
        ("http://[::1]/", "http://[::1]/", True),
        ("http://localhost/", "http://localhost/", True),
        ("http://app.localhost/", "http://app.localhost/", True),
        ("http://127.example.org/", "http://127.example.org/", False),
    ],
)
def test_secure_cookies_travel_over_tls_and_within_the_machine(
    at: str, asked: str, sent: bool
) -> None:
    assert kept("a=b; SECURE=no", at=at, asked=asked) == ("a=b" if sent else "")


@pytest.mark.parametrize(
    ("old", "new", "at", "sent"),
    [
        ("a=1; secure", "a=2", "http://example.org/", "a=1"),
        ("a=1; secure; domain=example.org", "a=2", "http://www.example.org/", "a=1"),
        ("a=1; secure; path=/x", "a=2; path=/x/y", "http://example.org/", ""),
        ("a=1; secure; path=/x", "a=2; path=/", "http://example.org/", "a=2"),
        ("a=1; secure", "b=2", "http://example.org/", "a=1; b=2"),
        ("a=1; secure", "a=2", "https://example.org/", "a=2"),
        ("a=1", "a=2", "http://example.org/", "a=2"),
    ],
)
def test_plain_http_leaves_secure_cookies_alone(old: str, new: str, at: str, sent: str) -> None:
    jar = CookieJar()
    jar.store("https://example.org/", old, now=NOW)
    jar.store(at, new, now=NOW)
    assert jar.header("https://example.org/", now=NOW) == sent


@pytest.mark.parametrize(
    ("header", "stored"),
    [
        ("__Secure-a=b; secure", True),
        ("__Secure-a=b", False),
        ("__sEcUrE-a=b", False),
        ("__Host-a=b; secure; path=/", True),
        ("__host-a=b; secure; path=/", True),
        ("__Host-a=b; path=/", False),
        ("__Host-a=b; secure", False),
        ("__Host-a=b; secure; path=/x", False),
        ("__Host-a=b; secure; path=/; domain=home.example.org", False),
        ("__Hos-a=b", True),
        ("=__Host-a=b; secure; path=/", False),
        ("__Secure-a; secure", False),
        ("__Http-a=b; secure; httponly", True),
        ("__hTTP-a=b; secure", False),
        ("__Http-a=b; httponly", False),
        ("__Host-Http-a=b; secure; httponly; path=/", True),
        ("__host-http-a=b; secure; path=/", False),
        ("__Host-Http-a=b; secure; httponly; path=/x", False),
        ("=__HTTP-a=b; secure; httponly", False),
        ("a=b; samesite=none", False),
        ("a=b; samesite=none; secure", True),
        ("a=b; samesite=lax", True),
        ("a=b; samesite=strict; httponly", True),
    ],
)
def test_prefixes_and_samesite_none_ask_for_secure(header: str, stored: bool) -> None:
    assert bool(kept(header)) is stored


def test_longer_paths_come_first_and_then_older_cookies() -> None:
    headers = ["a=1; path=/", "b=2; path=/x/", "c=3; path=/x/y", "d=4; path=/", "a=5; path=/"]
    assert kept(*headers, asked=HOME + "x/y") == "c=3; b=2; a=5; d=4"


def test_a_host_cookie_and_a_domain_cookie_of_one_name_are_two() -> None:
    assert kept("a=1", "a=2; domain=home.example.org") == "a=1; a=2"


def test_a_site_keeps_180_cookies_and_loses_insecure_and_unused_ones_first() -> None:
    jar = CookieJar()
    jar.store(HOME, "safe=1; secure", now=NOW)
    jar.store(HOME + "in/use", "used=1; path=/in/use", now=NOW)
    for number in range(300):
        jar.store(HOME, f"n{number}=1; path=/n", now=NOW)
        jar.header(HOME + "in/use", now=NOW)
    names = [cookie.name for cookie in jar.dump()]
    assert len(names) == 180
    assert names[:2] == ["safe", "used"]
    jar.store("https://other.example/", "a=b", now=NOW)
    assert len(jar.dump()) == 181


def test_the_jar_keeps_3000_cookies_the_latest_used() -> None:
    jar = CookieJar()
    for number in range(3001):
        if number == 3000:
            assert jar.header("https://site0.example/", now=NOW) == "a=0"
        jar.store(f"https://site{number}.example/", f"a={number}", now=NOW)
    assert len(jar.dump()) == 3000
    assert jar.header("https://site0.example/", now=NOW) == "a=0"
    assert jar.header("https://site1.example/", now=NOW) == ""
    assert jar.header("https://site3000.example/", now=NOW) == "a=3000"


def test_expired_cookies_make_room_before_live_ones() -> None:
    jar = CookieJar()
    jar.store(HOME, "old=1", now=NOW)
    for number in range(179):
        jar.store(HOME, f"n{number}=1; max-age=5", now=NOW)
    jar.store(HOME, "new=1", now=NOW + 5)
    assert jar.header(HOME, now=NOW + 5) == "old=1; new=1"


def test_a_dump_can_be_written_and_loaded() -> None:
    jar = CookieJar()
    jar.store(HOME, "b=1; domain=example.org; max-age=50; httponly", now=NOW)
    jar.store(HOME, "a=2; secure", now=NOW)
    jar.store(HOME, "c=3; max-age=5", now=NOW)
    written = msgspec.json.encode(jar.dump())
    again = CookieJar()
    again.load(msgspec.json.decode(written, type=list[Cookie]), now=NOW + 5)
    assert again.header(HOME, now=NOW + 5) == "b=1; a=2"
    assert [cookie.http_only for cookie in again.dump()] == [True, False]
    assert again.header(HOME, now=NOW + 50) == "a=2"


def test_a_cookie_header_has_at_most_8000_bytes_of_whole_cookies() -> None:
    headers = [f"n{number:02}={'é' * 500}; path=/" for number in range(20)]
    deep = [f"deep{number}={'x' * 3000}; path=/a/b" for number in range(2)]
    sent = kept(*headers, "small=1; path=/", *deep, asked=HOME + "a/b")
    names = [pair.partition("=")[0] for pair in sent.split("; ")]
    assert names == ["deep0", "deep1", "n00", "small"]
    assert len(kept(*headers).encode()) == 7 * 1004 + 6 * 2
    assert all(len(pair) == 504 for pair in kept(*headers).split("; "))


def test_what_a_header_holds_already_counts_and_is_not_sent_twice() -> None:
    jar = CookieJar()
    jar.store(HOME, "a=1", "b=2", f"c={'x' * 900}", now=NOW)
    assert jar.header(HOME, besides={"a"}, now=NOW).startswith("b=2; c=x")
    assert jar.header(HOME, beside="y" * 7_200, now=NOW) == "a=1; b=2"
    assert jar.header(HOME, beside="y" * 7_998, now=NOW) == ""


FLOODS = {
    "new": "n{}=1",
    "gone": "n{}=; max-age=0",
    "short": "n{}=1; max-age=1",
    "other paths": "n=1; path=/{}",
    "other dates": "n{}=1; expires=Thu, 01 Jan 2032 00:00:00 GMT",
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_flood_of_cookies_costs_linear_time(flood: str, scheme: str) -> None:
    def seconds(number: int) -> float:
        jar = CookieJar()
        for site in range(600):
            jar.store(f"https://site{site}.example/", *(f"c{n}=1; secure" for n in range(4)))
        jar.store(HOME, *(f"s{n}=1; secure" for n in range(150)))
        headers = [flood.format(n) for n in range(number)]
        taken = cpu_seconds(lambda: jar.store(f"{scheme}{HOME[5:]}", *headers))
        assert len(jar.dump()) <= 2_580
        return taken

    assert_costs(lambda: seconds(4_000), at_most=8, times=lambda: seconds(1_000), slack=0.005)


def test_cookies_of_one_response_keep_their_order_whoever_keeps_them() -> None:
    jar, again = CookieJar(), CookieJar()
    jar.store(HOME, "b=1", "c=2; max-age=9", "a=3", "c=; max-age=0", "d=4", now=NOW)
    again.load(reversed(jar.dump()), now=NOW)
    assert again.header(HOME, now=NOW) == jar.header(HOME, now=NOW) == "b=1; a=3; d=4"


def told(source: CookieJar, jar: CookieJar) -> None:
    for key, cookie in source.changed().items():
        jar.take(key, cookie)


def test_what_two_processes_got_at_the_same_time_is_kept_side_by_side() -> None:
    jar, other = CookieJar(), CookieJar()
    jar.store(HOME, "a=1", now=NOW)
    other.store(HOME, "b=1", now=NOW + 1)
    told(other, jar)
    told(jar, other)
    assert jar.header(HOME, now=NOW) == other.header(HOME, now=NOW) == "a=1; b=1"
    assert not jar.changed()
    assert not other.changed()


def test_what_is_new_here_is_not_undone_by_what_another_process_had_before() -> None:
    jar, other = CookieJar(), CookieJar()
    other.store(HOME, "a=theirs", now=NOW)
    jar.store(HOME, "a=ours", now=NOW)
    told(other, jar)
    assert jar.header(HOME, now=NOW) == "a=ours"
    told(jar, other)
    assert other.header(HOME, now=NOW) == "a=ours"


def test_what_is_gone_in_one_process_is_gone_in_the_other() -> None:
    jar, other = CookieJar(), CookieJar()
    jar.store(HOME, "a=1", now=NOW)
    told(jar, other)
    other.store(HOME, "a=; max-age=0", now=NOW)
    told(other, jar)
    assert jar.header(HOME, now=NOW) == other.header(HOME, now=NOW) == ""
    assert not jar.changed()


def test_a_cookie_that_is_set_anew_keeps_its_place() -> None:
    jar = CookieJar()
    jar.store(HOME, "a=1", now=NOW)
    jar.store(HOME, "b=1", now=NOW + 1)
    jar.store(HOME, "a=2", now=NOW + 2)
    assert jar.header(HOME, now=NOW + 2) == "a=2; b=1"


def test_a_url_that_is_none_is_said() -> None:
    with pytest.raises(InvalidUrl):
        CookieJar().store("mailto:joe@example.org", "a=b", now=NOW)


ATTRIBUTES = st.sampled_from(["; path=", "; domain=", "; expires=", "; max-age=", "; secure", "="])
TEXT = st.text(max_size=12) | st.from_regex(r"[0-9: ]{1,20}(jan)?", fullmatch=True)


@given(st.lists(st.lists(ATTRIBUTES | TEXT, max_size=8).map("".join), max_size=5))
@settings(max_examples=200)
def test_no_header_makes_it_raise(headers: list[str]) -> None:
    sent = kept(*headers)
    assert not any(char in sent for char in "\r\n\0")
    sent.encode()

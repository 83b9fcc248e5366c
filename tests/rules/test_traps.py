"""Traps: found by the looks of a URL, and hardly ever where there is none."""

from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest

from crawler.rules.shapes import shape_of
from crawler.rules.traps import far_date, is_surely_session, trap_of, without_session

DOCS = [Path("/usr/share/doc"), Path("/usr/lib/python3")]


def kind(path: str) -> str | None:
    """What the path looks like; in brackets if that is not sure."""
    trap = trap_of(f"http://h{path}", year=2026)
    return trap and (trap.kind if trap.is_sure else f"({trap.kind})")


@pytest.mark.parametrize(
    "path",
    [
        "/a/b/a/b/a/b",
        "/a/b/a/b/a/b/",
        "/x/a/b/c/a/b/c/a/b/c/y",
        "/about/about/about/about/index.html",
        "/about/about/about/about",
        "/1/1/1/1/1",
        "/x/a/a/b/x/a/b/b/x/a/b/a",
        "/s?a=1&a=1&a=1",
        "/s?a=1&b=2&a=1&b=3&a=1",
        "/about/about/about/?a=1&a=1&a=1",
    ],
)
def test_what_is_there_three_times_is_a_repetition(path: str) -> None:
    assert kind(path) == "repetition"


@pytest.mark.parametrize(
    "path",
    [
        "/new-york/new-york/new-york/",
        "/about/about/about/index.html",
        "/about/about/about",
        "/pkg/src/main/java/src/test/java/src/x/src/y/src/z",
        "/node_modules/a/node_modules/b/node_modules/c/node_modules/d/node_modules/e/index.js",
        "/x/a/x/b/x/c/x/d/x/e",
    ],
)
def test_a_word_three_times_in_a_row_or_all_over_is_a_sign(path: str) -> None:
    assert kind(path) == "(repetition)"


def test_a_sure_trap_counts_more_than_a_sign_before_it() -> None:
    assert kind("/about/about/about/?" + "&".join(f"p{n}=1" for n in range(31))) == "query"
    assert kind("/calendar/2077/01/?a=1&a=1&a=1") == "repetition"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/" + "/".join(f"s{n}" for n in range(22)), "depth"),
        ("/" + "/".join(f"s{n}" for n in range(20)), None),
        ("/s?" + "&".join(f"p{n}=1" for n in range(31)), "query"),
        ("/s?" + "&".join(f"p{n}=1" for n in range(30)), None),
    ],
)
def test_too_deep_a_path_and_too_many_parameters_are_traps(path: str, found: str | None) -> None:
    assert kind(path) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/calendar/2077/01/", "(calendar)"),
        ("/calendar/2077/01", "(calendar)"),
        ("/calendar/2077/01/05", "(calendar)"),
        ("/events/2030-11-05", "(calendar)"),
        ("/events?date=2030-11-05", "(calendar)"),
        ("/?year=2077&month=3", "(calendar)"),
        ("/cal?filter[year]=9999", "(calendar)"),
        ("/cal.php?month=2077-03", "(calendar)"),
        ("/calendar/2029/01/", None),
        ("/calendar/1950/01/05", "(calendar)"),
        ("/archive/2077/05/03/slug", "(calendar)"),
        ("/archive/1851/09/18/slug", None),
        ("/part/2845-11", None),
        ("/?update=4012", None),
        ("/events/2045/10/", "(calendar)"),
        ("/events/4512/10/comments", None),
        ("/events/1234/5", None),
        ("/list?from=4512-10", None),
        ("/list?from=4512-10-01", "(calendar)"),
        ("/people?year=1888", None),
    ],
)
def test_a_date_far_from_now_is_a_sign(path: str, found: str | None) -> None:
    assert kind(path) == found


@pytest.mark.parametrize(
    ("path", "date"),
    [
        ("/calendar/2077/01/", "2077/01"),
        ("/calendar/2077/01/05", "2077/01/05"),
        ("/events/2030-11-05-party", "2030-11-05"),
        ("/calendar/2077/01/1234", "2077/01"),
        ("/list?date=2030-11-05", "2030-11-05"),
        ("/cal.php?month=2077-03", "2077-03"),
        ("/?year=2077&month=3&day=12&page=4", "20773 12"),
        ("/calendar/2027/01/", ""),
        ("/calendar/1950/01/05", ""),
        ("/?a=b", ""),
    ],
)
def test_a_far_date_is_told_from_others_of_its_calendar(path: str, date: str) -> None:
    assert far_date(f"http://h{path}", year=2026) == date


@pytest.mark.parametrize(
    "path",
    [
        "/page;jsessionid=0A1B2C3D4E5F60718293A4B5C6D7E8F9",
        "/page;jsessionid=0A1B2C3D4E5F60718293A4B5C6D7E8F9/next",
        "/?PHPSESSID=0123456789abcdef0123456789abcdef",
        "/viewtopic.php?t=1&sid=0123456789abcdef0123456789abcdef",
        "/(S(abcdefghij0123456789abcd))/page.aspx",
        "/?CFID=1234&CFTOKEN=98765432",
        "/?session_id=q1c8v2m0l9k3j4h5g6f7d8s9a0",
    ],
)
def test_a_session_in_a_url_is_named_and_no_reason_to_leave_it_out(path: str) -> None:
    assert kind(path) == "(session)"
    assert kind(without_session(path)) is None


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("http://h/?a=1&sid=0123456789abcdef0123456789abcdef&b=2", "http://h/?a=1&b=2"),
        ("http://h/x;jsessionid=0123456789ABCDEF!node1/y?z", "http://h/x/y?z"),
        ("http://h/(S(0123456789abcdef0))/x", "http://h/x"),
        ("http://h/?sid=short", "http://h/?sid=short"),
    ],
)
def test_without_its_session_a_url_says_which_page_it_is(url: str, page: str) -> None:
    assert without_session(url) == page


def test_a_maze_of_two_folders_ends() -> None:
    level, found = ["http://h/"], 0
    while level:
        below = [url + name for url in level for name in ("a/", "b/")]
        level = [url for url in below if trap_of(url, year=2026) is None]
        found += len(level)
    assert 50 < found < 300


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/2019/05/03/slug",
        "/2011/11/11/",
        "/archives/2020-02-02.html",
        "/wiki/Special:RecentChanges",
        "/w/index.php?title=Talk:A&action=edit&oldid=20991231",
        "/shop?color=red&color=blue&color=green&size=3&page=2",
        "/shop/a/b/a/b",
        "/en/docs/en/api",
        "/maven2/junit/junit/4.12/",
        "/tiles/3/3/3",
        "/a//b//c//d",
        "/x////y",
        "/?s=a-long-search-for-2001-a-space-odyssey",
        "/rfc/rfc9110.html",
        "/cve/CVE-2026-12345",
        "/search?q=year&from=2020-01-01&to=2026-12-31",
        "/schedule/2027/03/",
        "/search?tag[]=&tag[]=&tag[]=&q=x",
        "/talk?session_id=icml2026_paper_00001",
        "/shop?sid=some_seller_name_3",
        "/station?sid=USW00000003AB12345",
        "/shop?sid=0123456789abcdef0123456789abcdef-blue-shoes",
    ],
)
def test_what_real_sites_have_is_no_trap(path: str) -> None:
    assert kind(path) is None


def test_no_file_of_real_documentation_is_taken_for_a_trap() -> None:
    files = [file for top in DOCS if top.is_dir() for file in top.rglob("*") if file.is_file()]
    if not files:
        pytest.skip("no documentation here: apt-get install python3-doc postgresql-doc")
    found = {file for file in files if kind(quote(str(file)))}
    assert not found


def test_any_url_is_judged() -> None:
    random = Random(7)
    for _ in range(3_000):
        path = "".join(random.choices("/ab1-;=&?.()%", k=random.randint(0, 60)))
        trap_of(f"http://h/{path}", year=2026)


@pytest.mark.parametrize(
    "piece",
    [
        "a/",
        "a",
        "2077-",
        "2077/",
        ";aspsessionid",
        "?sid=",
        "?cfid=",
        "?sid=a1",
        "&a=1",
        "_year=",
        "[",
        "%5B",
        "&a[b]=",
        "?sid=a1b2",
        "(s(",
        "1",
        ".",
    ],
)
def test_a_hostile_url_of_a_megabyte_takes_no_time(piece: str) -> None:
    # Quadratic, each would take minutes.
    for before in ("/", "/calendar/", "/x?"):
        url = f"http://h{before}{piece * (1_000_000 // len(piece))}"
        trap_of(url, year=2026)
        shape_of(url)
        without_session(url)
        far_date(url, year=2026)
        is_surely_session(url, 21)

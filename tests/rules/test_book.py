import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from crawler.errors import (
    BodyError,
    ConnectError,
    DnsError,
    FetchError,
    RedirectError,
    RobotsDenied,
    RobotsUnreachable,
    TimedOut,
)
from crawler.outcome import HostNotes
from crawler.request import Request
from crawler.response import Response
from crawler.rules import book as book_module
from crawler.rules.book import MOST_BYTES, RobotsBook, lasting, notes_of

AGENT = "crawlkeeper/0.1 (+https://example.org)"
RULES = b"User-agent: *\nDisallow: /private\n"


def answer(status: int, body: bytes = b"") -> Response:
    url = "http://a.example/robots.txt"
    headers = CIMultiDictProxy(CIMultiDict({"Content-Type": "text/plain"}))
    return Response(url, request=Request(url), status=status, headers=headers, body=body)


def test_a_host_nobody_asked_yet_is_not_judged() -> None:
    assert RobotsBook(AGENT).check("http://a.example/private") is None


def test_what_robots_txt_forbids_is_denied() -> None:
    book = RobotsBook(AGENT)
    book.learn("a.example", HostNotes(robots=RULES))
    assert isinstance(book.check("http://a.example/private/x"), RobotsDenied)
    assert book.check("http://a.example/public") is None
    assert book.check("http://b.example/private") is None


def test_both_schemes_are_one_host_and_another_port_is_another() -> None:
    book = RobotsBook(AGENT)
    book.learn("a.example", HostNotes(robots=RULES))
    assert isinstance(book.check("https://a.example/private"), RobotsDenied)
    assert book.check("http://a.example:8080/private") is None


def test_rules_for_our_name_win_over_those_for_all() -> None:
    book = RobotsBook(AGENT)
    rules = RULES + b"\nUser-agent: crawlkeeper\nDisallow: /ours\n"
    book.learn("a.example", HostNotes(robots=rules))
    assert book.check("http://a.example/private") is None
    assert isinstance(book.check("http://a.example/ours"), RobotsDenied)


def test_an_unreachable_robots_txt_forbids_everything_and_says_why() -> None:
    book = RobotsBook(AGENT)
    book.learn("a.example", HostNotes(unreachable="HTTP status 503"))
    refusal = book.check("http://a.example/x")
    assert isinstance(refusal, RobotsUnreachable)
    assert str(refusal) == "robots.txt unreachable: HTTP status 503"
    assert refusal.url == "http://a.example/x"


def test_what_is_learned_later_replaces_what_was() -> None:
    book = RobotsBook(AGENT)
    book.learn("a.example", HostNotes(robots=RULES))
    assert book.check("http://a.example/private") is not None
    book.learn("a.example", HostNotes())
    assert book.check("http://a.example/private") is None


def test_a_forgotten_host_is_unknown_again() -> None:
    book = RobotsBook(AGENT)
    book.learn("a.example", HostNotes(robots=RULES))
    book.forget("a.example")
    book.forget("never.example")
    assert book.check("http://a.example/private") is None


def test_more_hosts_than_are_kept_parsed_are_still_judged() -> None:
    book = RobotsBook(AGENT)
    hosts = [f"h{n}.example" for n in range(book_module._MOST_PARSED + 10)]
    for host in hosts:
        book.learn(host, HostNotes(robots=RULES))
    for host in (*hosts, *hosts[:10]):
        assert isinstance(book.check(f"http://{host}/private"), RobotsDenied)
    assert len(book._parsed) == book_module._MOST_PARSED


def test_a_success_is_read_for_rules_delay_and_sitemaps() -> None:
    body = RULES + b"Crawl-delay: 3\nSitemap: http://a.example/sitemap.xml\n"
    notes = notes_of(answer(200, body), None, AGENT)
    assert notes.robots == body
    assert notes.crawl_delay == 3.0
    assert notes.sitemaps == ("http://a.example/sitemap.xml",)
    assert notes.unreachable is None


@pytest.mark.parametrize("status", [301, 304, 400, 401, 403, 404, 410])
def test_an_answer_without_rules_allows_all(status: int) -> None:
    assert notes_of(answer(status, RULES), None, AGENT) == HostNotes()


@pytest.mark.parametrize("status", [429, 500, 503, 599])
def test_a_server_in_trouble_is_not_asked(status: int) -> None:
    notes = notes_of(answer(status, RULES), None, AGENT)
    assert notes == HostNotes(unreachable=f"HTTP status {status}")


@pytest.mark.parametrize(
    "error", [DnsError("no\nname"), ConnectError("x"), BodyError("y"), TimedOut("z")]
)
def test_a_failure_is_unreachable_in_one_line(error: FetchError) -> None:
    notes = notes_of(None, error, AGENT)
    assert notes.unreachable == " ".join(str(error).split())


def test_redirects_without_end_mean_that_there_is_none() -> None:
    assert notes_of(None, RedirectError("too many"), AGENT) == HostNotes()


def test_no_more_than_500_kib_are_kept() -> None:
    notes = notes_of(answer(200, b"#" * MOST_BYTES + RULES), None, AGENT)
    assert len(notes.robots) == MOST_BYTES


def test_a_robots_txt_lasts_a_day_and_one_out_of_reach_ten_minutes() -> None:
    day = lasting(HostNotes(robots=RULES), 1000.0)
    assert (day.robots, day.until) == (RULES, 1000.0 + 24 * 3600)
    assert lasting(HostNotes(unreachable="HTTP status 503"), 1000.0).until == 1600.0

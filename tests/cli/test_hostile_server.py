"""One crawl over a server of hundreds of misbehaviours: survived, and told as it was."""

import asyncio
from base64 import b64encode
from collections import Counter
from urllib.parse import urlsplit

import pytest

from tests.mockserver import cookies, good, redirects, traps
from tests.mockserver.crawling import SECRETS, Crawled, crawl_all, wrong_ends
from tests.mockserver.server import FRONT, INNER, MockServer
from tests.mockserver.table import Theme, linked
from tests.test_accounting import unaccounted

_PEAK_BYTES = 300_000_000
_COOKIE_BYTES = 8_192


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Crawled, MockServer]:
    """The one crawl that all tests here look at, and what the server heard of it."""
    folder = tmp_path_factory.mktemp("hostile") / "project"
    folder.mkdir()

    async def crawl() -> tuple[Crawled, MockServer]:
        async with MockServer() as server:
            return await crawl_all(folder, server), server

    return asyncio.run(crawl())


@pytest.fixture(scope="module")
def crawled(whole: tuple[Crawled, MockServer]) -> Crawled:
    return whole[0]


@pytest.fixture(scope="module")
def server(whole: tuple[Crawled, MockServer]) -> MockServer:
    return whole[1]


def test_the_server_misbehaves_in_hundreds_of_ways_and_well_in_tens() -> None:
    entries = list(linked())
    assert len(entries) > 300
    assert sum(entry.theme == "good" for entry in entries) >= 30


def test_the_crawl_ends_by_itself_with_little_memory(crawled: Crawled) -> None:
    assert crawled.done.status == 0
    assert crawled.done.report["finished"]
    assert crawled.peak_bytes < _PEAK_BYTES
    assert "Traceback" not in crawled.done.err


def test_every_good_page_is_delivered(crawled: Crawled, server: MockServer) -> None:
    ends = crawled.ends()
    paths = [entry.path for entry in linked() if entry.theme == "good"]
    lost = [path for path in paths if server.url(path, host=good.theme.host) not in ends]
    assert not lost
    assert all(ends[server.url(path, host=good.theme.host)] == ("delivered", "") for path in paths)


def test_every_path_is_told_with_its_own_reason(crawled: Crawled, server: MockServer) -> None:
    assert not wrong_ends(crawled, server)


def test_what_has_no_line_of_its_own_is_counted_by_its_reason(
    crawled: Crawled, server: MockServer
) -> None:
    ends = crawled.ends()
    skipped: Counter[str] = Counter()
    for entry in linked():
        if server.url(entry.path, host=entry.host) not in ends:
            ((_, reason),) = [end for end in entry.ends if end[0] == "skipped"]
            skipped[reason] += 1
    skipped["redirected"] += 9  # further hops of refresh-for-ever, each a request of its own
    counts = crawled.done.report["counts"]
    exact = ("robots_denied", "unwanted_type", "redirected")
    assert {reason: counts[reason] for reason in exact} == {r: skipped[r] for r in exact}
    assert {r for r, number in skipped.items() if counts.get(r, 0) < number} == set()
    assert unaccounted(counts) == 0


def test_what_is_whole_the_second_time_is_asked_for_twice(
    crawled: Crawled, server: MockServer
) -> None:
    for entry in linked():
        if entry.expected is not None and (times := entry.expected.attempts) is not None:
            assert server.hits(entry.host, entry.path) == times, entry.path


def test_secrets_stay_with_their_origin(crawled: Crawled, server: MockServer) -> None:
    assert crawled.done.status == 0
    told = {hit.host for hit in server.log if SECRETS & {value for _, value in hit.headers}}
    assert told == {redirects.theme.host}
    assert any(hit.host == redirects.other.host for hit in server.log)
    login = "Basic " + b64encode(b"me:hunter2").decode()
    assert {hit.host for hit in server.log if hit.header("Authorization") == login} == {
        good.theme.host
    }


def test_no_spelling_of_an_inner_address_leads_there(crawled: Crawled, server: MockServer) -> None:
    assert crawled.done.status == 0
    assert not [hit for hit in server.log if hit.host in INNER]
    served = {FRONT, *(host for host, _ in Theme.known)}
    ends = {url: end for url, end in crawled.ends().items() if urlsplit(url).hostname not in served}
    assert len(ends) >= 9
    assert set(ends.values()) == {("failed", "private_address")}


def test_no_cookie_goes_where_it_should_not(crawled: Crawled, server: MockServer) -> None:
    assert crawled.done.status == 0
    sent = [(hit.host, hit.header("Cookie") or "") for hit in server.log]
    assert any(value for _, value in sent)
    for host, value in sent:
        assert len(value) <= _COOKIE_BYTES
        for pair in value.split("; "):
            assert not pair.startswith(cookies.FORBIDDEN), (host, pair)
    named = {(host, pair) for host, value in sent for pair in value.split("; ")}
    assert not [host for host, pair in named if "big0=" in pair and host != cookies.theme.host]


def test_nothing_is_written_outside_the_run(crawled: Crawled) -> None:
    outside = {path.name for path in crawled.done.folder.parent.iterdir()}
    assert outside == {"project"}
    assert {path.name for path in crawled.done.folder.iterdir()} <= {
        *("spiders", "output", "peak", "crawler.toml")
    }
    run = crawled.done.run.resolve()
    for path in crawled.done.folder.glob("output/**/*"):
        assert path.resolve().is_relative_to(run) or path.is_dir()
        assert not path.is_symlink()
    stored = {page["file"] for page in crawled.done.lines("pages.jsonl") if "file" in page}
    assert all((run / name).is_file() for name in stored)


def test_no_answer_is_taken_for_anothers(crawled: Crawled) -> None:
    pages = [path for path in (crawled.done.run / "pages").rglob("*") if path.is_file()]
    assert pages
    assert not [path for path in pages if b"SMUGGLED" in path.read_bytes()]
    assert not [path for path in pages if b"root:x:0:0" in path.read_bytes()]


def test_nothing_that_a_server_says_is_obeyed_by_a_terminal(crawled: Crawled) -> None:
    for text in (crawled.done.err, (crawled.done.run / "crawl.log").read_text()):
        assert not {"\x1b", "\x07", "\x9b", "\x08"} & set(text)


def test_no_trap_takes_more_than_its_part(crawled: Crawled, server: MockServer) -> None:
    assert crawled.done.status == 0
    asked = Counter(hit.host for hit in server.log)
    assert all(0 < asked[trap.host] <= traps.MOST for trap in traps.TRAPS)
    assert max(asked.values()) <= traps.MOST


def test_no_password_is_written_down(crawled: Crawled) -> None:
    run = crawled.done.run
    for path in [path for path in run.rglob("*") if path.is_file()]:
        text = path.read_bytes()
        assert path.is_relative_to(run / "pages") or b"hunter2" not in text, path

"""How each host is to be treated."""

from crawler.manners import Manners
from crawler.outcome import HostNotes
from crawler.request import link_request
from crawler.rules.pacing import Pace
from crawler.settings import Settings
from crawler.stats import Stats
from tests.frontier.contract import Clock
from tests.harness import html

PAGE = html(link_request(url="http://a.example/"))
BUSY = html(link_request(url="http://a.example/"), status=429)
BROKEN = html(link_request(url="http://a.example/"), status=500)


def manners(**settings: float) -> Manners:
    stats = Stats("a")
    return Manners(Settings(**settings), clock=Clock(), slowed=stats.slow, parked=stats.park)  # type: ignore[arg-type]


def test_new_notes_leave_a_shared_host_its_slots() -> None:
    hosts = manners(delay=0.0, per_host=8)
    assert hosts.take("a", HostNotes(), 3) == Pace(0.0, 3)
    assert hosts.note("a", HostNotes()) == Pace(0.0, 3)
    assert hosts.note("a", HostNotes(crawl_delay=2.0)) == Pace(2.0, 1)
    assert hosts.take("a", HostNotes(), None) == Pace(0.0, 8)


def test_without_notes_a_host_keeps_the_crawl_delay_it_had() -> None:
    hosts = manners(delay=0.5)
    hosts.take("a", HostNotes(crawl_delay=9.0), None)
    assert hosts.take("a", None, None) == Pace(9.0, 1)


def test_a_host_that_left_is_remembered_and_of_very_many_the_last() -> None:
    hosts = manners(delay=1.0)
    for number in range(10_002):
        host = f"h{number}"
        hosts.take(host, HostNotes(), None)
        change = hosts.heard(host, BUSY, asked=1.0)
        assert change is not None
        assert change.pace.delay == 2.0
        hosts.leave(host)
    assert hosts.take("h1", HostNotes(), None).delay == 1.0
    assert hosts.take("h2", HostNotes(), None).delay == 2.0


def test_a_host_goes_on_with_the_delay_it_came_to_elsewhere() -> None:
    hosts = manners(delay=1.0, max_delay=60.0)
    assert hosts.take("a", HostNotes(), None, 8.0).delay == 8.0
    assert hosts.take("a", HostNotes(), None, 32.0).delay == 8.0  # here it is known better
    hosts.heard("a", BUSY, asked=1.0)
    assert hosts.delay("a") == 16.0
    assert hosts.take("b", HostNotes(), None, 600.0).delay == 60.0
    assert (hosts.delay("b"), hosts.delay("c")) == (60.0, None)
    assert hosts.take("c", HostNotes(), None).delay == 1.0
    assert hosts.delay("c") == 0.0
    assert manners(delay=1.0, throttle=False).take("a", HostNotes(), None, 8.0).delay == 1.0


def test_what_it_came_to_elsewhere_goes_back_as_answers_are_good() -> None:
    hosts = manners(delay=1.0)
    hosts.take("a", HostNotes(), None, 8.0)
    for _ in range(20):
        hosts.heard("a", PAGE, asked=1.0)
    assert hosts.delay("a") == 0.0


def test_where_nothing_is_amiss_a_host_without_a_delay_leaves_nothing_behind() -> None:
    hosts = manners(delay=0.0)
    hosts.take("a", HostNotes(), None)
    assert hosts.heard("a", PAGE, asked=1.0) is None
    hosts.leave("a")
    assert not hosts._remembered
    assert hosts.heard("a", PAGE, asked=1.0) is None


def test_what_happened_is_counted_once() -> None:
    hosts = manners(delay=1.0)
    hosts.take("a", HostNotes(), None)
    hosts.heard("a", BUSY, asked=1.0)
    assert hosts.counted() == {"slowed": 1}
    assert hosts.counted() == {}


def test_only_what_was_not_tried_before_says_that_a_host_fails() -> None:
    hosts = manners(delay=0.0, host_failures=2)
    hosts.take("a", HostNotes(), None)
    heard = [hosts.heard("a", BROKEN, asked=1.0, again=again) for again in (False, True, True)]
    assert not any(change and change.rest for change in heard)
    change = hosts.heard("a", BROKEN, asked=1.0)
    assert change is not None
    assert change.rest > 0
    assert change.why == "left alone for 30 s: 2 failures in a row, the last: HTTP 500"

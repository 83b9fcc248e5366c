"""What the time of a run adds up to."""

from crawler.stats import Stats
from tests.frontier.contract import Clock


def tell(teller: Stats, hearer: Stats) -> None:
    for name, value in teller.changes().items():
        hearer.learn(name, value)


def test_seconds_of_an_earlier_life_count_and_those_of_a_process_beside_do_not_twice() -> None:
    clock = Clock()
    before = Stats("a", clock=clock)
    clock.now += 100
    one, other = Stats("a", clock=clock), Stats("a", clock=clock)
    tell(before, one)
    tell(before, other)
    for _ in range(10):
        clock.now += 1
        tell(one, other)
        tell(other, one)
    assert (one.seconds, other.seconds) == (110, 110)


def test_hosts_that_anybody_slowed_are_known_to_all_with_their_longest_delays() -> None:
    one, other = Stats("a"), Stats("a")
    one.slow("x", 2.0)
    one.slow("x", 1.0)
    other.slow("x", 4.0)
    other.slow("y", 3.0)
    tell(one, other)
    tell(other, one)
    assert one.slowed == other.slowed == {"x": 4.0, "y": 3.0}
    assert set(one.changes()) == {"seconds"}


def test_of_very_many_slowed_hosts_the_slowest_are_kept() -> None:
    stats = Stats("a")
    for number in range(1_000):
        stats.slow(f"h{number}", float(number))
    assert len(stats.slowed) == 100
    assert min(stats.slowed.values()) == 900.0


def test_what_is_known_no_more_is_no_longer_kept() -> None:
    stats, kept = Stats("a"), dict[str, bytes]()
    for number in range(1_000):
        stats.slow(f"h{number}", float(number + 1))
        kept |= stats.changes()
    assert len([name for name, value in kept.items() if name != "seconds" and value]) == 100


def test_hosts_that_anybody_parked_are_known_to_all_with_the_last_reason() -> None:
    one, other = Stats("a"), Stats("a")
    one.park("x", "left alone for 30 s")
    one.park("x", "left alone for 60 s")
    other.park("y", "left alone for 30 s")
    tell(one, other)
    tell(other, one)
    assert one.parked == other.parked == {"x": "left alone for 60 s", "y": "left alone for 30 s"}


def test_of_very_many_parked_hosts_the_first_are_kept() -> None:
    stats = Stats("a")
    for number in range(1_000):
        stats.park(f"h{number}", "why")
    assert len(stats.parked) == 100
    assert "h0" in stats.parked

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

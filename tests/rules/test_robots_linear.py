"""No robots.txt and no URL takes more than its size is worth."""

from collections.abc import Callable
from functools import partial

import pytest

from crawler.rules.robots import Robots
from tests.growth import assert_costs, cpu_seconds


def judging(body: str, path: str) -> Callable[[], object]:
    robots = Robots.parse(f"User-agent: ant\n{body}".encode())
    robots.allows("ant", "/")  # the agent's rules are indexed when they are first asked for
    return lambda: robots.allows("ant", path)


def reading(body: str) -> Callable[[], object]:
    def read() -> object:
        robots = Robots.parse(body.encode())
        return robots.crawl_delay("ant"), robots.allows("ant", "/x")

    return read


def many_stars(size: int) -> Callable[[], object]:
    return judging(f"Disallow: /{'*a' * size}b", "/" + "a" * size * 200)


def a_long_piece(size: int) -> Callable[[], object]:
    return judging(f"Disallow: /*{'a' * size}b*", "/" + "a" * size * 200)


def rules_alike(size: int) -> Callable[[], object]:
    rules = "".join(f"Disallow: /*item*{n}$\n" for n in range(size))
    return judging(rules, "/an/item/of/the/shop")


def rules_of_all_lengths(size: int) -> Callable[[], object]:
    rules = "".join(f"Disallow: /{'a' * n}b\n" for n in range(1, int((2 * size) ** 0.5)))
    return judging(rules, "/" + "a" * 5_000)


def many_groups(size: int) -> Callable[[], object]:
    return reading("User-agent: ant\nCrawl-delay: 1\nDisallow: /y\n" * size)


def many_agents(size: int) -> Callable[[], object]:
    agents = "".join(f"User-agent: ant{n}\nUser-agent: ant\n" for n in range(size))
    return reading(agents + "Crawl-delay: 1\nDisallow: /y\n" * size)


def junk(size: int) -> Callable[[], object]:
    return reading(": : user-agent \t # \x00" * size)


@pytest.mark.parametrize(
    ("made", "size"),
    [
        (many_stars, 1_000),
        (a_long_piece, 2_000),
        (rules_alike, 5_000),
        (rules_of_all_lengths, 100_000),
        (many_groups, 2_000),
        (many_agents, 2_000),
        (junk, 5_000),
    ],
)
def test_the_time_grows_no_faster_than_the_size(
    made: Callable[[int], Callable[[], object]], size: int
) -> None:
    once, twice, fourfold = (partial(cpu_seconds, made(size * times)) for times in (1, 2, 4))
    # Quadratic would be 4 and 16 times.
    assert_costs(twice, at_most=3, times=once, slack=1e-4)
    assert_costs(fourfold, at_most=9, times=once, slack=1e-4)


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("Disallow: /shop/item-{}\n", "/shop/item-x"),
        ("Disallow: /*item{}*\n", "/shop/category/page?sort=price&page=3"),
        ("Disallow: /*?id={}$\n", "/shop/category/page?id=none"),
    ],
)
def test_judging_hardly_depends_on_how_many_rules_there_are(rule: str, path: str) -> None:
    few, many = (
        partial(cpu_seconds, judging("".join(rule.format(n) for n in range(size)), path))
        for size in (300, 30_000)
    )
    # Trying every rule takes 100 times as long.
    assert_costs(many, at_most=20, times=few, slack=1e-4)

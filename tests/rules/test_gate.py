"""The gate: what is new is judged once, traps are counted, named and left out."""

from collections import Counter

import pytest

from crawler.request import Request
from crawler.rules.gate import Gate, Mode

TRAP = "http://h/a/b/a/b/a/b"
SIGN = "http://h/archive/2077/05/03/"


def admitted(gate: Gate, url: str, counts: Counter[str], *, depth: int = 1) -> int | None:
    def count(name: str) -> None:
        counts[name] += 1

    return gate.admit(Request(url, depth=depth), count)


@pytest.mark.parametrize(
    ("mode", "lets_in", "counted"),
    [
        ("skip", False, {"trap.repetition": 1, "left_out.trap": 1, "trap.calendar": 1}),
        ("report", True, {"trap.repetition": 1, "trap.calendar": 1}),
        ("ignore", True, {}),
    ],
)
def test_a_sure_trap_is_left_out_and_any_sign_of_one_is_counted(
    mode: Mode, lets_in: bool, counted: dict[str, int]
) -> None:
    gate, counts = Gate(mode, year=2026), Counter[str]()
    assert (admitted(gate, TRAP, counts) is not None) == lets_in
    assert admitted(gate, SIGN, counts) == 0
    assert counts == counted


def test_the_first_url_of_each_host_and_kind_is_named(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate(year=2026)
    for url in (TRAP, TRAP + "/a/b", SIGN, TRAP.replace("//h", "//i")):
        admitted(gate, url, Counter())
    assert gate.seen == {
        ("h", "repetition"): TRAP,
        ("h", "calendar"): SIGN,
        ("i", "repetition"): "http://i/a/b/a/b/a/b",
    }
    assert caplog.messages == [
        f"looks like a trap (repetition), left out: {TRAP}",
        f"looks like a trap (calendar), followed: {SIGN}",
        "looks like a trap (repetition), left out: http://i/a/b/a/b/a/b",
    ]


def test_what_one_process_named_is_known_to_the_others_and_to_later_lives() -> None:
    before, after = Gate(year=2026), Gate(year=2026)
    admitted(before, TRAP, Counter())
    for name, value in before.changes().items():
        after.learn(name, value)
    after.learn("cookies [1]", b"no trap")
    assert after.seen == before.seen == {("h", "repetition"): TRAP}
    assert not before.changes()
    assert not after.changes()


def test_no_more_than_a_hundred_traps_are_named() -> None:
    gate, counts = Gate(year=2026), Counter[str]()
    for n in range(150):
        admitted(gate, f"http://h{n}/a/b/a/b/a/b", counts)
    assert len(gate.seen) == 100
    assert counts["trap.repetition"] == 150


def test_seeds_and_what_is_wanted_again_are_not_judged() -> None:
    gate = Gate(year=2026)

    def count(name: str) -> None:
        pytest.fail(name)

    assert gate.admit(Request(TRAP), count) == 0
    assert gate.admit(Request(TRAP, depth=1, again=True), count) == 0


def test_ever_new_sets_of_parameters_are_left_out_and_many_queries_named() -> None:
    gate, counts = Gate(year=2026), Counter[str]()
    for n in range(300):
        admitted(gate, f"http://h/facets?a=1&b{n}=1&c=1&d=1", counts)
    assert counts == {"trap.query": 100, "left_out.trap": 100}
    counts.clear()
    for n in range(1_500):
        admitted(gate, f"http://h/search?a={n}&b=1&c=1&d=1", counts)
        admitted(gate, f"http://h/list?page={n}&sort=price&dir=asc", counts)
    assert counts == {"trap.query": 500}


def test_a_tree_that_goes_on_and_on_is_named() -> None:
    gate, counts = Gate(year=2026), Counter[str]()
    for n in range(1_500):
        admitted(gate, f"http://h/r/n{n}/n{n + 1}/n{n + 2}/x", counts)
        admitted(gate, f"http://h/wiki/Page{n}", counts)
    assert set(counts) == {"trap.tree"}
    assert gate.seen[("h", "tree")].startswith("http://h/r/")


def test_a_page_is_followed_in_three_sessions_at_most() -> None:
    gate, counts = Gate(year=2026), Counter[str]()
    for n in range(10):
        admitted(gate, f"http://h/shop/item?id=7&sid={n:032x}", counts)
        admitted(gate, f"http://h/shop/{n};jsessionid={n:032x}", counts)
        admitted(gate, f"http://h/(S({n:024d}))/page.aspx", counts)
    assert counts == {"trap.session": 30, "left_out.trap": 14}

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
    for n in range(1_100):
        admitted(gate, f"http://h/facets?a=1&{letters(n)}=1&c=1&d=1", counts)
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
        admitted(gate, f"http://h/shop/item?id=7&PHPSESSID={n:032x}", counts)
        admitted(gate, f"http://h/shop/{n};jsessionid={n:032x}", counts)
        admitted(gate, f"http://h/(S({n:024d}))/page.aspx", counts)
        admitted(gate, f"http://h/start?CFID={n}&CFTOKEN={n:08}", counts)
    assert counts == {"trap.session": 40, "left_out.trap": 21}


def test_a_page_of_a_forum_is_followed_with_twenty_ids_at_most() -> None:
    gate, counts = Gate(year=2026), Counter[str]()
    for n in range(30):
        admitted(gate, f"http://h/viewtopic.php?t=7&sid={n:032x}", counts)
    assert counts == {"trap.session": 30, "left_out.trap": 10}


@pytest.mark.parametrize(
    "name", ["paper?sid={:032x}", "paper?lang=en&sid={:032x}", "station?sid=USW0000{:04}AB12345"]
)
def test_pages_that_are_named_by_an_id_are_all_followed(name: str) -> None:
    gate, counts = Gate(year=2026), Counter[str]()
    for n in range(500):
        assert admitted(gate, f"http://h/{name.format(n)}", counts) is not None
    assert "left_out.trap" not in counts


@pytest.mark.parametrize("path", ["calendar/{}/{:02}/", "events/{}-{:02}-01", "?year={}&month={}"])
def test_a_calendar_that_goes_on_and_on_is_left_out(path: str) -> None:
    gate, counts = Gate(year=2026), Counter[str]()
    urls = [f"http://h/{path.format(2030 + n // 12, n % 12 + 1)}" for n in range(400)]
    for url in urls:
        admitted(gate, url, counts)
    assert counts == {"trap.calendar": 400, "left_out.trap": 100}
    assert admitted(gate, f"http://h/{path.format(9999, 1)}", counts) is None
    # What it had is no new date, and another calendar begins anew.
    assert admitted(gate, urls[0], counts) is not None
    assert admitted(gate, urls[0].replace("//h", "//i"), counts) is not None


@pytest.mark.parametrize(
    "urls",
    [
        [f"http://h/news?year={y}" for y in range(2470, 2570)],
        [f"http://h/calendar/{y}/{m:02}/" for y in range(2530, 2570) for m in range(1, 13)],
        [f"http://h/calendar/{y}/{m:02}" for y in range(2060, 2084) for m in range(1, 13)],
        [f"http://h/?year={y}" for y in range(5700, 5800)],
        [f"http://h/projections?scenario={s}&year={y}" for s in "abcde" for y in range(1950, 2101)],
        [f"http://h/events/{n}-10-11-widget" for n in range(3000, 3900)],
        [f"http://h/schedule/{n}-1" for n in range(2999, 3900)],
    ],
)
def test_years_of_other_calendars_projections_and_numbers_are_followed(urls: list[str]) -> None:
    gate, counts = Gate(year=2026), Counter[str]()
    assert all(admitted(gate, url, counts) is not None for url in urls)
    assert "left_out.trap" not in counts


def test_names_with_an_index_are_one_name() -> None:
    gate, counts = Gate(year=2026), Counter[str]()
    for n in range(1_500):
        key = letters(n)
        admitted(gate, f"http://h/facets?u[a]=1&u[c{n}]=2&v{n}=1&w%5B{key}%5D=3", counts)
    assert counts == {"trap.query": 500}


def letters(number: int) -> str:
    """Return a name without digits."""
    return "".join("klmnopqrst"[int(digit)] for digit in str(number))

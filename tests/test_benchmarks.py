"""What the benchmarks say of laps and pages: the parts of them that measure nothing."""

from pathlib import Path

import pytest

from benchmarks.figures import lines_of, table
from benchmarks.laps import Cost, Lap
from benchmarks.pagesets import Item, by_url, canonical, differences, file_differences, items_in
from benchmarks.quick import Ratio, changes, is_worse, measured
from benchmarks.report import PAGE, with_part
from benchmarks.suites import SUITES

HOME = "http://127.0.0.1:8000"
REFERENCE = by_url([Item(f"{HOME}/", "Home", 2), Item(f"{HOME}/a.html", "A", 0)])


def lap(entry: str, number: int, *, seconds: float, cpu: float = 1.0) -> Lap:
    return Lap(entry, "site", number, 100, Cost(seconds, cpu, 50_000_000))


def test_the_same_pages_in_another_order_and_spelling_do_not_differ() -> None:
    items = [Item(f"{HOME}/%61.html", " A\n", 0), Item(HOME, "Home", 2)]
    assert differences(items, reference=REFERENCE) == []


def test_a_page_that_is_missing_or_foreign_or_doubled_or_read_differently_is_named() -> None:
    items = [Item(f"{HOME}/", "Home", 3)] * 2 + [Item(f"{HOME}/b.html", "B", 0)]
    missing, foreign, twice, other = differences(items, reference=REFERENCE)
    assert missing == f"missing: {HOME}/a.html"
    assert foreign == f"not on the site: {HOME}/b.html"
    assert twice == f"crawled twice: {HOME}/"
    assert other == f"read differently: {HOME}/ (('Home', 3), expected ('Home', 2))"


def test_a_long_list_of_differences_is_cut() -> None:
    items = [Item(f"{HOME}/{n}.html", "", 0) for n in range(5)]
    assert differences(items, reference={})[0].endswith("/2.html and 2 more")


def test_a_query_makes_another_page_and_a_fragment_does_not() -> None:
    assert canonical(f"{HOME}/a?b=c#d") == f"{HOME}/a?b=c"


def test_items_are_read_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text('{"url":"u","title":"t","links":1,"more":0}\n\n')
    assert items_in(tmp_path / "items.jsonl") == [Item("u", "t", 1)]


def test_a_mirror_has_one_file_for_a_folder_and_its_index(tmp_path: Path) -> None:
    root, mirror = tmp_path / "root", tmp_path / "mirror"
    for folder in (root, mirror / "127.0.0.1"):
        folder.mkdir(parents=True)
        (folder / "index.html").write_text("home")
    reference = [f"{HOME}/", f"{HOME}/index.html"]
    assert file_differences(mirror, reference=reference, root=root) == []
    (mirror / "127.0.0.1" / "index.html").write_text("hom")
    assert file_differences(mirror, reference=reference, root=root) == [
        "of another size: 127.0.0.1/index.html"
    ]


def test_ratios_are_those_within_a_round() -> None:
    """The second round was on a machine half as fast, which no ratio shows."""
    suite = SUITES["one-core"]
    bare, ours, *_ = (entry.label for entry in suite.entries)
    laps = [lap(bare, 0, seconds=2), lap(bare, 1, seconds=4), lap(bare, 2, seconds=2)]
    laps += [lap(ours, 0, seconds=1), lap(ours, 1, seconds=2)]
    of_bare, of_ours = lines_of(suite, laps)
    assert (of_bare.by_first, of_bare.ours_by_it, of_bare.rounds) == (1.0, 2.0, 3)
    assert (of_ours.by_first, of_ours.median, of_ours.least, of_ours.most) == (2.0, 75, 50, 100)
    row = table(suite, [of_ours]).splitlines()[-1]
    assert row == f"| {ours} | 75 | 50-100 | 2.00 | 1.00 | 10.00 | 50 | 2 |"


def test_a_slow_crawler_runs_in_some_of_the_rounds() -> None:
    slow = next(entry for entry in SUITES["one-core"].entries if entry.share == 0.4)
    assert [number for number in range(5) if slow.runs_in(number)] == [0, 3]


def test_worse_is_more_than_noise_and_a_busy_machine_says_nothing_about_speed() -> None:
    was = Ratio(cpu=1.0, speed=1.0)
    assert not is_worse(Ratio(cpu=1.04, speed=0.96), was=was)
    assert is_worse(Ratio(cpu=1.0, speed=0.94), was=was)
    assert is_worse(Ratio(cpu=1.06, speed=1.0), was=was)
    assert not is_worse(Ratio(cpu=1.0, speed=None), was=was)
    assert changes(Ratio(cpu=0.9, speed=1.1), was=was) == [
        "CPU a page 0.900, was 1.000, -10.0%",
        "pages/s 1.100, was 1.000, +10.0%",
    ]


def test_the_bare_loop_shows_whether_the_machine_was_busy() -> None:
    bare, ours = (entry.label for entry in SUITES["https"].entries)
    laps = [lap(bare, 0, seconds=1, cpu=0.9), lap(ours, 0, seconds=2, cpu=1.8)]
    assert measured(laps) == Ratio(cpu=2.0, speed=0.5)
    busy = [lap(bare, 0, seconds=2, cpu=0.9), lap(ours, 0, seconds=2, cpu=1.8)]
    assert measured(busy) == Ratio(cpu=2.0, speed=None)


def test_every_suite_has_its_part_in_the_page_and_the_prose_is_left_alone() -> None:
    page = PAGE.read_text()
    for name in (*SUITES, "machine"):
        new = with_part(page, name, "| new |")
        assert new.count("| new |") == 1
        assert new.count("<!-- figures:") == page.count("<!-- figures:")
    with pytest.raises(ValueError, match="got 0"):
        with_part(page, "nowhere", "")

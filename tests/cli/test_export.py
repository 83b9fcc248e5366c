"""`crawl export`, `crawl diff`."""

import json
from pathlib import Path

import pytest

from tests.cli.command import Done, crawl
from tests.cli.lives import grow, killed, stopped
from tests.site import Site

GOODS = """
from crawler import Item, Out, Response, Spider

class Good(Item, key="name"):
    name: str
    price: float
    tags: list[str] = []

class Goods(Spider[Good], delay=0, min_free_bytes=0, obey_robots=False):
    def __init__(self, start: str, dear: int = 0) -> None:
        self.start_urls = [start]
        self.dear = dear

    async def parse(self, page: Response) -> Out[Good]:
        yield Good(name="a", price=1)
        yield Good(name="b", price=2 + self.dear)
        yield Good(name=f"only {self.dear}", price=3, tags=["x\u202e"])
"""


async def test_a_run_is_exported_from_where_it_is_named(folder: Path, small: Site) -> None:
    done = await crawl(folder, "site", "-a", f"start={small.url()}", "-q")
    for number, name in enumerate((str(done.run), "site", f"site/{done.run.name}")):
        exported = await crawl(
            folder, "export", name, "-o", f"{number}.jsonl", "-o", f"{number}.csv"
        )
        assert exported.status == 0, exported.err
        assert ": 20 items (" in exported.err
        text = (folder / f"{number}.jsonl").read_bytes()
        assert text == (done.run / "items.jsonl").read_bytes()
    shown = await crawl(folder, "export", "site", "-o", "-", "-q")
    assert (shown.out.encode(), shown.err) == (text, "")


async def test_a_killed_run_is_exported_as_far_as_it_is_committed_and_said_so(
    folder: Path, site: Site
) -> None:
    grow(site)
    await killed(folder, site, "/30", "site", "-a", f"start={site.url()}", "-s", "concurrency=1")
    (run,) = (folder / "output").glob("*/*")
    with (run / "items.jsonl").open("a") as file:
        file.write('{"url":"never committed"}\n{"url":"ha')
    exported = await crawl(folder, "export", "site", "-o", "x.json")
    assert exported.status == 0, exported.err
    assert "is unfinished; these are its items so far" in exported.err
    urls = [item["url"] for item in json.loads((folder / "x.json").read_text())]
    assert 20 < len(urls) == len(set(urls)) < 57
    assert "never committed" not in urls


MISTAKES = {
    ("site",): "crawl export takes at least one -o FILE",
    ("nobody", "-o", "x.csv"): "nobody: is no run, and no spider with runs in output",
    ("site/nope", "-o", "x.csv"): "site/nope: is no run; the newest of site are 2",
    ("site", "-o", "x.xyz"): "x.xyz: unknown output format '.xyz'",
    ("site", "-o", "there.csv"): "there.csv: exists; use --overwrite or --append",
    ("site", "-o", "x.csv", "-s", "part_items=0"): "part_items must be at least 1, got '0'",
}


async def test_a_mistake_is_said_in_a_line(folder: Path, small: Site) -> None:
    await stopped(folder, small)
    (folder / "there.csv").touch()
    for words, said in MISTAKES.items():
        done = await crawl(folder, "export", *words)
        assert (done.status, len(done.err.splitlines())) == (2, 1)
        assert said in done.err


async def test_a_run_whose_items_are_gone_says_so(folder: Path, small: Site) -> None:
    done = await crawl(folder, "site", "-a", f"start={small.url()}", "-q")
    (done.run / "items.jsonl").unlink()
    exported = await crawl(folder, "export", "site", "-o", "x.csv")
    assert exported.status == 2
    assert "items.jsonl: is gone, and with it the items of the run" in exported.err


@pytest.fixture
async def goods(folder: Path, small: Site) -> list[Done]:
    """Two runs of a spider whose items have a key."""
    (folder / "spiders" / "goods.py").write_text(GOODS)
    return [
        await crawl(folder, "goods", "-a", f"start={small.url('/3')}", "-a", f"dear={n}", "-q")
        for n in (0, 5)
    ]


async def test_two_runs_are_compared_by_the_key_of_their_items(
    folder: Path, goods: list[Done]
) -> None:
    first, second = sorted((folder / "output" / "goods").iterdir())
    done = await crawl(folder, "diff", str(first), "goods")
    assert [json.loads(line) for line in done.out.splitlines()] == [
        {
            "change": "added",
            "type": "good",
            "item": {"name": "only 5", "price": 3.0, "tags": ["x\u202e"]},
        },
        {"change": "changed", "type": "good", "item": {"name": "b"}, "fields": {"price": [2, 7]}},
        {
            "change": "removed",
            "type": "good",
            "item": {"name": "only 0", "price": 3.0, "tags": ["x\u202e"]},
        },
    ]
    assert (done.status, done.err) == (1, "crawl: 1 added, 1 changed, 1 removed\n")
    same = await crawl(folder, "diff", str(second), "goods")
    assert (same.status, same.out, same.err) == (0, "", "crawl: 0 added, 0 changed, 0 removed\n")


async def test_another_key_may_be_named_and_has_to_be_there(
    folder: Path, goods: list[Done]
) -> None:
    first = min((folder / "output" / "goods").iterdir())
    done = await crawl(folder, "diff", str(first), "goods", "--key", "price", "-q")
    assert (done.status, done.out) == (1, "")
    assert done.err == "crawl: 1 added, 1 changed, 1 removed\n"
    wrong = await crawl(folder, "diff", str(first), "goods", "--key", "isbn")
    assert (wrong.status, wrong.err) == (2, "crawl: --key: no item has all of the fields isbn\n")


async def test_items_without_a_key_are_compared_whole_and_counted(
    folder: Path, small: Site
) -> None:
    runs: list[Path] = []
    for text in ('{"a":1}\n{"a":1}\n{"b":2}\n', '{"a":1}\n{"b":2}\n{"b":2}\n{"c":3}\n'):
        done = await crawl(
            folder, "site", "-a", f"start={small.url('/3')}", "--job", str(len(runs))
        )
        runs.append(folder / str(len(runs)))
        (runs[-1] / "items.jsonl").write_text(text)
        (runs[-1] / "frontier.db").unlink()
        assert done.status == 0
    done = await crawl(folder, "diff", "0", "1")
    changes = [json.loads(line) for line in done.out.splitlines()]
    assert sorted((change["change"], str(change["item"])) for change in changes) == [
        ("added", "{'b': 2}"),
        ("added", "{'c': 3}"),
        ("removed", "{'a': 1}"),
    ]


async def test_a_pruned_run_is_exported_without_what_others_added_to_its_file(
    folder: Path, small: Site
) -> None:
    words = ["site", "-a", f"start={small.url()}", "-q", "-o", "all.jsonl"]
    first = await crawl(folder, *words)
    assert (await crawl(folder, "runs", "--prune")).status == 0
    again = await crawl(folder, *words, "--append", "--max-pages", "3")
    assert (first.status, again.status) == (0, 0), again.err
    old, new = sorted(run.name for run in (folder / "output" / "site").iterdir())
    for run, count in ((old, 20), (new, 3)):
        exported = await crawl(folder, "export", f"site/{run}", "-o", f"{run}.json")
        assert exported.status == 0, exported.err
        assert len(json.loads((folder / f"{run}.json").read_text())) == count

"""`-o FILE`."""

import csv
import json
from pathlib import Path

import pytest

from tests.cli.command import crawl, lines
from tests.site import Site


def count(file: Path) -> int:
    """Return the items in a file of any format; it must be whole."""
    text = file.read_text()
    if file.suffix == ".json":
        return len(json.loads(text))
    if file.suffix == ".csv":
        rows = list(csv.DictReader(text.splitlines()))
        assert all(row["url"].startswith("http://") for row in rows)
        return len(rows)
    return len(lines(file))


FORMATS = pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.csv"])


@FORMATS
async def test_a_file_that_exists_is_refused_before_anything_is_asked(
    folder: Path, small: Site, name: str
) -> None:
    (folder / name).write_text("mine")
    done = await crawl(folder, "site", "-a", f"start={small.url()}", "-o", name)
    assert done.refuses(f"{name}: exists; use --overwrite or --append")
    assert (folder / name).read_text() == "mine"
    assert small.log == []


@FORMATS
@pytest.mark.parametrize(("word", "items"), [("--overwrite", 1), ("--append", 21)])
async def test_a_file_that_exists_is_replaced_or_added_to(
    folder: Path, small: Site, name: str, word: str, items: int
) -> None:
    first = await crawl(folder, "site", "-a", f"start={small.url()}", "-o", name)
    assert (first.status, count(folder / name)) == (0, 20)
    done = await crawl(folder, "site", "-a", f"start={small.url('/1')}", "-o", name, word)
    assert (done.status, count(folder / name)) == (0, items)


async def test_several_files_hold_the_same_items(folder: Path, small: Site) -> None:
    names = ["a.jsonl", "deep/er/b.json", "c.csv", "d.jsonl"]
    words = [word for name in names for word in ("-o", name)]
    done = await crawl(folder, "site", "-a", f"start={small.url()}", *words)
    assert done.status == 0
    assert [count(folder / name) for name in names] == [20] * 4
    assert not (done.run / "items.jsonl").exists()  # the first .jsonl takes its place
    assert all(f"  {name}\n" in done.err for name in names)


async def test_standard_output_carries_items_and_nothing_else(folder: Path, small: Site) -> None:
    words = ["-a", f"start={small.url()}", "-o", "-", "-vv"]
    done = await crawl(folder, "spiders/site.py:Site", *words)
    assert {json.loads(line)["url"] for line in done.out.splitlines()} == set(
        map(small.url, small.paths)
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "x.xyz"], "x.xyz: unknown output format '.xyz'; known are .jsonl, .json, .csv"),
        (["-o", "spiders"], "spiders: is a folder; -o needs a file"),
        (["-o", "spiders/"], "spiders/: is a folder; -o needs a file"),
        (["-o", "file/x.csv"], "-o needs a folder to write in"),
        (["-o", "a.csv", "-o", "./a.csv"], "two outputs go to this file"),
        (["-o", "-", "-o", "-"], "-o - is given twice"),
        (["-o", "a.csv", "--append", "--overwrite"], "exclude each other"),
        (["-s", "output_dir=file/x"], "cannot be made"),
    ],
)
async def test_a_place_that_cannot_be_written_to_is_refused(
    folder: Path, words: list[str], message: str
) -> None:
    (folder / "file").write_text("")
    assert (await crawl(folder, "site", "-a", "start=http://a/", *words)).refuses(message)
    assert not (folder / "a.csv").exists()

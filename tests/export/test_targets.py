import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from crawler.errors import OutputError
from crawler.export.following import Following
from crawler.export.spool import FileSpool
from crawler.export.targets import Plan, Source, Target, plan
from crawler.items import Item
from crawler.outcome import Mark
from crawler.protocols import Follower
from crawler.records.streams import streams_of
from crawler.settings import Settings

STREAMS = streams_of([])


class Book(Item):
    title: str


class Author(Item):
    name: str


def planned(*outputs: object, streams: Any = STREAMS, **flags: Any) -> Plan:
    return plan([str(output) for output in outputs], streams=streams, **flags)


def following_of(target: Target, spool: Path, *, begin: int) -> Following:
    async def opener(mark: Mark | None) -> Follower:
        return await target.open(Source("run", STREAMS, Settings(), begin=begin), mark)

    return Following(opener, target=target.path, source=spool)


async def run(where: Plan, lines: Sequence[bytes]) -> None:
    """What a crawl does with a plan."""
    assert where.spool is not None
    spool = await FileSpool.open({"items": Path(where.spool)}, position=where.position)
    async with spool:
        for target in where.targets:
            following = following_of(target, Path(where.spool), begin=where.position["items"])
            await following.open()
            spool.follow(following)
        await spool.committed(await spool.append({"items": lines}), [])


def test_the_first_jsonl_is_the_spool_and_the_rest_follow(tmp_path: Path) -> None:
    where = planned(*(tmp_path / name for name in ("b.CSV", "a.jsonl", "c.jsonl", "d.json")), "-")
    assert where.spool == str(tmp_path / "a.jsonl")
    assert where.position == {"items": 0}
    assert [(Path(target.path).name, target.format) for target in where.targets] == [
        ("b.CSV", ".csv"),
        ("c.jsonl", ".jsonl"),
        ("d.json", ".json"),
        ("-", "-"),
    ]
    assert list(tmp_path.iterdir()) == []


def test_nothing_asked_for_is_nothing_planned() -> None:
    assert planned() == Plan()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x.jsn", "unknown output format '.jsn'; did you mean '.json'?; known are .jsonl, .json"),
        ("x.xlsx", "unknown output format '.xlsx'; did you mean '.csv'?; known are"),
        ("x.ndjson", "unknown output format '.ndjson'; did you mean '.jsonl'?; known are"),
        ("x.bz2", "unknown output format '.bz2'; known are .jsonl, .json, .csv, .xml, each also"),
        ("x.db.gz", "x.db.gz: .gz is for text: NAME.jsonl.gz, NAME.csv.gz; known are"),
        ("x", "x: expected a suffix that says the format, such as .csv; known are"),
        (".csv", ".csv: expected a suffix that says the format, such as .csv; known are"),
        ("sqlite:///x.db", "unknown scheme 'sqlite'; known are"),
        ("sqlite:///x.db", "; a file is named by its path alone"),
        ("", "known are"),
    ],
)
def test_an_unknown_format_is_refused_with_the_known_ones(name: str, said: str) -> None:
    with pytest.raises(OutputError) as caught:
        planned(name)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.csv"])
def test_an_existing_file_is_refused_and_both_flags_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("[]")
    with pytest.raises(OutputError, match=rf"{name}: exists; use --overwrite or --append"):
        planned(tmp_path / name)
    planned(tmp_path / name, overwrite=True)
    assert (tmp_path / name).read_text() == "[]"


def test_the_files_of_several_types_are_the_ones_looked_for(tmp_path: Path) -> None:
    streams = streams_of([Book, Author])
    (tmp_path / "x.csv").touch()
    planned(tmp_path / "x.csv", streams=streams)
    (tmp_path / "x.author.csv").touch()
    with pytest.raises(OutputError, match=r"x\.author\.csv: exists"):
        planned(tmp_path / "x.csv", streams=streams)


def test_a_folder_or_a_pipe_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "x.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.jsonl")
    for target in ("x.csv", ""):
        with pytest.raises(OutputError, match="is a folder; -o needs a file"):
            planned(tmp_path / target, overwrite=True)
    with pytest.raises(OutputError, match="not a regular file; use -o -"):
        planned(tmp_path / "pipe.jsonl", overwrite=True)


def test_parent_folders_are_made_unless_a_file_is_in_the_way(tmp_path: Path) -> None:
    planned(tmp_path / "new" / "deep" / "x.csv")
    assert (tmp_path / "new" / "deep").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file"):
        planned(tmp_path / "file" / "sub" / "x.csv")


def test_two_outputs_to_one_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(OutputError, match="two outputs go to this file"):
        planned(tmp_path / "x.csv", tmp_path / "link" / "x.csv")
    with pytest.raises(OutputError, match="given twice"):
        planned("-", "-")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x-{part}.csv", "x-2.csv"),
        ("x-12.csv", "x-{part:02}.csv"),
        ("x-{part}.csv", "x-{part:03}.csv"),
        ("x-{part}.csv", "x-1{part}.csv"),
        ("{part}0.csv", "{part}.csv"),
        ("s3://b/x.csv", "s3://b/x.csv"),
        ("s3://b/x-{part}.csv", "s3://b/x-7.csv"),
    ],
)
def test_two_outputs_that_may_meet_in_a_part_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: str, other: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for outputs in ((one, other), (other, one)):
        with pytest.raises(OutputError, match="two outputs go to this file"):
            planned(*outputs)
    with pytest.raises(OutputError, match="two outputs go to this file"):
        planned(other, begun=planned(one))


def test_parts_that_never_meet_are_no_mistake(tmp_path: Path) -> None:
    names = ["{part}.csv", "{part}.json", "x-{part}.csv", "x-01.csv", "x-one.csv", "y/{part}.csv"]
    names += ["s3://b/{part}.csv", "s3://c/{part}.csv"]
    assert len(planned(*(name if ":" in name else tmp_path / name for name in names)).targets) == 8


def test_overwrite_and_append_exclude_each_other() -> None:
    with pytest.raises(OutputError, match="exclude each other"):
        planned(overwrite=True, append=True)


async def test_append_goes_on_in_every_format_and_a_plan_kept_can_be_run_again(
    tmp_path: Path,
) -> None:
    names = ("x.jsonl", "y.jsonl", "x.json", "x.csv")
    files = [tmp_path / name for name in names]
    await run(planned(*files), [b'{"a":1}'])
    where = planned(*files, append=True)
    again = msgspec.json.decode(msgspec.json.encode(where), type=Plan)
    await run(where, [b'{"a":9}', b'{"a":8}'])  # and then its process dies
    await run(again, [b'{"a":2}'])
    for name in names[:2]:
        assert (tmp_path / name).read_bytes() == b'{"a":1}\n{"a":2}\n'
    assert msgspec.json.decode((tmp_path / "x.json").read_bytes()) == [{"a": 1}, {"a": 2}]
    assert (tmp_path / "x.csv").read_bytes() == b"a\r\n1\r\n2\r\n"


async def test_overwrite_leaves_nothing_of_what_was_there(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("x.jsonl", "x.json", "x.csv")]
    for file in files:
        file.write_text("rubbish" * 100)
    await run(planned(*files, overwrite=True), [b'{"a":1}'])
    assert [file.read_bytes() for file in files] == [
        b'{"a":1}\n',
        b'[\n{"a":1}\n]\n',
        b"a\r\n1\r\n",
    ]


def test_append_says_why_a_file_cannot_be_appended_to(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("other\n")
    with pytest.raises(OutputError, match="--append needs the columns title"):
        planned(tmp_path / "x.csv", append=True, streams=streams_of([Book]))


def test_a_target_stays_where_it_was_when_the_working_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert planned("x.csv").targets == (Target(str(tmp_path / "x.csv"), ".csv"),)


async def test_parts_of_an_earlier_run_are_added_to_or_replaced_or_refused(tmp_path: Path) -> None:
    name = tmp_path / "x-{part:03}.csv"
    others = ["x-0004.csv", "x-one.csv", "x-007.csv.bak"]
    for old in ("x-001.csv", "x-003.csv", *others):
        (tmp_path / old).touch()
    with pytest.raises(OutputError, match=r"x-001\.csv: exists"):
        planned(name)
    (adding,) = planned(name, append=True).targets
    assert adding.part == 4
    await run(planned(tmp_path / "spool.jsonl", name, overwrite=True), [b'{"a":1}'])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["spool.jsonl", "x-001.csv", *others]
    )


def test_a_part_of_others_is_refused_whatever_its_number(tmp_path: Path) -> None:
    (tmp_path / "x-17.csv").touch()
    with pytest.raises(OutputError, match=r"x-17\.csv: exists; use --overwrite or --append"):
        planned(tmp_path / "x-{part}.csv")
    planned(tmp_path / "x-{part:03}.csv", tmp_path / "{run}-{part}.csv")


@pytest.mark.parametrize("flags", [{"overwrite": True}, {"append": True}])
def test_no_output_goes_to_a_file_that_the_run_has_already(
    tmp_path: Path, flags: dict[str, bool]
) -> None:
    begun = planned(tmp_path / "x.jsonl", tmp_path / "x.csv", tmp_path / "{run}.csv")
    (tmp_path / "x.jsonl").write_text("{}\n")
    (tmp_path / "link.json").symlink_to(tmp_path / "x.jsonl")
    for name in ("x.jsonl", "link.json", "x.csv"):
        with pytest.raises(OutputError, match="two outputs go to this file"):
            planned(tmp_path / name, begun=begun, **flags)


@pytest.mark.parametrize("name", ["a{b", "{item}", "{{run}}", "}"])
def test_braces_of_the_working_folder_are_no_gaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / name)
    where = planned("x.jsonl", "x.csv", "y{{.csv", streams=streams_of([Book, Author]))
    assert where.spool == str(tmp_path / name / "x.jsonl")
    files = [file for each in where.targets for file in each.files(streams_of([Book]), run="r")]
    assert files == [tmp_path / name / "x.book.csv", tmp_path / name / "y{.book.csv"]


def test_a_name_that_is_too_long_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="file name too long"):
        planned(tmp_path / f"{'x' * 252}.csv")

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.differing import Change, differences
from crawler.errors import TargetError
from crawler.export.run_folder import Record
from crawler.exporting import Kept
from crawler.items import Item
from crawler.records.streams import streams_of
from tests.export.conftest import SizeLimit
from tests.export.conftest import size_limit as size_limit  # a fixture


class Good(Item, key="name"):
    name: str


def kept(path: Path, *lines: str) -> Kept:
    text = "".join(line + "\n" for line in lines)
    path.write_text(text)
    streams = streams_of([Good])
    record = Record(spider="s", streams=streams, created=datetime.now(UTC))
    return Kept(path.parent, record, path, 0, len(text))


@pytest.mark.parametrize(
    ("before", "after", "is_other"),
    [
        ("1", "1.0", False),
        ("1", "true", True),
        ("[0]", "[false]", True),
        ('{"a":1,"b":[2]}', '{"b":[2],"a":1}', False),
        ('{"a":null}', "{}", True),
        ("[1]", "[1,2]", True),
        ('"1"', "1", True),
    ],
)
def test_values_differ_as_json_has_them(
    tmp_path: Path, before: str, after: str, is_other: bool
) -> None:
    old = kept(tmp_path / "old", f'{{"name":"x","v":{before}}}')
    new = kept(tmp_path / "new", f'{{"name":"x","v":{after}}}')
    assert [change.change for change in differences(old, new)] == ["changed"] * is_other


def test_of_one_key_the_last_item_counts(tmp_path: Path) -> None:
    old = kept(tmp_path / "old", '{"name":"x","v":1}', '{"name":"x","v":2}')
    new = kept(tmp_path / "new", '{"name":"x","v":2}', '{"name":"y"}')
    assert list(differences(old, new)) == [Change("added", "good", {"name": "y"})]


def test_no_room_for_temporary_files_is_said(tmp_path: Path, size_limit: SizeLimit) -> None:
    items = [f'{{"name":"{number}","text":"{"x" * 100_000}"}}' for number in range(50)]
    old, new = kept(tmp_path / "old", *items), kept(tmp_path / "new", *items)
    with size_limit(1_000_000), pytest.raises(TargetError, match="TMPDIR names another"):
        list(differences(old, new))

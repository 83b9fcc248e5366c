import json
from pathlib import Path

import pytest

from crawler.errors import OutputError, TargetError
from crawler.export.json_array import JsonArray, json_kept
from crawler.export.sheet import Sheet
from tests.export.conftest import SizeLimit


def test_the_file_is_valid_after_every_call(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    array = JsonArray(Sheet(path))
    assert json.loads(path.read_bytes()) == []
    array.write([b'{"n":1}'])
    assert json.loads(path.read_bytes()) == [{"n": 1}]
    array.write([b'{"n":[2]}', '{"n":"]\u2028["}'.encode()])
    assert json.loads(path.read_bytes()) == [{"n": 1}, {"n": [2]}, {"n": "]\u2028["}]
    array.close()
    assert path.read_text().split("\n")[1] == '{"n":1},'


def test_a_full_disk_leaves_the_array_valid(tmp_path: Path, size_limit: SizeLimit) -> None:
    path = tmp_path / "x.json"
    array = JsonArray(Sheet(path))
    array.write([b'{"n":1}'])
    with size_limit(40), pytest.raises(TargetError, match=r"x\.json"):
        array.write([b'{"n":"%s"}' % (b"x" * 50)])
    assert json.loads(path.read_bytes()) == [{"n": 1}]
    array.close()


def test_opened_without_a_state_it_is_built_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for n in (b"1", b"2"):
        array = JsonArray(Sheet(path))
        array.write([n])
        array.close()
    assert json.loads(path.read_bytes()) == [2]


@pytest.mark.parametrize("old", ["[]", "[ ]\n", "[1]", ' [\n {"a": [1]}\n]\n\n', "[[]]", '["["]'])
def test_append_extends_an_array_and_a_rerun_keeps_only_what_was_before(
    tmp_path: Path, old: str
) -> None:
    path = tmp_path / "x.json"
    path.write_text(old)
    kept = json_kept(path, Sheet(path))
    for _ in range(2):
        array = JsonArray(Sheet(path, kept=kept))
        assert json.loads(path.read_bytes()) == json.loads(old)
        array.write([b'{"new":1}'])
        array.close()
        assert json.loads(path.read_bytes()) == [*json.loads(old), {"new": 1}]


@pytest.mark.parametrize("old", ['{"a":1}', "]", "[1", "[1],", " ", '"[" 1]'])
def test_append_refuses_what_is_no_array(tmp_path: Path, old: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(old)
    with pytest.raises(OutputError, match="--append needs a JSON array"):
        json_kept(path, Sheet(path))

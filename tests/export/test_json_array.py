import json
from pathlib import Path

import pytest

from crawler.errors import OutputError, TargetError
from crawler.export.json_array import JsonArray
from crawler.records.streams import streams_of
from tests.export.conftest import SizeLimit

STREAMS = streams_of([])


async def test_the_file_is_valid_after_every_call(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    array = await JsonArray.open(path, streams=STREAMS, kept={})
    assert json.loads(path.read_bytes()) == []
    await array.follow([b'{"n":1}'], 8)
    assert json.loads(path.read_bytes()) == [{"n": 1}]
    await array.follow([b'{"n":[2]}', '{"n":"]\u2028["}'.encode()], 30)
    assert json.loads(path.read_bytes()) == [{"n": 1}, {"n": [2]}, {"n": "]\u2028["}]
    await array.aclose()
    assert path.read_text().split("\n")[1] == '{"n":1},'


async def test_a_full_disk_leaves_the_array_valid(tmp_path: Path, size_limit: SizeLimit) -> None:
    path = tmp_path / "x.json"
    array = await JsonArray.open(path, streams=STREAMS, kept={})
    await array.follow([b'{"n":1}'], 8)
    with size_limit(40), pytest.raises(TargetError, match=r"x\.json"):
        await array.follow([b'{"n":"%s"}' % (b"x" * 50)], 70)
    assert json.loads(path.read_bytes()) == [{"n": 1}]
    await array.aclose()


async def test_opened_again_it_is_built_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for n in (b"1", b"2"):
        array = await JsonArray.open(path, streams=STREAMS, kept={})
        await array.follow([n], 2)
        await array.aclose()
    assert json.loads(path.read_bytes()) == [2]


@pytest.mark.parametrize("old", ["[]", "[ ]\n", "[1]", ' [\n {"a": [1]}\n]\n\n', "[[]]", '["["]'])
async def test_append_extends_an_array_and_a_rerun_keeps_only_what_was_before(
    tmp_path: Path, old: str
) -> None:
    path = tmp_path / "x.json"
    path.write_text(old)
    kept = JsonArray.keep(path, STREAMS)
    for _ in range(2):
        array = await JsonArray.open(path, streams=STREAMS, kept=kept)
        assert json.loads(path.read_bytes()) == json.loads(old)
        await array.follow([b'{"new":1}'], 10)
        await array.aclose()
        assert json.loads(path.read_bytes()) == [*json.loads(old), {"new": 1}]


@pytest.mark.parametrize("old", ['{"a":1}', "]", "[1", "[1],", " ", '"[" 1]'])
def test_append_refuses_what_is_no_array(tmp_path: Path, old: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(old)
    with pytest.raises(OutputError, match="--append needs a JSON array"):
        JsonArray.keep(path, STREAMS)


def test_append_to_an_empty_or_missing_file_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.json").touch()
    assert JsonArray.keep(tmp_path / "x.json", STREAMS) == {}
    assert JsonArray.keep(tmp_path / "y.json", STREAMS) == {}
